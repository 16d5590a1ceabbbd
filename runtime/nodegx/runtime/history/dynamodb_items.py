"""Executions as DynamoDB items, and the writing half of that store.

One table holds both kinds of items, told apart by the prefix of the partition key `pk`:

- `X#<id>`: an execution. `data` (input and output), `error`, `audit` and `steps` are compressed;
  what does not fit an item is an object in a bucket, named by `dataAt`, `errorAt` and so on. `state`
  is there only while the execution has not succeeded, so that its index is small. `deadline` is
  there while it runs. `expires` removes the item in time; durable executions have none until they
  end.
- `M#<workflow>#<hour>`: a workflow's metrics of an hour, only ever added to. Each bin of the
  sketch is an attribute `b<bin>`, so concurrent writers need no lock.

A function writes through this module alone; `dynamodb` reads.
"""

from __future__ import annotations

import os
import time
import zlib
from base64 import b64encode
from typing import Any

from nodegx.runtime.aws.client import Answer, AwsClient, AwsError
from nodegx.runtime.deflate import deflate

from .metrics import HourlyMetrics, roll_up
from .packing import pack, pack_data
from .record import GOING_ON, ExecutionRecord, Status

Item = dict[str, dict[str, Any]]

ITEM_LIMIT = 350_000
"""Bytes of compressed data an item may carry; DynamoDB refuses items above 400 KB."""

SHARDS = 4
"""Partitions that an index over all executions is spread over: each takes 1,000 writes a second."""

BLOCKS = ("error", "audit", "data", "steps")
"""Compressed parts of an execution, in the order in which they get a place in its item."""

DAY = 86_400

_NEW_END = f"(attribute_not_exists(pk) OR #s IN ({', '.join(f':{s.value}' for s in GOING_ON)}))"
_IN_TIME = "(attribute_not_exists(fence) OR fence <= :fence)"
"""What holds unless a later host of a durable execution has written already."""


