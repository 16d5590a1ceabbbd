"""logic.merge: where concurrent branches come together."""

from __future__ import annotations

from .types import DONE, Kind, NodeType, Param, Type

NODE = NodeType(
    "logic.merge",
    Kind.MERGE,
    "Merge",
    "Brings concurrent branches together again.",
    params=(
        Param(
            "mode",
            Type.STRING,
            "`all` goes on when every branch has ended and at least one has arrived here; `any` goes "
            "on with the first arrival and cancels the others. Default `all`.",
            default="all",
            choices=("all", "any"),
            literal=True,
        ),
    ),
    signals_out=(DONE,),
    category="logic",
    example={"mode": "all"},
)
