"""Keywords for arrays."""

from __future__ import annotations

from collections.abc import Mapping
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
    frozen,
    simple,
)


def _items(expected: Any, schema: Mapping[str, Any], compiler: Schemas) -> Check:
    inner = compiler.schema(expected)
    first = len(array_of(schema.get("prefixItems", [])))

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not isinstance(value, list):
            return
        elements = cast("list[Any]", value)
        if expected is False and len(elements) > first:
            faults.append(Fault(path, "items", False, value))
        elif expected is not False:
            for index in range(first, len(elements)):
                inner(elements[index], (*path, index), faults)

    return check


def _prefix_items(expected: Any, _: Mapping[str, Any], compiler: Schemas) -> Check:
    checks = [compiler.schema(inner) for inner in array_of(expected)]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, list):
            elements = cast("list[Any]", value)
            for index, (element, inner) in enumerate(zip(elements, checks, strict=False)):
                inner(element, (*path, index), faults)

    return check


def _contains(expected: Any, schema: Mapping[str, Any], compiler: Schemas) -> Check:
    inner = compiler.schema(expected)
    least, most = schema.get("minContains", 1), schema.get("maxContains")

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, list):
            count = sum(fits(inner, element) for element in cast("list[Any]", value))
            if count < least:
                faults.append(Fault(path, "contains", expected, value))
            elif most is not None and count > most:
                faults.append(Fault(path, "maxContains", most, value))

    return check


def _unique(expected: Any, _: Mapping[str, Any], __: Schemas) -> Check:
    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if expected is True and isinstance(value, list):
            elements = cast("list[Any]", value)
            if len({frozen(element) for element in elements}) < len(elements):
                faults.append(Fault(path, "uniqueItems", expected, value))

    return check


KEYWORDS: Mapping[str, Builder] = {
    "minItems": simple(
        "minItems", TYPES["array"], lambda array, least: len(array) < least, "integer"
    ),
    "maxItems": simple(
        "maxItems", TYPES["array"], lambda array, most: len(array) > most, "integer"
    ),
    "uniqueItems": _unique,
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
}
