"""logic.wait: a pause, for as long as it takes."""

from __future__ import annotations

from . import checks
from .types import DONE, FAILURE, Alternatives, Kind, NodeType, Output, Param, Signal, Type
from .wait_options import POLL, WEBHOOK

NODE = NodeType(
    "logic.wait",
    Kind.ACTION,
    "Wait",
    "Pauses the run: for a length of time, until a moment, until somebody calls a URL or sends a "
    "form, or until a condition holds. Workflows that wait for long are durable: while they wait "
    "they take up no process and no memory, and they survive restarts. Retriable is "
    "`wait.timeout`.",
    params=(
        Param(
            "duration",
            Type.DURATION,
            "How long to wait, in seconds or as text with a unit.",
            check=checks.duration,
            argument="seconds",
            examples=("500ms", "5s", "3d", 2.5),
        ),
        Param(
            "until",
            Type.STRING,
            "When to go on, in ISO 8601; without an offset it is in the workflow's time zone. A "
            "moment in the past does not wait.",
            check=checks.moment,
            examples=("2026-05-01T08:00:00+02:00",),
        ),
        WEBHOOK,
        Param(
            "condition",
            Type.ITEM_EXPRESSION,
            "An expression; the run goes on once it is true. It reads upstream nodes, `response` "
            "(what `poll` was answered: `response.body`, `response.status`, or the body of the "
            "workflow's response) and `attempt` (how often it was asked, from 1).",
            scope=("response", "attempt"),
            examples=("{{ response.body.state == 'done' }}",),
        ),
        POLL,
        Param(
            "timeout",
            Type.DURATION,
            "Longest wait for a webhook or a condition. When it is over `timeout` follows; where "
            "that has no wire the node fails with code `wait.timeout`. Default: no limit.",
            check=checks.duration,
            examples=("2d",),
        ),
    ),
    outputs=(
        Output(
            "body",
            Type.ANY,
            "With `webhook`: the body of the request, or the fields of the form.",
            given="webhook",
        ),
        Output(
            "query",
            Type.OBJECT,
            "With `webhook`: the request's query parameters; repeated ones are lists.",
            given="webhook",
        ),
        Output(
            "headers",
            Type.OBJECT,
            "With `webhook`: the request's headers, with names in lower case.",
            given="webhook",
        ),
        Output(
            "action",
            Type.ANY,
            "With `webhook`: value of the form's button that was pressed; null where there is none.",
            given="webhook",
        ),
        Output(
            "response",
            Type.ANY,
            "With `condition`: the last answer to `poll`; null where nothing was asked.",
            given="condition",
        ),
    ),
    signals_out=(
        DONE,
        Signal(
            "timeout",
            "The time limit of a wait for a webhook or a condition is over.",
            optional=True,
            argument="on_timeout",
        ),
        FAILURE,
    ),
    alternatives=(Alternatives(("duration", "until", "webhook", "condition"), required=True),),
    call="run.wait",
    category="logic",
    example={
        "webhook": {
            "form": {
                "title": "Order {{ order.body.id }}",
                "fields": [{"name": "note", "label": "Note for the customer"}],
                "actions": [
                    {"value": "approve", "label": "Approve"},
                    {"value": "reject", "label": "Reject"},
                ],
            }
        },
        "timeout": "2d",
    },
)
