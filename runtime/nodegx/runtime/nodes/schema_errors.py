"""JSON Schema's findings in plain words.

The messages name what is expected, never the value that was found: it may be confidential, and
errors are shown to callers and kept in the history.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from json import dumps
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from jsonschema import ValidationError

MAX_LISTED = 50
_MAX_IN_MESSAGE = 3
_MAX_EXPECTATION = 200

_KINDS = {
    "bool": "boolean",
    "int": "number",
    "float": "number",
    "str": "string",
    "dict": "object",
    "list": "array",
    "NoneType": "null",
}


def _kind(value: Any) -> str:
    """The name that JSON Schema has for a value's type."""
    return _KINDS.get(type(value).__name__, "something else")


def _expectation(value: Any) -> str:
    text = dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_EXPECTATION else text[: _MAX_EXPECTATION - 1] + "…"


def _type(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    names = cast("list[str]", wanted) if isinstance(wanted, list) else [str(wanted)]
    return f"must be {' or '.join(names)}, is {_kind(error.instance)}"


def _required(error: ValidationError) -> str:
    # jsonschema reports each missing key by itself and names it in its message alone.
    present = cast("dict[str, Any]", error.instance)
    missing = [key for key in cast("list[str]", error.validator_value) if key not in present]
    named = next((key for key in missing if error.message.startswith(f"{key!r} ")), missing[0])
    return f"has no `{named}`"


def _additional(error: ValidationError) -> str:
    schema = cast("dict[str, Any]", error.schema)
    named = cast("dict[str, Any]", schema.get("properties", {}))
    patterns = "|".join(f"({pattern})" for pattern in schema.get("patternProperties", {}))
    extra = sorted(
        key
        for key in cast("dict[str, Any]", error.instance)
        if key not in named and not (patterns and re.search(patterns, key))
    )
    return f"has keys that are not allowed: {_expectation(extra[:10])[1:-1]}"


def _count(least: str, noun: str) -> Callable[[ValidationError], str]:
    return lambda error: f"must have {least} {error.validator_value} {noun}"


def _value(phrase: str) -> Callable[[ValidationError], str]:
    return lambda error: f"{phrase} {_expectation(error.validator_value)}"


_PHRASES: Mapping[str, Callable[[ValidationError], str]] = {
    "type": _type,
    "required": _required,
    "additionalProperties": _additional,
    "unevaluatedProperties": lambda _: "has keys that are not allowed",
    "enum": _value("must be one of"),
    "const": _value("must be"),
    "minimum": _value("must be at least"),
    "maximum": _value("must be at most"),
    "exclusiveMinimum": _value("must be more than"),
    "exclusiveMaximum": _value("must be less than"),
    "multipleOf": _value("must be a multiple of"),
    "pattern": _value("must match the pattern"),
    "format": _value("must have the format"),
    "minLength": _count("at least", "characters"),
    "maxLength": _count("at most", "characters"),
    "minItems": _count("at least", "elements"),
    "maxItems": _count("at most", "elements"),
    "minProperties": _count("at least", "keys"),
    "maxProperties": _count("at most", "keys"),
    "uniqueItems": lambda _: "must not have an element twice",
    "contains": lambda _: "has no element of the kind that is required",
    "not": lambda _: "is of a kind that is excluded",
    "propertyNames": lambda _: "has a key that is not allowed",
    "dependentRequired": lambda _: "lacks a key that another key requires",
}


def phrase(error: ValidationError) -> str:
    """What is wrong at one place, without naming it: `must be number, is string`."""
    keyword = str(error.validator)
    if keyword in ("anyOf", "oneOf"):
        return _alternatives(error)
    known = _PHRASES.get(keyword)
    return known(error) if known else f"does not fit `{keyword}` of the schema"


def _alternatives(error: ValidationError) -> str:
    """Of alternatives the one that was meant, if the value has the type or tag of just one."""
    if not error.context:
        return "fits more than one of the alternatives"
    meant: dict[Any, ValidationError | None] = {}
    for fault in error.context:
        alternative = fault.relative_schema_path[0]
        if _tells_apart(fault):
            meant[alternative] = None
        else:
            meant.setdefault(alternative, fault)
    nearest = [fault for fault in meant.values() if fault is not None]
    if len(nearest) != 1:
        return "fits none of the alternatives"
    return (
        f"fits none of the alternatives; the nearest: {nearest[0].json_path} {phrase(nearest[0])}"
    )


def _tells_apart(fault: ValidationError) -> bool:
    """Whether a fault shows that an alternative was not meant at all: another type, or another
    value of a key such as `kind`."""
    depth = len(fault.relative_path)
    return (depth == 0 and fault.validator == "type") or (
        depth <= 1 and fault.validator in ("const", "enum")
    )


def _place(error: ValidationError) -> list[tuple[bool, int, str]]:
    return [
        (False, part, "") if isinstance(part, int) else (True, 0, str(part))
        for part in error.absolute_path
    ]


def describe(errors: list[ValidationError]) -> tuple[str, dict[str, Any]]:
    """A message and JSON details for a document with these errors (at least one)."""
    found = [
        {"path": error.json_path, "message": phrase(error), "keyword": str(error.validator)}
        for error in sorted(errors, key=_place)
    ]
    shown = [f"{entry['path']} {entry['message']}" for entry in found[:_MAX_IN_MESSAGE]]
    if len(found) > _MAX_IN_MESSAGE:
        shown.append(f"and {len(found) - _MAX_IN_MESSAGE} more")
    message = f"does not fit the schema: {'; '.join(shown)}"
    return message, {"errors": found[:MAX_LISTED], "count": len(found)}
