"""trigger.record: changes of a table's records."""

from __future__ import annotations

from . import checks, idempotency
from .comparisons import filter_param
from .types import Kind, NodeType, Output, Param, Signal, Type

NODE = NodeType(
    "trigger.record",
    Kind.TRIGGER,
    "Record change",
    "Starts the workflow for each change of a table's records, in the order in which each record "
    "changed. A change whose execution fails is tried again before later ones.",
    params=(
        Param(
            "table",
            Type.STRING,
            "Name of the table, which the deployment makes. Or the ARN of the stream of a table "
            "that exists.",
            required=True,
            literal=True,
            check=checks.table,
            examples=("orders",),
        ),
        Param(
            "events",
            Type.STRING,
            "Which changes are watched, or a list: `insert`, `modify`, `remove`. Default: all.",
            choices=("insert", "modify", "remove"),
            many=True,
            literal=True,
        ),
        Param(
            "startFrom",
            Type.STRING,
            "Where a new deployment begins: with the changes that come (`latest`), or with the "
            "oldest that the table remembers, about a day (`earliest`). Default `latest`.",
            default="latest",
            choices=("latest", "earliest"),
            literal=True,
        ),
        Param(
            "batchSize",
            Type.INTEGER,
            "Most changes that are fetched at a time; each is an execution of its own. Default 10.",
            default=10,
            minimum=1,
            maximum=1000,
            literal=True,
        ),
        filter_param(
            "Comparisons that must all hold for the change. Default: every change is taken.",
            "Where the value is: keys joined by dots, from `new`, `old` or `keys` on: `new.status`.",
        ),
        idempotency.KEYED,
    ),
    outputs=(
        Output("event", Type.STRING, "What happened: `insert`, `modify` or `remove`."),
        Output("keys", Type.OBJECT, "The record's key attributes."),
        Output("new", Type.OBJECT, "The record after the change; null if it was removed."),
        Output("old", Type.OBJECT, "The record before the change; null if it was inserted."),
    ),
    signals_in=(),
    signals_out=(Signal("received", "A record has changed."),),
    targets=frozenset({"aws"}),
    category="triggers",
    example={
        "table": "orders",
        "events": ["insert", "modify"],
        "filter": [{"path": "new.status", "value": "paid"}],
    },
)
