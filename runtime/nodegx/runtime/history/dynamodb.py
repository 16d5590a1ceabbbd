"""Executions in DynamoDB: the whole store, for consoles, command lines and tests.

Lists use an index for the first condition that has one (parent, workflow and status, workflow,
day), filter what it does not cover, and walk backwards in time.
"""

from __future__ import annotations

import calendar
import heapq
import json
import time
import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .dynamodb_items import (
    DAY,
    DynamoWriter,
    Item,
    day_of,
    execution_key,
    sort_key,
)
from .metrics import HourlyMetrics
from .packing import unpack
from .record import ExecutionRecord, Status
from .sketch import Sketch
from .store import Page, Query, decode_cursor, encode_cursor

INDEXES: dict[str, tuple[str, str | None]] = {
    "byWorkflow": ("workflow", "place"),
    "byWorkflowStatus": ("workflowStatus", "place"),
    "byDay": ("day", "place"),
    "byParent": ("parent", "place"),
    "byHost": ("running", "place"),
    "byMetricsOf": ("metricsOf", "hour"),
}
"""Global secondary indexes: name -> partition key and sort key. All hold keys only, but
`byMetricsOf`, which holds everything."""

ATTRIBUTES = {"hour": "N"}
"""Types of key attributes that are not strings."""

BATCH = 100


def table_definition(table: str) -> dict[str, Any]:
    """The `CreateTable` request for a table of this store."""
    used = {"pk", *(name for keys in INDEXES.values() for name in keys if name)}
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": ATTRIBUTES.get(name, "S")}
            for name in sorted(used)
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in zip(keys, ("HASH", "RANGE"), strict=True)
                ],
                "Projection": {"ProjectionType": "ALL" if index == "byMetricsOf" else "KEYS_ONLY"},
            }
            for index, keys in INDEXES.items()
        ],
    }


