"""Executions in DynamoDB: the whole store, for consoles, command lines and tests."""

from __future__ import annotations

import contextlib
import time
from base64 import b64decode
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from nodegx.runtime.aws.client import AwsError
from nodegx.runtime.deflate import inflate

from .dynamodb_items import (
    BLOCKS,
    DynamoWriter,
    Item,
    execution_key,
    metrics_key,
    sort_key,
)
from .dynamodb_lists import candidates, matches, pages
from .metrics import HourlyMetrics, roll_up
from .packing import unpack, unpack_data
from .record import ExecutionRecord, Status
from .sketch import Sketch
from .store import (
    INTERRUPTED_ERROR,
    Page,
    Query,
    StoreUnavailable,
    decode_cursor,
    encode_cursor,
)

READ = 100  # items that one BatchGetItem may ask for
WRITTEN = 25  # items that one BatchWriteItem may change
PAUSE = 0.02  # seconds before the rest of a batch is asked for again; doubles each time
RUNNING = Status.RUNNING

_LISTED = (
    *("id", "workflow", "trigger", "status", "started", "finished", "parent", "revision"),
    *("host", "deadline", "error", "errorAt", "durable", "audit", "auditAt", "fence"),
)
_DATA = ("data", "dataAt")
_STEPS = ("steps", "stepsAt")


