"""Schemas put together from others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .core import (
    Builder,
    Check,
    Fault,
    Path,
    Schemas,
    array_of,
    fits,
    in_turn,
)


def _all_of(expected: Any, _: Mapping[str, Any], compiler: Schemas) -> Check:
    return in_turn([compiler.schema(inner) for inner in array_of(expected)])


def _alternatives(keyword: str) -> Builder:
    """`anyOf` and `oneOf`."""

    def builder(expected: Any, _: Mapping[str, Any], compiler: Schemas) -> Check:
        checks = [compiler.schema(inner) for inner in array_of(expected)]

        def check(value: Any, path: Path, faults: list[Fault]) -> None:
            found: list[list[Fault]] = []
            fitting = 0
            for inner in checks:
                tried: list[Fault] = []
                inner(value, path, tried)
                found.append(tried)
                fitting += not tried
                if fitting and keyword == "anyOf":
                    return
            if fitting != 1:
                faults.append(Fault(path, keyword, expected, value, [] if fitting else found))

        return check

    return builder


def _not(expected: Any, _: Mapping[str, Any], compiler: Schemas) -> Check:
    inner = compiler.schema(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if fits(inner, value):
            faults.append(Fault(path, "not", expected, value))

    return check


def _if(expected: Any, schema: Mapping[str, Any], compiler: Schemas) -> Check:
    condition = compiler.schema(expected)
    then, otherwise = (compiler.schema(schema.get(name, True)) for name in ("then", "else"))

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        (then if fits(condition, value) else otherwise)(value, path, faults)

    return check


KEYWORDS: Mapping[str, Builder] = {
    "$ref": lambda pointer, _, compiler: compiler.reference(pointer),
    "allOf": _all_of,
    "anyOf": _alternatives("anyOf"),
    "oneOf": _alternatives("oneOf"),
    "not": _not,
    "if": _if,
}
