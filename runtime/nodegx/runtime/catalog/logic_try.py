"""logic.try: steps whose failure is handled."""

from __future__ import annotations

from .types import DONE, Kind, NodeType, Signal

NODE = NodeType(
    "logic.try",
    Kind.TRY,
    "Try",
    "Runs the nodes behind `try`; if one of them fails, those behind `catch`, where `error` tells "
    "why; in any case those behind `finally`.",
    signals_out=(
        Signal("try", "Starts the guarded nodes."),
        Signal(
            "catch",
            "One of them has failed. Unwired, the error propagates after `finally`.",
            optional=True,
        ),
        Signal("finally", "Follows in every case, last.", optional=True),
        DONE,
    ),
    category="logic",
)
