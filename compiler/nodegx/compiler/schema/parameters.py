"""The parameters of a node type as a JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from nodegx.compiler.expressions.conditions import GROUPS, NEGATION, OPERATORS
from nodegx.compiler.model import DURATION_SCHEMA
from nodegx.runtime.catalog.types import NodeType, Param, Type

Schema = dict[str, Any]

_TEMPLATE: Final = {"$ref": "#/$defs/template"}
_CONDITION: Final = {"$ref": "#/$defs/condition"}

COMMON: Final[Mapping[str, Schema]] = {
    "template": {
        "description": "A text with an expression: `{{ order.body.total }}`.",
        "type": "string",
        "pattern": r"\{\{",
    },
    "duration": {
        "description": "Seconds, or a text such as `500ms`, `5s`, `2m`.",
        **DURATION_SCHEMA,
    },
    "condition": {
        "description": "An expression, true or false, or comparisons in groups.",
        "anyOf": [
            _TEMPLATE,
            {"type": "boolean"},
            *(
                {
                    "type": "object",
                    "properties": {group: {"type": "array", "minItems": 1, "items": _CONDITION}},
                    "required": [group],
                    "additionalProperties": False,
                }
                for group in GROUPS
            ),
            {
                "type": "object",
                "properties": {NEGATION: _CONDITION},
                "required": [NEGATION],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"left": {}, "op": {"enum": list(OPERATORS)}, "right": {}},
                "required": ["left"],
                "additionalProperties": False,
            },
        ],
    },
}
"""Definitions that the schemas of parameters refer to."""


def parameters_schema(node_type: NodeType) -> Schema:
    """The schema of the `parameters` of a node type. Only parameters that no wire can give are
    required."""
    required = [
        param.name
        for param in node_type.params
        if param.required and param.literal and param.when is None
    ]
    schema = _members(node_type.params, required, literal=False)
    return {"description": node_type.doc, **schema}


def _members(params: Sequence[Param], required: list[str], *, literal: bool) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {param.name: _param(param, literal=literal) for param in params},
        "additionalProperties": False,
    }
    return {**schema, "required": required} if required else schema


def _param(param: Param, *, literal: bool) -> Schema:
    literal = literal or param.literal
    schema = dict(_TEMPLATE) if param.secret else _SCHEMAS[param.type](param, literal)
    if param.choices:
        schema = {"enum": list(param.choices)}
    closed = literal or param.secret or param.explicit or param.type in _NO_TEMPLATE
    if schema and not closed:
        schema = {"anyOf": [schema, _TEMPLATE]}
    if param.many:
        schema = {"anyOf": [schema, {"type": "array", "minItems": 1, "items": schema}]}
    return {**_annotations(param), **schema}


def _annotations(param: Param) -> Schema:
    notes: Schema = {}
    if param.doc:
        notes["description"] = param.doc
    if param.default is not None:
        notes["default"] = param.default
    if param.examples:
        notes["examples"] = list(param.examples)
    return notes


def _anything(_param: Param, _literal: bool) -> Schema:
    return {}


def _text(param: Param, _literal: bool) -> Schema:
    schema: Schema = {"type": "string"}
    return {**schema, "pattern": f"^(?:{param.pattern})$"} if param.pattern else schema


def _number(param: Param, _literal: bool) -> Schema:
    schema: Schema = {"type": param.type.value}
    if param.minimum is not None:
        schema["minimum"] = param.minimum
    if param.maximum is not None:
        schema["maximum"] = param.maximum
    return schema


def _boolean(_param: Param, _literal: bool) -> Schema:
    return {"type": "boolean"}


def _object(param: Param, literal: bool) -> Schema:
    if param.fields is None:
        return {"type": "object"}
    required = [field.name for field in param.fields if field.required and field.when is None]
    return _members(param.fields, required, literal=literal)


def _array(param: Param, literal: bool) -> Schema:
    if param.items is None:
        return {"type": "array"}
    return {"type": "array", "items": _param(param.items, literal=literal)}


def _duration(_param: Param, _literal: bool) -> Schema:
    return {"$ref": "#/$defs/duration"}


def _condition(_param: Param, _literal: bool) -> Schema:
    return dict(_CONDITION)


def _python(_param: Param, _literal: bool) -> Schema:
    return {"type": "string", "contentMediaType": "text/x-python"}


def _json_schema(_param: Param, _literal: bool) -> Schema:
    return {"type": ["object", "boolean"]}


_SCHEMAS: Final[Mapping[Type, Callable[[Param, bool], Schema]]] = {
    Type.ANY: _anything,
    Type.STRING: _text,
    Type.NUMBER: _number,
    Type.INTEGER: _number,
    Type.BOOLEAN: _boolean,
    Type.OBJECT: _object,
    Type.ARRAY: _array,
    Type.DURATION: _duration,
    Type.CONDITION: _condition,
    Type.ITEM_EXPRESSION: _anything,
    Type.PYTHON: _python,
    Type.JSON_SCHEMA: _json_schema,
}

_NO_TEMPLATE: Final = frozenset({Type.ANY, Type.CONDITION, Type.PYTHON, Type.JSON_SCHEMA})
"""Types whose schema allows templates already, or whose values hold none."""