class DynamoHistory(DynamoWriter):
    """A `HistoryStore` in one DynamoDB table.

    Executions whose process has passed its deadline are shown as interrupted, whoever looks;
    `interrupt_overdue` puts that on record.
    """

    def write(
        self,
        started: Sequence[ExecutionRecord],
        finished: Sequence[ExecutionRecord],
        *,
        synced: bool = False,
    ) -> None:
        """See `HistoryStore`. DynamoDB keeps what it took before a failure; writing the same again
        completes it. What it took is safe."""
        with _unavailable(self.table):
            starts = {record.id: record for record in started}
            ends = {record.id: record for record in finished}
            known = self._statuses([*starts, *(id for id in ends if id not in starts)])
            begun = {id for id, status in known.items() if status is not Status.QUEUED}
            fresh = starts.keys() - begun - ends.keys()
            self._change(_put(self.item(starts[id])) for id in fresh)
            ids = iter(ends)
            while part := list(islice(ids, WRITTEN)):
                self._change(_put(self.item(ends[id])) for id in part)
                new = [ends[id] for id in part if not known.get(id, RUNNING).ended]
                for metrics in roll_up(new):
                    self.add_metrics(metrics)

    def get(self, id: str) -> ExecutionRecord | None:
        """See `HistoryStore`."""
        with _unavailable(self.table):
            return next(self._load([id], (*_LISTED, *_DATA, *_STEPS)), None)

    def list(self, query: Query, *, limit: int = 50, cursor: str | None = None) -> Page:
        """See `HistoryStore`."""
        before = None if cursor is None else sort_key(*decode_cursor(cursor))
        names = _LISTED if query.text is None else (*_LISTED, *_DATA)
        with _unavailable(self.table):
            found = self._matching(query, names, before=before, batch=min(READ, limit + 1))
            records = list(islice(found, limit + 1))
        more = len(records) > limit
        records = records[:limit]
        for record in records:
            record.input = record.output = None
        last = records[-1] if more and records else None
        return Page(records, encode_cursor(last.started, last.id) if last else None)

    def export(self, query: Query) -> Iterator[ExecutionRecord]:
        """See `HistoryStore`."""
        with _unavailable(self.table):
            yield from self._matching(query, (*_LISTED, *_DATA, *_STEPS))

    def delete(self, ids: Sequence[str]) -> int:
        """See `HistoryStore`; what executions have in the bucket goes too."""
        names = ("id", *(f"{name}At" for name in BLOCKS))
        with _unavailable(self.table):
            items = list(self._items(list(dict.fromkeys(ids)), names))
            for item in items:
                for name in BLOCKS:
                    if f"{name}At" in item and self.s3 is not None:
                        self.s3.request("DELETE", f"/{self.bucket}/{item[f'{name}At']['S']}")
            self._change(_delete(execution_key(item["id"]["S"])) for item in items)
        return len(items)

    def prune(self, before: float, *, workflow: str | None = None) -> int:
        """See `HistoryStore`."""
        removed = 0
        query = Query(workflow=workflow, until=before)
        with _unavailable(self.table):
            found = self._matching(query, _LISTED)
            old = (record.id for record in found if _ended_before(record, before))
            while ids := list(islice(old, READ)):
                removed += self.delete(ids)
        return removed

    def running_hosts(self) -> list[str]:
        """See `HistoryStore`."""
        with _unavailable(self.table):
            return sorted({record.host for record in self._running()})

    def mark_interrupted(self, host: str) -> int:
        """See `HistoryStore`."""
        with _unavailable(self.table):
            return self._interrupt(each for each in self._running() if each.host == host)

    def interrupt_overdue(self) -> int:
        """Puts on record that executions past their deadline were interrupted, and counts them in
        the metrics. Returns how many these were."""
        with _unavailable(self.table):
            return self._interrupt(each for each in self._running() if each.status != RUNNING)

    def metrics(
        self, *, workflow: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[HourlyMetrics]:
        """See `HistoryStore`."""
        low, high = 0.0 if since is None else since, 1e12 if until is None else until
        if high <= low:
            return []
        request: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": "byHour",
            "ExpressionAttributeNames": {"#h": "hour"},
            "ExpressionAttributeValues": {":low": {"N": repr(low)}, ":high": {"N": repr(high)}},
        }
        if workflow is None:
            request["FilterExpression"] = "#h BETWEEN :low AND :high"
        else:
            request["KeyConditionExpression"] = "#w = :w AND #h BETWEEN :low AND :high"
            request["ExpressionAttributeNames"]["#w"] = "metricsOf"
            request["ExpressionAttributeValues"][":w"] = {"S": workflow}
        with _unavailable(self.table):
            found = pages(self.dynamodb, "Scan" if workflow is None else "Query", request)
            keys = [metrics_key(item["metricsOf"]["S"], int(item["hour"]["N"])) for item in found]
            rows = [_metrics(item) for item in self._get(keys)]
        kept = [row for row in rows if low <= row.hour < high]
        return sorted(kept, key=lambda row: (row.hour, row.workflow))

    def close(self) -> None:
        """See `HistoryStore`."""
        self.dynamodb.close()
        if self.s3 is not None:
            self.s3.close()

    # --- executions ----------------------------------------------------------------------------

    def _matching(
        self, query: Query, names: Sequence[str], *, before: str | None = None, batch: int = READ
    ) -> Iterator[ExecutionRecord]:
        ids = candidates(self.dynamodb, self.table, query, before=before)
        while part := list(islice(ids, batch)):
            yield from (each for each in self._load(part, names) if matches(each, query))

    def _running(self) -> Iterator[ExecutionRecord]:
        """What is recorded as running and is not durable, overdue or not."""
        ids = candidates(self.dynamodb, self.table, Query(statuses=(RUNNING,)))
        while part := list(islice(ids, READ)):
            for item in self._items(part, (*_LISTED, *_DATA)):
                if item["status"]["S"] == RUNNING.value and "durable" not in item:
                    yield self._record(item)

    def _interrupt(self, records: Iterable[ExecutionRecord]) -> int:
        marked = 0
        for record in list(records):
            record.status, record.error = Status.INTERRUPTED, INTERRUPTED_ERROR
            marked += self.put_finished(record)
        return marked

    def _load(self, ids: Sequence[str], names: Sequence[str]) -> Iterator[ExecutionRecord]:
        """The executions that exist, in the order of their ids, as far as `names` go."""
        return (self._record(item) for item in self._items(ids, names))

    def _items(self, ids: Sequence[str], names: Sequence[str]) -> Iterator[Item]:
        keys = [execution_key(id) for id in ids]
        found = {item["id"]["S"]: item for item in self._get(keys, names)}
        return (found[id] for id in ids if id in found)

    def _statuses(self, ids: Sequence[str]) -> dict[str, Status]:
        items = self._items(ids, ("id", "status"))
        return {item["id"]["S"]: Status(item["status"]["S"]) for item in items}

    def _record(self, item: Item) -> ExecutionRecord:
        input, output = unpack_data(self._block(item, "data"))
        error, audit = self._block(item, "error"), self._block(item, "audit")
        record = ExecutionRecord(
            id=item["id"]["S"],
            workflow=item["workflow"]["S"],
            trigger=item["trigger"]["S"],
            status=Status(item["status"]["S"]),
            started=float(item["started"]["N"]),
            finished=_number(item, "finished"),
            parent=item["parent"]["S"] if "parent" in item else None,
            revision=item["revision"]["S"],
            input=input,
            output=output,
            error=None if error is None else inflate(error).decode(),
            steps=unpack(self._block(item, "steps")),
            host=item["host"]["S"],
            durable="durable" in item,
            fence=int(item["fence"]["N"]) if "fence" in item else 0,
            audit=None if audit is None else inflate(audit).decode(),
        )
        deadline = _number(item, "deadline")
        overdue = deadline is not None and deadline < time.time()
        if overdue and record.status == RUNNING and not record.durable:
            record.status, record.error = Status.INTERRUPTED, INTERRUPTED_ERROR
        return record

    def _block(self, item: Item, name: str) -> bytes | None:
        if name in item:
            return b64decode(item[name]["B"])
        place = item.get(f"{name}At")
        if place is None or self.s3 is None:
            return None
        try:
            return self.s3.request("GET", f"/{self.bucket}/{place['S']}").body
        except AwsError as error:
            if error.code == "NoSuchKey":  # the bucket's retention was faster than the table's
                return None
            raise

    # --- requests ------------------------------------------------------------------------------

    def _get(self, keys: Sequence[str], names: Sequence[str] = ()) -> Iterator[Item]:
        """The items that exist of these keys, in no order; all attributes or those named."""
        for begin in range(0, len(keys), READ):
            asked: dict[str, Any] = {
                "Keys": [{"pk": {"S": key}} for key in keys[begin : begin + READ]],
                "ConsistentRead": True,
            }
            if names:
                asked["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
                asked["ProjectionExpression"] = ", ".join(f"#{name}" for name in names)
            for answer in self._batch("BatchGetItem", {self.table: asked}, "UnprocessedKeys"):
                yield from answer["Responses"].get(self.table, [])

    def _change(self, requests: Iterable[dict[str, Any]]) -> None:
        """Puts and deletes items, many at a time."""
        rest = iter(requests)
        while part := list(islice(rest, WRITTEN)):
            for _ in self._batch("BatchWriteItem", {self.table: part}, "UnprocessedItems"):
                pass

    def _batch(self, operation: str, wanted: Any, rest: str) -> Iterator[dict[str, Any]]:
        """The answers to a batch, which DynamoDB may do in parts."""
        delay = PAUSE
        while True:
            answer = self.dynamodb.call(operation, {"RequestItems": wanted})
            yield answer
            wanted = answer.get(rest)
            if not wanted:
                return
            time.sleep(delay)
            delay = min(2 * delay, 100 * PAUSE)


@contextlib.contextmanager
def _unavailable(table: str) -> Generator[None]:
    """Turns failures that may pass into `StoreUnavailable`."""
    try:
        yield
    except AwsError as error:
        if error.retriable:
            raise StoreUnavailable(f"The history {table} is unavailable: {error}") from error
        raise


def _put(item: Item) -> dict[str, Any]:
    return {"PutRequest": {"Item": item}}


def _delete(key: str) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": {"pk": {"S": key}}}}


def _ended_before(record: ExecutionRecord, moment: float) -> bool:
    end = record.started if record.finished is None else record.finished
    return record.status.ended and end < moment


def _number(item: Item, name: str) -> float | None:
    return float(item[name]["N"]) if name in item else None


def _metrics(item: Item) -> HourlyMetrics:
    bins = {
        int(name[1:]): int(value["N"])
        for name, value in item.items()
        if name[0] == "b" and name[1:].lstrip("-").isdigit()
    }
    return HourlyMetrics(
        item["metricsOf"]["S"],
        int(item["hour"]["N"]),
        count=int(item["n"]["N"]),
        success=int(item["ok"]["N"]),
        error=int(item["bad"]["N"]),
        total=float(item["total"]["N"]),
        sketch=Sketch.of(bins),
    )
