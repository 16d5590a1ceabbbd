"""Keywords for objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from .core import (
    TYPES,
    Builder,
    Check,
    Fault,
    Path,
    Schemas,
    array_of,
    fits,
    object_of,
    regex,
    simple,
)


def _properties(expected: Any, _: Mapping[str, Any], compiler: Schemas) -> Check:
    checks = [(name, compiler.schema(inner)) for name, inner in object_of(expected).items()]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            for name, inner in checks:
                if name in members:
                    inner(members[name], (*path, name), faults)

    return check


def _required(expected: Any, _: Mapping[str, Any], __: Schemas) -> Check:
    names = array_of(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            faults += [
                Fault(path, "required", expected, members, name)
                for name in names
                if name not in members
            ]

    return check


def _surplus(schema: Mapping[str, Any]) -> Callable[[dict[str, Any]], list[str]]:
    """Finds the keys that neither `properties` nor `patternProperties` names."""
    named = object_of(schema.get("properties", {}))
    patterns = [regex(pattern) for pattern in object_of(schema.get("patternProperties", {}))]
    return lambda members: [
        key
        for key in members
        if key not in named and not any(pattern.search(key) for pattern in patterns)
    ]


def _additional(expected: Any, schema: Mapping[str, Any], compiler: Schemas) -> Check:
    surplus = _surplus(schema)
    inner = compiler.schema(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not isinstance(value, dict):
            return
        members = cast("dict[str, Any]", value)
        extra = surplus(members)
        if expected is False and extra:
            faults.append(Fault(path, "additionalProperties", False, value, sorted(extra)))
        elif expected is not False:
            for key in extra:
                inner(members[key], (*path, key), faults)

    return check


def _pattern_properties(expected: Any, _: Mapping[str, Any], compiler: Schemas) -> Check:
    checks = [(regex(name), compiler.schema(inner)) for name, inner in object_of(expected).items()]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            for key, member in cast("dict[str, Any]", value).items():
                for pattern, inner in checks:
                    if pattern.search(key):
                        inner(member, (*path, key), faults)

    return check


def _property_names(expected: Any, _: Mapping[str, Any], compiler: Schemas) -> Check:
    inner = compiler.schema(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            faults += [
                Fault(path, "propertyNames", expected, key)
                for key in cast("dict[str, Any]", value)
                if not fits(inner, key)
            ]

    return check


def _dependent_required(expected: Any, _: Mapping[str, Any], __: Schemas) -> Check:
    rules = {name: array_of(needed) for name, needed in object_of(expected).items()}

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            for name, needed in rules.items():
                if name in value and any(other not in value for other in needed):
                    faults.append(Fault(path, "dependentRequired", expected, cast("Any", value)))

    return check


def _dependent_schemas(expected: Any, _: Mapping[str, Any], compiler: Schemas) -> Check:
    rules = [(name, compiler.schema(inner)) for name, inner in object_of(expected).items()]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            for name, inner in rules:
                if name in value:
                    inner(cast("Any", value), path, faults)

    return check


KEYWORDS: Mapping[str, Builder] = {
    "minProperties": simple(
        "minProperties", TYPES["object"], lambda members, least: len(members) < least, "integer"
    ),
    "maxProperties": simple(
        "maxProperties", TYPES["object"], lambda members, most: len(members) > most, "integer"
    ),
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "patternProperties": _pattern_properties,
    "propertyNames": _property_names,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
}
