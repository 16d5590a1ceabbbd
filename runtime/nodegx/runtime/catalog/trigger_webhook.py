"""trigger.webhook: an HTTP endpoint of its own."""

from __future__ import annotations

from . import checks, idempotency
from .http_trigger import AUTH, BODY_TYPE, CORS, MAX_BODY, OUTPUTS, RATE_LIMIT
from .types import Kind, NodeType, Param, Signal, Type

NODE = NodeType(
    "trigger.webhook",
    Kind.TRIGGER,
    "Webhook",
    "Starts the workflow when an HTTP request arrives at its path. A Response node answers it; "
    "workflows without one answer 202 at once.",
    params=(
        Param(
            "method",
            Type.STRING,
            "HTTP method, or a list of methods, that the endpoint accepts. Default `POST`.",
            default="POST",
            choices=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            many=True,
            literal=True,
        ),
        Param(
            "path",
            Type.STRING,
            "Path of the endpoint; `{name}` stands for one segment, a final `{name:path}` for the rest. "
            "Their values are in `params`.",
            required=True,
            literal=True,
            check=checks.url_path,
            examples=("/orders/{id}",),
        ),
        AUTH,
        CORS,
        MAX_BODY,
        RATE_LIMIT,
        BODY_TYPE,
        idempotency.HEADER,
    ),
    outputs=OUTPUTS,
    signals_in=(),
    signals_out=(Signal("received", "A request has arrived."),),
    category="triggers",
    example={
        "method": "POST",
        "path": "/orders/{id}",
        "auth": {"type": "apiKey", "key": "{{ secrets.ORDERS_KEY }}"},
        "rateLimit": {"requests": 100, "per": "1m"},
    },
)
