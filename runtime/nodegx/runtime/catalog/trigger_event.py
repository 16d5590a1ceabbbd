"""trigger.event: something another workflow announced."""

from __future__ import annotations

from . import checks, idempotency
from .comparisons import filter_param
from .types import Kind, NodeType, Output, Param, Signal, Type

NODE = NodeType(
    "trigger.event",
    Kind.TRIGGER,
    "Event",
    "Starts the workflow for each event of a name that an Emit event node publishes.",
    params=(
        Param(
            "event",
            Type.STRING,
            "Name of the event; a final `*` accepts every name that begins so.",
            required=True,
            literal=True,
            check=checks.event_pattern,
            examples=("order.created", "order.*"),
        ),
        filter_param(
            "Comparisons that must all hold for the event's data. Default: every event is taken.",
            "Where the value is in the data, keys and indexes joined by dots: `customer.tier`.",
        ),
        idempotency.KEYED,
    ),
    outputs=(
        Output("name", Type.STRING, "Name of the event."),
        Output("data", Type.ANY, "What was published with it."),
        Output("id", Type.STRING, "Id of the event, unique."),
        Output("time", Type.STRING, "When it was published, in ISO 8601."),
        Output("source", Type.STRING, "Id of the execution that published it."),
    ),
    signals_in=(),
    signals_out=(Signal("received", "An event has arrived."),),
    category="triggers",
    example={
        "event": "order.*",
        "filter": [{"path": "customer.tier", "op": "in", "value": ["gold", "platinum"]}],
    },
)
