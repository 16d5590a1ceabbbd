"""What is counted while a loop runs.

A loop over data does work in proportion to the data, and so does what it does with each element.
What it does with anything else, it does again for every element: a short request could keep a
server busy for minutes or fill its memory. Such work is counted, and stops at a limit.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .functions import Function
from .typed import Typed, call

if TYPE_CHECKING:
    from .compile import Compiler

_LITERAL_SIZE = 100
_CONSTANT_TIME = frozenset(
    {
        *("get", "has", "default", "coalesce", "first", "last", "len", "typeOf", "isEmpty"),
        *("bool", "startsWith", "endsWith", "startswith", "endswith", "abs", "floor", "ceil"),
        *("number", "float", "int", "round", "set", "zip", "enumerate", "keys", "values", "items"),
    }
)
"""What takes no longer for a longer argument, or whose result is counted instead."""


def belongs(compiler: Compiler, value: Typed) -> bool:
    """Whether a value is part of the innermost loop's element, or of fixed size."""
    return not compiler.level or value.numeric or value.carries <= {compiler.level}


def counted(compiler: Compiler, built: Typed) -> Typed:
    """Text or arrays that were newly built: their size counts, unless it cannot exceed a multiple
    of the element's."""
    if belongs(compiler, built):
        return built
    compiler.metered = True
    return built.with_code(call("fx.counted", built.code))


def scanned(compiler: Compiler, value: Typed) -> Typed:
    """A value that is looked through from end to end: its length counts."""
    comprehensions = (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
    if belongs(compiler, value) or isinstance(value.code, comprehensions):
        return value
    compiler.metered = True
    return value.with_code(call("fx.scanned", value.code))


def arguments(compiler: Compiler, function: Function, values: list[Typed]) -> list[Typed]:
    """The arguments of a call, with what the call looks through."""
    if function.name in _CONSTANT_TIME:
        return values
    return [scanned(compiler, value) for value in values]


def result(compiler: Compiler, function: Function, built: Typed, args: list[Typed]) -> Typed:
    """The result of a call, counted if the function can build more than it is given."""
    if not compiler.level or built.numeric:
        return built
    if function.iterator:
        return counted(compiler, built)
    if not function.grows or all(is_short(value.code) for value in args):
        return built
    if function.name != "range" and all(is_short(value.code) for value in args[1:]):
        return counted(compiler, built)
    return counted(compiler, grown(compiler, built))


def grown(compiler: Compiler, built: Typed) -> Typed:
    """A value whose size depends on more than what it is made of."""
    levels = frozenset(range(compiler.level + 1))
    return Typed(built.code, built.type, carries=built.carries | levels)


def is_short(code: ast.expr) -> bool:
    """Whether the code is a literal that multiplies a size only by a small constant."""
    if not isinstance(code, ast.Constant):
        return False
    if isinstance(code.value, str):
        return len(code.value) <= _LITERAL_SIZE
    return code.value is None or (isinstance(code.value, int) and code.value <= _LITERAL_SIZE)
