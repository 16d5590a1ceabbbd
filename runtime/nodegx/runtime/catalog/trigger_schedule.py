"""trigger.schedule: at times of the clock, or in a steady rhythm."""

from __future__ import annotations

from . import checks
from .types import Alternatives, Kind, NodeType, Output, Param, Signal, Type

NODE = NodeType(
    "trigger.schedule",
    Kind.TRIGGER,
    "Schedule",
    "Starts the workflow at times given by a cron expression, or at a fixed interval.",
    params=(
        Param(
            "cron",
            Type.STRING,
            "Cron expression: minute, hour, day of month, month, day of week; or six fields with "
            "seconds first.",
            literal=True,
            check=checks.cron,
            examples=("0 6 * * MON-FRI", "*/5 * * * *"),
        ),
        Param(
            "every",
            Type.DURATION,
            "Time from one start to the next, at least 1 second.",
            literal=True,
            minimum=1,
            check=checks.duration,
            examples=("15m", "1h"),
        ),
        Param(
            "timezone",
            Type.STRING,
            "Time zone in which `cron` is read. Default: the workflow's time zone, else UTC.",
            literal=True,
            check=checks.timezone,
            examples=("Europe/Berlin",),
        ),
        Param(
            "catchUp",
            Type.BOOLEAN,
            "Whether a start that was missed while the host was down is made up for, once. "
            "Default false.",
            default=False,
            literal=True,
        ),
    ),
    outputs=(
        Output("time", Type.STRING, "When the workflow really started, in ISO 8601."),
        Output("scheduled", Type.STRING, "When it was due, in ISO 8601."),
    ),
    signals_in=(),
    signals_out=(Signal("fired", "The time has come."),),
    alternatives=(Alternatives(("cron", "every"), required=True),),
    category="triggers",
    example={"cron": "0 6 * * MON-FRI", "timezone": "Europe/Berlin"},
)
