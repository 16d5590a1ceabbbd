"""trigger.manual: started by a person, a program or another workflow."""

from __future__ import annotations

from . import checks, idempotency
from .types import Kind, NodeType, Output, Param, Signal, Type

INPUTS = Param(
    "inputs",
    Type.ARRAY,
    "The parameters a caller gives; their types are checked and defaults filled in. Default: any "
    "JSON is accepted as it is.",
    literal=True,
    items=Param(
        "input",
        Type.OBJECT,
        "One parameter.",
        fields=(
            Param(
                "name",
                Type.STRING,
                "Name of the parameter.",
                required=True,
                check=checks.identifier,
            ),
            Param(
                "type",
                Type.STRING,
                "Type its value must have. Default `any`.",
                default="any",
                choices=("any", "string", "number", "integer", "boolean", "object", "array"),
            ),
            Param(
                "required",
                Type.BOOLEAN,
                "Whether a call without it is refused. Default false.",
                default=False,
            ),
            Param(
                "choices",
                Type.ARRAY,
                "The only values that are accepted. Default: every value of the type.",
            ),
            Param("default", Type.ANY, "Value where the caller gives none. Default null."),
            Param(
                "description",
                Type.STRING,
                "What it is for, shown to callers. Default: nothing.",
                default="",
            ),
        ),
    ),
)

NODE = NodeType(
    "trigger.manual",
    Kind.TRIGGER,
    "Manual start",
    "Starts the workflow when `nodegx run`, the console or a Call workflow node asks for it.",
    params=(INPUTS, idempotency.KEYED),
    outputs=(Output("value", Type.ANY, "The input the caller gave.", whole=True),),
    signals_in=(),
    signals_out=(Signal("started", "The workflow was started."),),
    category="triggers",
    example={
        "inputs": [
            {"name": "customer", "type": "string", "required": True},
            {"name": "limit", "type": "integer", "default": 10},
        ]
    },
)
