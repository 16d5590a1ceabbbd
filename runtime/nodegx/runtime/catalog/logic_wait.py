"""logic.wait: a pause."""

from __future__ import annotations

from . import checks
from .types import Alternatives, Kind, NodeType, Param, Type

NODE = NodeType(
    "logic.wait",
    Kind.ACTION,
    "Wait",
    "Pauses the run for a length of time, or until a moment.",
    params=(
        Param(
            "duration",
            Type.DURATION,
            "How long to wait, in seconds or as text with a unit.",
            check=checks.duration,
            argument="seconds",
            examples=("500ms", "5s", 2.5),
        ),
        Param(
            "until",
            Type.STRING,
            "When to go on, in ISO 8601; without an offset it is in the workflow's time zone. A "
            "moment in the past does not wait.",
            check=checks.moment,
            examples=("2026-05-01T08:00:00+02:00",),
        ),
    ),
    alternatives=(Alternatives(("duration", "until"), required=True),),
    call="run.wait",
    category="logic",
    example={"duration": "5s"},
)