class DynamoWriter:
    """Writes executions and metrics.

    Args:
        table: name of the table.
        dynamodb: client of the table's region.
        s3: client for what does not fit an item; None refuses such executions.
        bucket: where that goes.
        retention_days: days after which DynamoDB removes an execution; None keeps it.
        host: what to record as the process; the function's log stream if None.
    """

    def __init__(
        self,
        table: str,
        *,
        dynamodb: AwsClient | None = None,
        s3: AwsClient | None = None,
        bucket: str | None = None,
        retention_days: int | None = 30,
        host: str | None = None,
    ) -> None:
        self.table = table
        self.dynamodb = dynamodb or AwsClient("dynamodb")
        self.s3 = s3
        self.bucket = bucket
        self.retention_days = retention_days
        self.host = host or os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "unknown")

    def put_started(self, record: ExecutionRecord, *, deadline: float | None = None) -> bool:
        """Keeps a start, unless the execution is there already; returns whether it was not.

        Args:
            record: the execution.
            deadline: when it must have ended, in seconds since the epoch: if it has not, its
                process has died.

        Raises:
            AwsError: the table cannot be written.
        """
        return self._put(self.item(record, deadline=deadline), "attribute_not_exists(pk)")

    def put_finished(self, record: ExecutionRecord, *, mine: bool = False) -> bool:
        """Keeps an execution as it is now, in place of what was kept of it, and counts it in the
        metrics if it has ended. Returns whether it was counted: an end that is there already is
        replaced, but not counted again. What a late host of a durable execution says changes
        nothing.

        Args:
            record: the execution.
            mine: whether nobody else can have kept an end of it, so that it can be counted while
                it is kept, not after that.

        Raises:
            AwsError: the table cannot be written.
        """
        item = self.item(record)
        in_time = _IN_TIME if record.fence else None
        if not record.status.ended:
            self._put(item, in_time)
            return False
        metrics = roll_up([record])
        new = _NEW_END if in_time is None else f"{_NEW_END} AND {in_time}"
        put = self._begin_put(item, new)
        counted = [self._begin_count(each) for each in metrics] if mine else []
        try:
            is_new = _held(put)
        finally:
            for each in counted:
                each()
        if not is_new:
            self._put(item, in_time)
        elif not mine:
            for each in metrics:
                self.add_metrics(each)
        return is_new or mine

    def add_metrics(self, metrics: HourlyMetrics) -> None:
        """Adds to a workflow's hour; concurrent additions are all counted.

        Raises:
            AwsError: the table cannot be written.
        """
        self._begin_count(metrics)()

    def _begin_count(self, metrics: HourlyMetrics) -> Answer:
        added: dict[str, float] = {
            "n": metrics.count,
            "ok": metrics.success,
            "bad": metrics.error,
            "total": metrics.total,
            **{f"b{bin}": count for bin, count in metrics.sketch.bins()},
        }
        names = {f"#{index}": name for index, name in enumerate(added)}
        values = {f":{index}": {"N": repr(value)} for index, value in enumerate(added.values())}
        return self.dynamodb.begin(
            "UpdateItem",
            {
                "TableName": self.table,
                "Key": {"pk": {"S": metrics_key(metrics.workflow, metrics.hour)}},
                "UpdateExpression": "ADD "
                + ", ".join(f"#{index} :{index}" for index in range(len(added)))
                + " SET #workflow = :workflow, #hour = :hour",
                "ExpressionAttributeNames": {**names, "#workflow": "metricsOf", "#hour": "hour"},
                "ExpressionAttributeValues": {
                    **values,
                    ":workflow": {"S": metrics.workflow},
                    ":hour": {"N": str(metrics.hour)},
                },
            },
        )

    def item(self, record: ExecutionRecord, *, deadline: float | None = None) -> Item:
        """An execution as an item; what does not fit it is put into the bucket.

        Raises:
            AwsError: there is no bucket, or it cannot be written.
        """
        status = record.status
        item: Item = {
            "pk": {"S": execution_key(record.id)},
            "id": {"S": record.id},
            "workflow": {"S": record.workflow},
            "shard": {"S": shard_of(record.id)},
            "place": {"S": sort_key(record.started, record.id)},
            "trigger": {"S": record.trigger},
            "status": {"S": status.value},
            "started": {"N": repr(record.started)},
            "revision": {"S": record.revision},
            "host": {"S": record.host},
        }
        if status != Status.SUCCESS:
            item["state"] = {"S": state_key(status, shard_of(record.id))}
        if record.finished is not None:
            item["finished"] = {"N": repr(record.finished)}
        if record.parent is not None:
            item["parent"] = {"S": record.parent}
        if deadline is not None:
            item["deadline"] = {"N": repr(deadline)}
        if record.durable:
            item["durable"] = {"BOOL": True}
        if record.fence:
            item["fence"] = {"N": str(record.fence)}
        if self.retention_days is not None and (status.ended or not record.durable):
            end = record.finished or time.time()
            item["expires"] = {"N": str(int(end) + self.retention_days * DAY)}
        room = ITEM_LIMIT
        for name, block in zip(BLOCKS, _blocks(record), strict=True):
            if block is None:
                continue
            if len(block) <= room:
                item[name] = {"B": b64encode(block).decode("ascii")}
                room -= len(block)
            else:
                item[f"{name}At"] = {"S": self._overflow(record, name, block)}
        return item

    def _put(self, item: Item, condition: str | None) -> bool:
        """Puts an item; False if the condition does not hold."""
        return _held(self._begin_put(item, condition))

    def _begin_put(self, item: Item, condition: str | None) -> Answer:
        request: dict[str, Any] = {"TableName": self.table, "Item": item}
        if condition is not None:
            request["ConditionExpression"] = condition
            values: Item = {}
            if "#s" in condition:
                request["ExpressionAttributeNames"] = {"#s": "status"}
                values = {f":{status.value}": {"S": status.value} for status in GOING_ON}
            if ":fence" in condition:
                values[":fence"] = item["fence"]
            if values:
                request["ExpressionAttributeValues"] = values
        return self.dynamodb.begin("PutItem", request)

    def _overflow(self, record: ExecutionRecord, name: str, block: bytes) -> str:
        """Puts a block in the bucket and returns its key."""
        if self.s3 is None or self.bucket is None:
            message = f"execution {record.id} is too large for an item and there is no bucket"
            raise AwsError("dynamodb", "ItemTooLarge", message, 400)
        day = time.strftime("%Y-%m-%d", time.gmtime(record.started))
        key = f"history/{day}/{record.id}/{name}"
        self.s3.request("PUT", f"/{self.bucket}/{key}", body=block)
        return key


def _held(put: Answer) -> bool:
    """Whether the condition of a write held; waits for it.

    Raises:
        AwsError: the table cannot be written.
    """
    try:
        put()
    except AwsError as error:
        if error.code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def execution_key(id: str) -> str:
    """Partition key of an execution."""
    return f"X#{id}"


def metrics_key(workflow: str, hour: int) -> str:
    """Partition key of a workflow's hour, which starts at `hour` seconds since the epoch."""
    return f"M#{workflow}#{hour}"


def sort_key(started: float, id: str) -> str:
    """Sorts executions by start, then id: microseconds with leading zeros."""
    return f"{round(started * 1_000_000):020}#{id}"


def shard_of(id: str) -> str:
    """The shard of the indexes over all executions that one belongs to."""
    return str(zlib.crc32(id.encode()) % SHARDS)


def state_key(status: Status, shard: str) -> str:
    """Partition key of the index of executions that have not succeeded."""
    return f"{status.value}#{shard}"


def _blocks(record: ExecutionRecord) -> tuple[bytes | None, ...]:
    """The compressed parts of an execution, as `BLOCKS` lists them."""
    return (
        deflate(record.error.encode()) if record.error is not None else None,
        deflate(record.audit.encode()) if record.audit is not None else None,
        pack_data(record.input, record.output),
        pack(record.steps),
    )
