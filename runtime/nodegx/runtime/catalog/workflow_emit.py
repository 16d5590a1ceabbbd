"""workflow.emit: news for whoever listens."""

from __future__ import annotations

from . import checks
from .types import Kind, NodeType, Output, Param, Type

NODE = NodeType(
    "workflow.emit",
    Kind.ACTION,
    "Emit event",
    "Publishes an event, which starts every workflow whose Event trigger matches it. It does not "
    "wait for them.",
    params=(
        Param(
            "event",
            Type.STRING,
            "Name of the event.",
            required=True,
            literal=True,
            pattern=r"[^\s*]+",
            check=checks.event_pattern,
            examples=("order.created",),
        ),
        Param("data", Type.ANY, "What goes with it. Default null."),
    ),
    outputs=(Output("id", Type.STRING, "Id of the event.", whole=True),),
    call="run.emit",
    positional=("event", "data"),
    category="workflow",
    example={"event": "order.created", "data": {"id": "{{ order.body.id }}"}},
)
