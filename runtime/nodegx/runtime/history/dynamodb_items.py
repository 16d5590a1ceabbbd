"""Executions as DynamoDB items, and the writing half of that store.

One table holds both kinds of items, told apart by the prefix of the partition key `pk`:

- `X#<id>`: an execution. `data` and `steps` are compressed; where they do not fit an item they
  are objects in a bucket, named by `dataAt` and `stepsAt`. `expires` removes the item in time.
  `running` holds the host only while the execution runs, so that its index is small.
- `M#<workflow>#<hour>`: a workflow's metrics of an hour, only ever added to. Each bin of the
  sketch is an attribute `b<bin>`, so concurrent writers need no lock.

A function writes through this module alone; reading is in `dynamodb`.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from nodegx.runtime.aws.client import AwsClient, AwsError

from .metrics import HourlyMetrics, roll_up
from .packing import pack
from .record import ExecutionRecord, Status

Item = dict[str, dict[str, Any]]

ITEM_LIMIT = 350_000
"""Bytes of compressed data an item may carry; DynamoDB refuses items above 400 KB."""

DAY = 86_400


class DynamoWriter:
    """Writes executions and metrics.

    Args:
        table: name of the table.
        dynamodb: client of the table's region.
        s3: client for what does not fit an item; None refuses such executions' details.
        bucket: where that goes.
        retention_days: days after which DynamoDB removes an execution; None keeps it.
        host: what to record as the process.
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

    def put_started(self, record: ExecutionRecord, *, deadline: float | None = None) -> None:
        """Keeps a start, unless the execution is there already.

        Args:
            record: the execution.
            deadline: when it must have ended, in seconds since the epoch: if it has not, its
                process has died.
        """
        item = self._item(record)
        if deadline is not None:
            item["deadline"] = {"N": repr(deadline)}
        self._put(item, "attribute_not_exists(pk)")

    def put_finished(self, record: ExecutionRecord) -> None:
        """Keeps an end, in place of its start, and counts it."""
        item = self._item(record)
        if self._put(item, "attribute_not_exists(pk) OR #s = :running"):
            for metrics in roll_up([record]):
                self.add_metrics(metrics)
        else:
            self._put(item, None)

    def add_metrics(self, metrics: HourlyMetrics) -> None:
        """Adds to a workflow's hour; concurrent additions are all counted."""
        added: dict[str, float] = {
            "n": metrics.count,
            "ok": metrics.success,
            "bad": metrics.error,
            "total": metrics.total,
            **{f"b{bin}": count for bin, count in metrics.sketch.bins()},
        }
        names = {f"#{index}": name for index, name in enumerate(added)}
        values = {f":{index}": {"N": repr(value)} for index, value in enumerate(added.values())}
        self.dynamodb.call(
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

    def _put(self, item: Item, condition: str | None) -> bool:
        """Puts an item; False if the condition does not hold."""
        request: dict[str, Any] = {"TableName": self.table, "Item": item}
        if condition is not None:
            request["ConditionExpression"] = condition
            if "#s" in condition:
                request["ExpressionAttributeNames"] = {"#s": "status"}
                request["ExpressionAttributeValues"] = {":running": {"S": Status.RUNNING.value}}
        try:
            self.dynamodb.call("PutItem", request)
        except AwsError as error:
            if error.code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _item(self, record: ExecutionRecord) -> Item:
        place = sort_key(record.started, record.id)
        item: Item = {
            "pk": {"S": execution_key(record.id)},
            "id": {"S": record.id},
            "workflow": {"S": record.workflow},
            "workflowStatus": {"S": f"{record.workflow}#{record.status.value}"},
            "day": {"S": day_of(record.started)},
            "place": {"S": place},
            "trigger": {"S": record.trigger},
            "status": {"S": record.status.value},
            "started": {"N": repr(record.started)},
            "revision": {"S": record.revision},
            "host": {"S": record.host or self.host},
        }
        if record.finished is not None:
            item["finished"] = {"N": repr(record.finished)}
        if record.parent is not None:
            item["parent"] = {"S": record.parent}
        if record.status == Status.RUNNING:
            item["running"] = {"S": record.host or self.host}
        if self.retention_days is not None:
            end = record.finished or time.time()
            item["expires"] = {"N": str(int(end) + self.retention_days * DAY)}
        details = {"input": record.input, "output": record.output, "error": record.error}
        blocks = {"steps": pack(record.steps), "data": compress(details)}
        room = ITEM_LIMIT
        for name, block in blocks.items():
            if block is None:
                continue
            if len(block) <= room:
                item[name] = binary(block)
                room -= len(block)
            else:
                item[f"{name}At"] = {"S": self._overflow(record, name, block)}
        return item

    def _overflow(self, record: ExecutionRecord, name: str, block: bytes) -> str:
        """Puts a block in the bucket and returns its key.

        Raises:
            AwsError: there is no bucket.
        """
        if self.s3 is None or self.bucket is None:
            message = f"execution {record.id} is too large for an item and there is no bucket"
            raise AwsError("dynamodb", "ItemTooLarge", message, 400)
        key = f"history/{day_of(record.started)}/{record.id}/{name}"
        self.s3.request("PUT", f"/{self.bucket}/{key}", body=block)
        return key


def execution_key(id: str) -> str:
    """Partition key of an execution."""
    return f"X#{id}"


def metrics_key(workflow: str, hour: int) -> str:
    """Partition key of a workflow's hour, which starts at `hour` seconds since the epoch."""
    return f"M#{workflow}#{hour}"


def sort_key(started: float, id: str) -> str:
    """Sorts executions by start, then id: microseconds with leading zeros."""
    return f"{round(started * 1_000_000):020}#{id}"


def day_of(seconds: float) -> str:
    """The UTC day of a time in seconds since the epoch, as `2026-11-23`."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def compress(details: Mapping[str, str | None]) -> bytes | None:
    """JSON texts by name as one compressed block; None if there are none."""
    kept = {name: text for name, text in details.items() if text is not None}
    return zlib.compress(json.dumps(kept).encode(), 1) if kept else None


def binary(block: bytes) -> dict[str, str]:
    """A binary attribute, as it goes over the wire."""
    return {"B": b64encode(block).decode("ascii")}
