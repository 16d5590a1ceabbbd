"""cloud.response: the answer to the caller."""

from __future__ import annotations

from .types import Kind, NodeType, Param, Type

NODE = NodeType(
    "cloud.response",
    Kind.ACTION,
    "Response",
    "Answers the HTTP request or call that started the workflow. The first one that is reached "
    "answers; what follows it goes on in the background.",
    params=(
        Param(
            "status",
            Type.INTEGER,
            "HTTP status of the answer. Default 200.",
            default=200,
            minimum=200,
            maximum=599,
        ),
        Param(
            "headers",
            Type.OBJECT,
            "Headers of the answer by name; a list sends one several times. Default: a Content-Type "
            "that fits the body.",
        ),
        Param(
            "body",
            Type.ANY,
            "Body of the answer: text is sent as it is, anything else as JSON. Default: no body.",
        ),
    ),
    call="run.respond",
    category="cloud",
    example={"status": 201, "body": {"id": "{{ order.body.id }}"}},
)
