"""logic.stop: the end of the run."""

from __future__ import annotations

from .types import Kind, NodeType, Param, Type

NODE = NodeType(
    "logic.stop",
    Kind.STOP,
    "Stop",
    "Ends the run here: as a success, or with an error that an enclosing Try can catch.",
    params=(
        Param(
            "status",
            Type.STRING,
            "How the run ends: `success` or `error`. Default `success`.",
            default="success",
            choices=("success", "error"),
            literal=True,
        ),
        Param(
            "message",
            Type.STRING,
            "Why, for the history and the error. Default: no message.",
        ),
    ),
    signals_out=(),
    call="run.stop",
    category="logic",
    example={"status": "error", "message": "Order {{ order.body.id }} has no lines"},
)
