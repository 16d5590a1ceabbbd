"""Code together with what the compiler knows about its value."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace

from nodegx.runtime.catalog.types import Type

NUMERIC = frozenset({Type.NUMBER, Type.INTEGER, Type.BOOLEAN})
SEQUENCE = frozenset({Type.STRING, Type.ARRAY})

WORDS = {
    Type.STRING: "text",
    Type.NUMBER: "a number",
    Type.INTEGER: "a number",
    Type.BOOLEAN: "true or false",
    Type.ARRAY: "an array",
    Type.OBJECT: "an object",
}
"""How messages call a type. A type without a word here is unknown to expressions."""

OUTSIDE = 0
"""The loop level of everything that does not change in a loop."""


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression's code.

    Args:
        code: the Python to emit.
        type: what the value is, as far as it is certain.
        small: a number whose digits are few, whatever the data.
        carries: the loop levels whose text or elements are part of the value. Building new text
            from anything but the innermost level costs memory per iteration.
        data: plain JSON that was there before the expression, not built by it.
    """

    code: ast.expr
    type: Type = Type.ANY
    small: bool = False
    carries: frozenset[int] = frozenset()
    data: bool = False

    @property
    def numeric(self) -> bool:
        """Whether the value is certainly a number (true and false count as 1 and 0)."""
        return self.type in NUMERIC

    @property
    def known(self) -> bool:
        """Whether the type is one that an operation can be refused for."""
        return self.type in WORDS

    def with_code(self, code: ast.expr) -> Typed:
        """The same facts about other code."""
        return replace(self, code=code)


def union(values: Iterable[Typed]) -> tuple[Type, frozenset[int]]:
    """The common type of alternatives, and all that they carry."""
    all_values = list(values)
    types = {value.type for value in all_values}
    if len(types) == 1:
        common = next(iter(types))
    elif types and types <= {Type.NUMBER, Type.INTEGER}:
        common = Type.NUMBER
    else:
        common = Type.ANY
    return common, carried(all_values)


def carried(values: Iterable[Typed]) -> frozenset[int]:
    """All loop levels that the values carry."""
    return frozenset[int]().union(*(value.carries for value in values))


def name(identifier: str) -> ast.expr:
    """A Python name that is read."""
    return ast.Name(identifier, ast.Load())


def call(target: str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    """A call of `fx.slug`, `run.now` or `len`."""
    first, _, attribute = target.partition(".")
    func = ast.Attribute(name(first), attribute, ast.Load()) if attribute else name(first)
    return ast.Call(func, list(args), [ast.keyword(key, code) for key, code in keywords.items()])
