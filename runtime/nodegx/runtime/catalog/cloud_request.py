"""cloud.request: the workflow called as a function, by its name."""

from __future__ import annotations

from dataclasses import replace

from . import idempotency
from .http_trigger import AUTH, BODY_TYPE, CORS, MAX_BODY, OUTPUTS, RATE_LIMIT
from .trigger_manual import INPUTS
from .types import Kind, NodeType, Output, Signal, Type

NODE = NodeType(
    "cloud.request",
    Kind.TRIGGER,
    "Request",
    "Starts the workflow when a client calls it as a cloud function: "
    "`POST /functions/<workflow name>`. A Response node answers.",
    params=(
        replace(
            INPUTS,
            name="parameters",
            doc="The parameters a caller gives as keys of a JSON body; their types are checked (400 "
            "where they do not fit) and defaults filled in. Default: none are declared.",
        ),
        AUTH,
        CORS,
        MAX_BODY,
        RATE_LIMIT,
        BODY_TYPE,
        idempotency.HEADER,
    ),
    outputs=(
        *OUTPUTS,
        Output("parameters", Type.OBJECT, "The declared parameters, checked and completed."),
    ),
    signals_in=(),
    signals_out=(Signal("received", "A call has arrived."),),
    category="triggers",
    example={
        "parameters": [{"name": "orderId", "type": "string", "required": True}],
        "auth": {"type": "jwt", "jwksUrl": "https://login.example/keys", "audience": "shop"},
    },
)
