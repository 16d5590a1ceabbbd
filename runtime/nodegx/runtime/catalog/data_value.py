"""data.value: a value with a name."""

from __future__ import annotations

from .types import Kind, NodeType, Output, Param, Type

NODE = NodeType(
    "data.value",
    Kind.PURE,
    "Value",
    "Names a value for others to use. It has no signals: it is evaluated wherever it is used.",
    params=(Param("value", Type.ANY, "The value: any JSON, with templates in it.", required=True),),
    outputs=(Output("value", Type.ANY, "The value.", whole=True),),
    signals_in=(),
    signals_out=(),
    category="data",
    example={"value": {"total": "{{ order.body.net * 1.19 }}", "currency": "EUR"}},
)