class DynamoHistory(DynamoWriter):
    """A `HistoryStore` in one DynamoDB table.

    Executions whose process has passed its deadline are shown as interrupted.
    """

    def write(
        self, started: Sequence[ExecutionRecord], finished: Sequence[ExecutionRecord]
    ) -> None:
        """Keeps starts, then ends."""
        for record in started:
            self.put_started(record)
        for record in finished:
            self.put_finished(record)

    def get(self, id: str) -> ExecutionRecord | None:
        """One execution with its steps, or None."""
        return next(self._load([id], steps=True), None)

    def list(self, query: Query, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Executions, the latest first, without their steps."""
        before = None if cursor is None else sort_key(*decode_cursor(cursor))
        found = self._matching(query, before=before, steps=False)
        records = [record for record, _ in zip(found, range(limit + 1), strict=False)]
        more = len(records) > limit
        records = records[:limit]
        last = encode_cursor(records[-1].started, records[-1].id) if more and records else None
        return Page(records, last)

    def export(self, query: Query) -> Iterator[ExecutionRecord]:
        """All executions of a query with their steps, the latest first."""
        return self._matching(query, before=None, steps=True)

    def delete(self, ids: Sequence[str]) -> int:
        """Removes executions and what they have in the bucket. Returns how many there were."""
        removed = 0
        for id in dict.fromkeys(ids):
            answer = self.dynamodb.call(
                "DeleteItem",
                {
                    "TableName": self.table,
                    "Key": {"pk": {"S": execution_key(id)}},
                    "ReturnValues": "ALL_OLD",
                },
            )
            item: Item = answer.get("Attributes", {})
            removed += bool(item)
            for name in ("stepsAt", "dataAt"):
                if name in item and self.s3 is not None:
                    self.s3.request("DELETE", f"/{self.bucket}/{item[name]['S']}")
        return removed

    def prune(self, before: float, *, workflow: str | None = None) -> int:
        """Removes executions that ended before a time; those that run stay."""
        query = Query(workflow=workflow, until=before)
        old = [
            record.id
            for record in self._matching(query, before=None, steps=False)
            if record.finished is not None and record.finished < before
        ]
        return self.delete(old)

    def running_hosts(self) -> list[str]:
        """Hosts of the executions that are recorded as running."""
        request = {
            "TableName": self.table,
            "IndexName": "byHost",
            "ProjectionExpression": "#r",
            "ExpressionAttributeNames": {"#r": "running"},
        }
        return sorted({item["running"]["S"] for item in self._pages("Scan", request)})

    def mark_interrupted(self, host: str) -> int:
        """What the dead process `host` left running becomes interrupted."""
        keys = list(self._index("byHost", host, Query(), None))
        marked = 0
        for record in self._load([id for _, id in keys], steps=True):
            record.status = Status.INTERRUPTED
            record.finished = record.finished or time.time()
            self.put_finished(record)
            marked += 1
        return marked

    def metrics(
        self, *, workflow: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[HourlyMetrics]:
        """Metrics per workflow and hour, ascending by hour, then workflow."""
        low, high = since if since is not None else 0, until if until is not None else 10**12
        if workflow is None:
            items = self._pages(
                "Scan",
                {
                    "TableName": self.table,
                    "IndexName": "byMetricsOf",
                    "FilterExpression": "#h >= :low AND #h < :high",
                    "ExpressionAttributeNames": {"#h": "hour"},
                    "ExpressionAttributeValues": {
                        ":low": {"N": repr(low)},
                        ":high": {"N": repr(high)},
                    },
                },
            )
        else:
            items = self._pages(
                "Query",
                {
                    "TableName": self.table,
                    "IndexName": "byMetricsOf",
                    "KeyConditionExpression": "metricsOf = :w AND #h BETWEEN :low AND :high",
                    "ExpressionAttributeNames": {"#h": "hour"},
                    "ExpressionAttributeValues": {
                        ":w": {"S": workflow},
                        ":low": {"N": repr(low)},
                        ":high": {"N": repr(high)},
                    },
                },
            )
        found = [_metrics(item) for item in items]
        return sorted(
            (entry for entry in found if low <= entry.hour < high),
            key=lambda entry: (entry.hour, entry.workflow),
        )

    def close(self) -> None:
        """Nothing is open: connections close with the process."""

    # --- lists ---------------------------------------------------------------------------------

    def _matching(
        self, query: Query, *, before: str | None, steps: bool
    ) -> Iterator[ExecutionRecord]:
        batch: list[str] = []
        for _, id in self._keys(query, before):
            batch.append(id)
            if len(batch) == BATCH:
                yield from self._filtered(batch, query, steps)
                batch = []
        yield from self._filtered(batch, query, steps)

    def _filtered(self, ids: Sequence[str], query: Query, steps: bool) -> Iterator[ExecutionRecord]:
        return (record for record in self._load(ids, steps=steps) if matches(record, query))

    def _keys(self, query: Query, before: str | None) -> Iterator[tuple[str, str]]:
        """(sort key, id) of the candidates, the latest first."""
        if query.parent is not None:
            return self._index("byParent", query.parent, query, before)
        if query.workflow is not None and query.statuses:
            parts = [
                self._index("byWorkflowStatus", f"{query.workflow}#{status.value}", query, before)
                for status in (*dict.fromkeys((*query.statuses, *_derived_from(query.statuses))),)
            ]
            return heapq.merge(*parts, reverse=True)
        if query.workflow is not None:
            return self._index("byWorkflow", query.workflow, query, before)
        return self._by_day(query, before)

    def _by_day(self, query: Query, before: str | None) -> Iterator[tuple[str, str]]:
        """Walks the days back from the latest to the earliest that can hold anything."""
        latest = time.time() + DAY if query.until is None else query.until
        if before is not None:
            latest = min(latest, int(before.partition("#")[0]) / 1_000_000)
        earliest = query.since if query.since is not None else self._earliest()
        if earliest is None:
            return
        day = latest - latest % DAY
        while day + DAY > earliest:
            yield from self._index("byDay", day_of(day), query, before)
            day -= DAY

    def _earliest(self) -> float | None:
        """The start of the oldest day with an execution; None where there is none."""
        request = {
            "TableName": self.table,
            "IndexName": "byDay",
            "ProjectionExpression": "#d",
            "ExpressionAttributeNames": {"#d": "day"},
        }
        days = {item["day"]["S"] for item in self._pages("Scan", request)}
        if not days:
            return None
        year, month, day = map(int, min(days).split("-"))
        return float(calendar.timegm((year, month, day, 0, 0, 0)))

    def _index(
        self, index: str, value: str, query: Query, before: str | None
    ) -> Iterator[tuple[str, str]]:
        low = "" if query.since is None else sort_key(query.since, "")[:-1]
        high = "~" if query.until is None else sort_key(query.until, "")[:-1]
        if before is not None:
            high = min(high, before)
        partition = INDEXES[index][0]
        request = {
            "TableName": self.table,
            "IndexName": index,
            "KeyConditionExpression": "#p = :p AND #k BETWEEN :low AND :high",
            "ExpressionAttributeNames": {"#p": partition, "#k": "place"},
            "ExpressionAttributeValues": {
                ":p": {"S": value},
                ":low": {"S": low or " "},
                ":high": {"S": high},
            },
            "ScanIndexForward": False,
        }
        for item in self._pages("Query", request):
            place = item["place"]["S"]
            if place != before:
                yield place, place.partition("#")[2]

    def _pages(self, operation: str, request: dict[str, Any]) -> Iterator[Item]:
        start: Item | None = None
        while True:
            page = self.dynamodb.call(
                operation, {**request, **({"ExclusiveStartKey": start} if start else {})}
            )
            yield from page["Items"]
            start = page.get("LastEvaluatedKey")
            if not start:
                return

    # --- items ---------------------------------------------------------------------------------

    def _load(self, ids: Sequence[str], *, steps: bool) -> Iterator[ExecutionRecord]:
        """The executions that exist, in the order of their ids."""
        found: dict[str, Item] = {}
        for begin in range(0, len(ids), BATCH):
            wanted: Any = {
                self.table: {
                    "Keys": [{"pk": {"S": execution_key(id)}} for id in ids[begin : begin + BATCH]],
                    "ConsistentRead": True,
                }
            }
            while wanted:
                answer = self.dynamodb.call("BatchGetItem", {"RequestItems": wanted})
                for item in answer["Responses"].get(self.table, []):
                    found[item["id"]["S"]] = item
                wanted = answer.get("UnprocessedKeys")
        for id in ids:
            if id in found:
                yield self._record(found[id], steps=steps)

    def _record(self, item: Item, *, steps: bool) -> ExecutionRecord:
        details: dict[str, str] = {}
        block = self._block(item, "data")
        if block is not None:
            details = json.loads(zlib.decompress(block))
        record = ExecutionRecord(
            id=item["id"]["S"],
            workflow=item["workflow"]["S"],
            trigger=item["trigger"]["S"],
            status=Status(item["status"]["S"]),
            started=float(item["started"]["N"]),
            finished=_number(item, "finished"),
            parent=item["parent"]["S"] if "parent" in item else None,
            revision=item["revision"]["S"],
            input=details.get("input"),
            output=details.get("output"),
            error=details.get("error"),
            steps=unpack(self._block(item, "steps")) if steps else [],
            host=item["host"]["S"],
        )
        deadline = _number(item, "deadline")
        if record.status == Status.RUNNING and deadline is not None and deadline < time.time():
            record.status = Status.INTERRUPTED
            record.finished = deadline
        return record

    def _block(self, item: Item, name: str) -> bytes | None:
        if name in item:
            return b64decode(item[name]["B"])
        if f"{name}At" in item and self.s3 is not None:
            return self.s3.request("GET", f"/{self.bucket}/{item[f'{name}At']['S']}").body
        return None


def matches(record: ExecutionRecord, query: Query) -> bool:
    """Whether an execution meets every condition of a query."""
    if query.workflow is not None and record.workflow != query.workflow:
        return False
    if query.statuses and record.status not in query.statuses:
        return False
    if query.since is not None and record.started < query.since:
        return False
    if query.until is not None and record.started >= query.until:
        return False
    if query.parent is not None and record.parent != query.parent:
        return False
    if query.text is None:
        return True
    wanted = _fold(query.text)
    texts = (record.id, record.workflow, record.input, record.output, record.error)
    return any(wanted in _fold(text) for text in texts if text)


def _fold(text: str) -> str:
    """Lowers ASCII letters only, as `Query.text` promises."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def _derived_from(statuses: Iterable[Status]) -> tuple[Status, ...]:
    """Stored statuses that may turn out as the ones asked for."""
    return (Status.RUNNING,) if Status.INTERRUPTED in tuple(statuses) else ()


def _number(item: Item, name: str) -> float | None:
    return float(item[name]["N"]) if name in item else None


def _metrics(item: Item) -> HourlyMetrics:
    return HourlyMetrics(
        item["metricsOf"]["S"],
        int(float(item["hour"]["N"])),
        count=int(float(item["n"]["N"])),
        success=int(float(item["ok"]["N"])),
        error=int(float(item["bad"]["N"])),
        total=float(item["total"]["N"]),
        sketch=Sketch.of(
            {
                int(name[1:]): int(float(value["N"]))
                for name, value in item.items()
                if name[0] == "b" and name[1:].lstrip("-").isdigit()
            }
        ),
    )
