"""data.set: a value computed at one point of the run."""

from __future__ import annotations

from .types import Kind, NodeType, Output, Param, Type

NODE = NodeType(
    "data.set",
    Kind.ACTION,
    "Set",
    "Computes a value when it is reached and keeps it under the node's name.",
    params=(Param("value", Type.ANY, "The value: any JSON, with templates in it.", required=True),),
    outputs=(Output("value", Type.ANY, "The value.", whole=True),),
    call="data.set",
    positional=("value",),
    category="data",
    example={"value": {"id": "{{ order.body.id }}", "seen": "{{ now() }}"}},
)
