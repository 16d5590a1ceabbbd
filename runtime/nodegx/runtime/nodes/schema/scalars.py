"""Keywords that look at one value by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .core import (
    TYPES,
    Builder,
    Check,
    Fault,
    Path,
    Schemas,
    UnsupportedError,
    array_of,
    frozen,
    regex,
    simple,
)


def _type(expected: Any, _: Mapping[str, Any], __: Schemas) -> Check:
    names = array_of(expected) if isinstance(expected, list) else [expected]
    if not names or not all(isinstance(name, str) and name in TYPES for name in names):
        raise UnsupportedError
    tests = [TYPES[name] for name in names]
    test = tests[0]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not (test(value) or any(other(value) for other in tests[1:])):
            faults.append(Fault(path, "type", expected, value))

    return check


def _enum(expected: Any, _: Mapping[str, Any], __: Schemas) -> Check:
    allowed = {frozen(each) for each in array_of(expected)}

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if frozen(value) not in allowed:
            faults.append(Fault(path, "enum", expected, value))

    return check


def _const(expected: Any, _: Mapping[str, Any], __: Schemas) -> Check:
    allowed = frozen(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if frozen(value) != allowed:
            faults.append(Fault(path, "const", expected, value))

    return check


def _pattern(expected: Any, _: Mapping[str, Any], __: Schemas) -> Check:
    search = regex(expected).search

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, str) and search(value) is None:
            faults.append(Fault(path, "pattern", expected, value))

    return check


def _no_multiple(value: Any, of: Any) -> bool:
    if of == 0:
        return False
    if isinstance(of, float) or isinstance(value, float):
        try:
            quotient = value / of
            return quotient != int(quotient)
        except (OverflowError, ValueError):
            from fractions import Fraction

            return Fraction(value) / Fraction(of) % 1 != 0
    return value % of != 0


def _no_format(text: str, name: str) -> bool:
    from nodegx.runtime.nodes import formats

    return not formats.matches(name, text)


KEYWORDS: Mapping[str, Builder] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": simple("minimum", TYPES["number"], lambda value, least: value < least, "number"),
    "maximum": simple("maximum", TYPES["number"], lambda value, most: value > most, "number"),
    "exclusiveMinimum": simple(
        "exclusiveMinimum", TYPES["number"], lambda value, below: value <= below, "number"
    ),
    "exclusiveMaximum": simple(
        "exclusiveMaximum", TYPES["number"], lambda value, above: value >= above, "number"
    ),
    "multipleOf": simple("multipleOf", TYPES["number"], _no_multiple, "number"),
    "minLength": simple(
        "minLength", TYPES["string"], lambda text, least: len(text) < least, "integer"
    ),
    "maxLength": simple(
        "maxLength", TYPES["string"], lambda text, most: len(text) > most, "integer"
    ),
    "pattern": _pattern,
    "format": simple("format", TYPES["string"], _no_format, "string"),
}
