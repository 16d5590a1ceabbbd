"""logic.if: one way or the other."""

from __future__ import annotations

from .types import Kind, NodeType, Param, Signal, Type

NODE = NodeType(
    "logic.if",
    Kind.IF,
    "If",
    "Goes one of two ways, as a condition tells.",
    params=(
        Param(
            "condition",
            Type.CONDITION,
            "What decides: an expression, or a comparison `{left, op, right}` with the operators of "
            "`trigger.event`, or such conditions in groups `{all: [...]}`, `{any: [...]}` and "
            "`{not: ...}`.",
            required=True,
        ),
    ),
    signals_out=(
        Signal("true", "The condition holds."),
        Signal("false", "The condition does not hold."),
    ),
    category="logic",
    example={"condition": "{{ order.body.total > 100 and order.body.country != 'DE' }}"},
)
