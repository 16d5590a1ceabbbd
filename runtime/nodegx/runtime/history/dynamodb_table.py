"""The table that executions are kept in: its keys and indexes, as data for whoever makes it."""

from __future__ import annotations

from typing import Any, NamedTuple

KEY = "pk"
EXPIRES = "expires"
"""The attribute that tells DynamoDB when to remove an item."""


class Index(NamedTuple):
    """A global secondary index. It holds the keys and the attributes in `include`; all key
    attributes are strings but those in `NUMBERS`."""

    partition: str
    sort: str
    include: tuple[str, ...] = ()


INDEXES: dict[str, Index] = {
    "byTime": Index("shard", "place"),
    "byWorkflow": Index("workflow", "place"),
    "byStatus": Index("state", "place", ("workflow", "of", "target")),
    "byParent": Index("parent", "place"),
    "byHour": Index("metricsOf", "hour"),
    "byRun": Index("runs", "run", ("of", "status", "caller", "revision")),
}
"""Every index by its name. `byStatus` leaves out what succeeded; `byHour` holds metrics, and being
without their values it is written once an hour and workflow. `byRun`, and what `byStatus` includes
besides the workflow, are of unfinished executions: see `durable.dynamodb_items`."""

NUMBERS = frozenset({"hour"})


def table_definition(table: str) -> dict[str, Any]:
    """The `CreateTable` request for a table of this store."""
    used = {KEY, *(name for index in INDEXES.values() for name in (index.partition, index.sort))}
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "N" if name in NUMBERS else "S"}
            for name in sorted(used)
        ],
        "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": index.partition, "KeyType": "HASH"},
                    {"AttributeName": index.sort, "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": list(index.include),
                }
                if index.include
                else {"ProjectionType": "KEYS_ONLY"},
            }
            for name, index in INDEXES.items()
        ],
    }
