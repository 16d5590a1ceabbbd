"""logic.retry: steps that are repeated together until they succeed."""

from __future__ import annotations

from . import checks
from .types import DONE, Kind, NodeType, Param, Signal, Type

RETRY_FIELDS = (
    Param(
        "maxAttempts",
        Type.INTEGER,
        "Tries in all, the first included. Default 3.",
        default=3,
        minimum=1,
        maximum=100,
        argument="attempts",
    ),
    Param(
        "delay",
        Type.DURATION,
        "Time from the first failure to the second try. Default 1 second.",
        default=1,
        check=checks.duration,
    ),
    Param(
        "backoff",
        Type.NUMBER,
        "Factor from one delay to the next. Default 2.",
        default=2,
        minimum=1,
        maximum=100,
    ),
    Param(
        "maxDelay",
        Type.DURATION,
        "The longest delay. Default 1 minute.",
        default=60,
        check=checks.duration,
    ),
    Param(
        "jitter",
        Type.NUMBER,
        "Share of each delay that chance may take away, 0 to 1. Default 0.1.",
        default=0.1,
        minimum=0,
        maximum=1,
    ),
    Param(
        "retryOn",
        Type.ARRAY,
        "Codes of errors (`http.status`) or categories (`retriable`, `fatal`) that are tried again. "
        "Default: every retriable error.",
        default=(),
        items=Param("code", Type.STRING, "A code or category."),
        argument="on",
    ),
)
"""The retry policy, of this node and of any action's own `retry`."""

NODE = NodeType(
    "logic.retry",
    Kind.RETRY,
    "Retry",
    "Runs the nodes behind `attempt` again, all of them, until they succeed or the attempts are used up.",
    params=RETRY_FIELDS,
    signals_out=(
        Signal("attempt", "Starts the nodes that are tried."),
        DONE,
        Signal(
            "failure",
            "The last attempt has failed too. Unwired, the error propagates.",
            optional=True,
        ),
    ),
    category="logic",
    example={"maxAttempts": 5, "delay": "500ms", "maxDelay": "10s"},
)
