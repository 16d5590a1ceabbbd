"""JSON Schema's findings in plain words.

The messages name what is expected, never the value that was found: it may be confidential, and
errors are shown to callers and kept in the history.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from json import dumps
from typing import Any, cast

from .schema import Fault, Path

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


def _type(fault: Fault) -> str:
    wanted: Any = fault.expected
    names = cast("list[str]", wanted) if isinstance(wanted, list) else [str(wanted)]
    return f"must be {' or '.join(names)}, is {_kind(fault.instance)}"


def _count(least: str, noun: str) -> Callable[[Fault], str]:
    return lambda fault: f"must have {least} {fault.expected} {noun}"


def _value(phrase: str) -> Callable[[Fault], str]:
    return lambda fault: f"{phrase} {_expectation(fault.expected)}"


_PHRASES: Mapping[str, Callable[[Fault], str]] = {
    "type": _type,
    "required": lambda fault: f"has no `{fault.detail}`",
    "additionalProperties": lambda fault: (
        f"has keys that are not allowed: {_expectation(fault.detail[:10])[1:-1]}"
    ),
    "false": lambda _: "is not allowed here",
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
    "items": lambda _: "has more elements than are allowed",
    "maxContains": lambda _: "has too many elements of the kind that is counted",
    "contains": lambda _: "has no element of the kind that is required",
    "not": lambda _: "is of a kind that is excluded",
    "propertyNames": lambda _: "has a key that is not allowed",
    "dependentRequired": lambda _: "lacks a key that another key requires",
}


def phrase(fault: Fault) -> str:
    """What is wrong at one place, without naming it: `must be number, is string`."""
    if fault.keyword in ("anyOf", "oneOf"):
        return _alternatives(fault)
    known = _PHRASES.get(fault.keyword)
    return known(fault) if known else f"does not fit `{fault.keyword}` of the schema"


def _alternatives(fault: Fault) -> str:
    """Of alternatives the one that was meant, if the value has the type or tag of just one."""
    tried: list[list[Fault]] = fault.detail
    if not tried:
        return "fits more than one of the alternatives"
    meant = [
        faults[0]
        for faults in tried
        if not any(_tells_apart(each, len(fault.path)) for each in faults)
    ]
    if len(meant) != 1:
        return "fits none of the alternatives"
    nearest = meant[0]
    return (
        f"fits none of the alternatives; the nearest: {json_path(nearest.path)} {phrase(nearest)}"
    )


def _tells_apart(fault: Fault, depth: int) -> bool:
    """Whether a fault shows that an alternative was not meant at all: another type, or another
    value of a key such as `kind`."""
    below = len(fault.path) - depth
    return (below == 0 and fault.keyword == "type") or (
        below <= 1 and fault.keyword in ("const", "enum")
    )


def _place(fault: Fault) -> list[tuple[bool, int, str]]:
    return [(False, part, "") if isinstance(part, int) else (True, 0, part) for part in fault.path]


def json_path(path: Path) -> str:
    """A path as JSONPath: `$.lines[0]['unit price']`."""
    text = "$"
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}"
        else:
            escaped = part.replace("\\", "\\\\").replace("'", "\\'")
            text += f"['{escaped}']"
    return text


def describe(faults: list[Fault]) -> tuple[str, dict[str, Any]]:
    """A message and JSON details for a document with these faults (at least one)."""
    found = [
        {"path": json_path(fault.path), "message": phrase(fault), "keyword": fault.keyword}
        for fault in sorted(faults, key=_place)
    ]
    shown = [f"{entry['path']} {entry['message']}" for entry in found[:_MAX_IN_MESSAGE]]
    if len(found) > _MAX_IN_MESSAGE:
        shown.append(f"and {len(found) - _MAX_IN_MESSAGE} more")
    message = f"does not fit the schema: {'; '.join(shown)}"
    return message, {"errors": found[:MAX_LISTED], "count": len(found)}


def fault_of(error: Any) -> Fault:
    """A `ValidationError` of the library as a fault."""
    keyword = "false" if error.validator is None else str(error.validator)
    make_detail = _DETAILS.get(keyword)
    detail = None if make_detail is None else make_detail(error)
    path = tuple(error.absolute_path)
    return Fault(path, keyword, error.validator_value, error.instance, detail)


def _missing_key(error: Any) -> str:
    # The library reports each missing key by itself and names it in its message alone.
    missing = [key for key in error.validator_value if key not in error.instance]
    return next((key for key in missing if error.message.startswith(f"{key!r} ")), missing[0])


def _surplus_keys(error: Any) -> list[str]:
    patterns = "|".join(f"({pattern})" for pattern in error.schema.get("patternProperties", {}))
    return sorted(
        key
        for key in error.instance
        if key not in error.schema.get("properties", {})
        and not (patterns and re.search(patterns, key))
    )


def _tried(error: Any) -> list[list[Fault]]:
    tried: dict[Any, list[Fault]] = {}
    for inner in error.context or ():
        # An alternative that is `false` gives no path.
        alternative = inner.relative_schema_path[0] if inner.relative_schema_path else id(inner)
        tried.setdefault(alternative, []).append(fault_of(inner))
    return list(tried.values())


_DETAILS: Mapping[str, Callable[[Any], Any]] = {
    "required": _missing_key,
    "additionalProperties": _surplus_keys,
    "anyOf": _tried,
    "oneOf": _tried,
}
