"""data.json: JSON text and documents."""

from __future__ import annotations

from . import checks
from .types import Kind, NodeType, Output, Param, Type, When

_OPERATIONS = ("parse", "stringify", "validate", "extract")

NODE = NodeType(
    "data.json",
    Kind.ACTION,
    "JSON",
    "Reads JSON text, writes it, checks a document against a JSON Schema, or takes one part out of "
    "it. What does not fit fails with the code `json.invalid`.",
    params=(
        Param(
            "operation",
            Type.STRING,
            "`parse` makes a value of JSON text, `stringify` text of a value, `validate` passes a value "
            "that fits the schema, `extract` finds one part of a value.",
            required=True,
            choices=_OPERATIONS,
            literal=True,
            runtime=False,
        ),
        Param(
            "value",
            Type.ANY,
            "The value, or for `parse` the JSON text.",
            required=True,
        ),
        Param(
            "maxBytes",
            Type.INTEGER,
            "Longest text accepted, in bytes of UTF-8. Default 10000000.",
            default=10_000_000,
            minimum=1,
            when=When("operation", ("parse",)),
        ),
        Param(
            "maxDepth",
            Type.INTEGER,
            "Deepest nesting of objects and lists accepted. Default 100.",
            default=100,
            minimum=1,
            maximum=500,
            when=When("operation", ("parse",)),
        ),
        Param(
            "indent",
            Type.INTEGER,
            "Spaces of indentation for each level. Default: everything on one line.",
            minimum=0,
            maximum=8,
            when=When("operation", ("stringify",)),
        ),
        Param(
            "sortKeys",
            Type.BOOLEAN,
            "Whether the keys of objects are written in alphabetical order. Default false.",
            default=False,
            when=When("operation", ("stringify",)),
        ),
        Param(
            "schema",
            Type.JSON_SCHEMA,
            "The JSON Schema (draft 2020-12 unless `$schema` says otherwise); formats are checked, "
            "references to other documents are not followed.",
            required=True,
            literal=True,
            check=checks.json_schema,
            when=When("operation", ("validate",)),
        ),
        Param(
            "path",
            Type.STRING,
            "Where the part is: a JSONPath (`$.lines[0].sku`, the first match counts) or a JSON Pointer "
            "(`/lines/0/sku`).",
            required=True,
            check=checks.json_location,
            when=When("operation", ("extract",)),
            examples=("$.lines[0].sku", "/lines/0/sku"),
        ),
        Param(
            "default",
            Type.ANY,
            "What is returned where there is nothing at the path. Default null.",
            when=When("operation", ("extract",)),
        ),
    ),
    outputs=(
        Output(
            "value",
            Type.ANY,
            "The parsed value, the text, the value that was found valid, or the part.",
            whole=True,
        ),
    ),
    call={operation: f"json.{operation}" for operation in _OPERATIONS},
    variant="operation",
    positional=("value", "path"),
    packages={"validate": checks.schema_packages, "extract": ("python-jsonpath",)},
    category="data",
    example={
        "operation": "validate",
        "value": "{{ order.body }}",
        "schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
    },
)
