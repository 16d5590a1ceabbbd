"""logic.switch: one way out of many."""

from __future__ import annotations

from .types import Kind, NodeType, Param, Signal, Type

NODE = NodeType(
    "logic.switch",
    Kind.SWITCH,
    "Switch",
    "Goes the way of the first case that fits, or `default`. Each case is a signal output of its name.",
    params=(
        Param(
            "value",
            Type.ANY,
            "The value that is compared with each case's `value`; not needed where all have `when`.",
        ),
        Param(
            "cases",
            Type.ARRAY,
            "The cases in order of precedence.",
            required=True,
            items=Param(
                "case",
                Type.OBJECT,
                "One case, with either `value` or `when`.",
                fields=(
                    Param(
                        "name",
                        Type.STRING,
                        "Name of the case and of its signal output.",
                        required=True,
                        literal=True,
                    ),
                    Param("value", Type.ANY, "Fits if the node's `value` equals this."),
                    Param(
                        "when",
                        Type.CONDITION,
                        "Fits if this condition holds: an expression, or groups as in `logic.if`.",
                    ),
                ),
            ),
        ),
    ),
    signals_out=(Signal("default", "No case fits."),),
    dynamic_outputs="cases",
    category="logic",
    example={
        "value": "{{ order.body.tier }}",
        "cases": [{"name": "gold", "value": "G"}, {"name": "silver", "value": "S"}],
    },
)
