"""Finds executions in the indexes of the DynamoDB table, the latest first."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nodegx.runtime.aws.client import AwsClient

from .dynamodb_items import SHARDS, Item, state_key
from .dynamodb_table import INDEXES
from .record import ExecutionRecord, Status
from .store import Query, ascii_text

PAGE = 200
"""Keys that are read at a time: a page costs as much as it holds, wanted or not."""


def candidates(
    client: AwsClient, table: str, query: Query, *, before: str | None = None
) -> Iterator[str]:
    """Ids of the executions that may meet a query, the latest first: more than do, as indexes
    cover only some conditions, but each once.

    Args:
        client: DynamoDB.
        table: the table.
        query: what is looked for.
        before: a sort key; only what comes after it in the list.
    """
    low = "0" if query.since is None else f"{math.floor(query.since * 1e6):020}"
    high = "~" if query.until is None else f"{math.ceil(query.until * 1e6):020}"
    high = high if before is None else min(high, before)
    if high < low:
        return
    extra: dict[str, Any] = {}
    index, partitions = _partitions(query)
    if index == "byStatus" and query.workflow is not None:
        extra = {"workflow": query.workflow}
    found = [_walk(client, table, index, each, low, high, extra) for each in partitions]
    last = before
    for place in heapq.merge(*found, reverse=True):
        # While an execution moves from one partition to another it may be seen in both.
        if place != last:
            yield place.partition("#")[2]
        last = place


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
    return query.text is None or _occurs(query.text, record)


def pages(client: AwsClient, operation: str, request: Mapping[str, Any]) -> Iterator[Item]:
    """All items of a `Query` or `Scan`, however many pages they take."""
    start: Item | None = None
    while True:
        page = client.call(operation, {**request, "ExclusiveStartKey": start} if start else request)
        yield from page["Items"]
        start = page.get("LastEvaluatedKey")
        if not start:
            return


def _partitions(query: Query) -> tuple[str, list[str]]:
    """The index that narrows a query best, and its partitions to look at."""
    shards = [str(number) for number in range(SHARDS)]
    if query.parent is not None:
        return "byParent", [query.parent]
    if query.statuses and Status.SUCCESS not in query.statuses:
        stored = _stored(query.statuses)
        return "byStatus", [state_key(status, shard) for status in stored for shard in shards]
    if query.workflow is not None:
        return "byWorkflow", [query.workflow]
    return "byTime", shards


def _stored(statuses: Iterable[Status]) -> list[Status]:
    """Statuses in the table that may turn out as the ones asked for: an execution past its
    deadline is still stored as running."""
    wanted = dict.fromkeys(statuses)
    if Status.INTERRUPTED in wanted:
        wanted[Status.RUNNING] = None
    return list(wanted)


def _walk(
    client: AwsClient,
    table: str,
    index: str,
    partition: str,
    low: str,
    high: str,
    equal: Mapping[str, str],
) -> Iterator[str]:
    """The sort keys in one partition of an index from `high` down to `low`."""
    names = {"#p": INDEXES[index].partition, "#k": "place"}
    values = {":p": {"S": partition}, ":low": {"S": low}, ":high": {"S": high}}
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": index,
        "KeyConditionExpression": "#p = :p AND #k BETWEEN :low AND :high",
        "ScanIndexForward": False,
        "Limit": PAGE,
    }
    for number, (name, value) in enumerate(equal.items()):
        names[f"#f{number}"], values[f":f{number}"] = name, {"S": value}
        request["FilterExpression"] = f"#f{number} = :f{number}"
    request |= {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    return (item["place"]["S"] for item in pages(client, "Query", request))


def _occurs(text: str, record: ExecutionRecord) -> bool:
    raw, quoted = _fold(text), _fold(ascii_text(text))
    return any(raw in _fold(each) for each in (record.id, record.workflow)) or any(
        quoted in _fold(each) for each in (record.input, record.output, record.error) if each
    )


def _fold(text: str) -> str:
    """Lowers ASCII letters only, as `Query.text` promises."""
    return text.lower() if text.isascii() else "".join(c.lower() if c < "\x80" else c for c in text)
