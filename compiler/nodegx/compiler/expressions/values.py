"""Compiles whole parameter values: JSON with templates and data wires inside."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, cast

from nodegx.compiler.graph import DictValue, ListValue, Literal, PortRef, Value

from .compile import compile_template
from .names import Resolver


def compile_value(
    value: Value, names: Resolver, port: Callable[[PortRef], ast.expr] | None = None
) -> ast.expr:
    """The Python for a parameter.

    Args:
        value: the parameter.
        names: the meaning of names in its templates.
        port: the code of a data wire; needed only if there are any.

    Raises:
        ExpressionError: see `compile_expression`.
    """
    match value:
        case Literal():
            return literal(value.value)
        case ListValue():
            return ast.List([compile_value(item, names, port) for item in value.items], ast.Load())
        case DictValue():
            keys: list[ast.expr | None] = [ast.Constant(key) for key, _ in value.items]
            return ast.Dict(keys, [compile_value(item, names, port) for _, item in value.items])
        case PortRef():
            if port is None:
                raise ValueError(f"no code for the data wire from {value.node}.{value.port}")
            return port(value)
        case _:
            return compile_template(value, names)


def literal(value: Any) -> ast.expr:
    """The Python for plain JSON.

    Raises:
        TypeError: it is not JSON.
    """
    match value:
        case None | bool() | str():
            return ast.Constant(value)
        case int() | float():
            if value < 0:
                return ast.UnaryOp(ast.USub(), ast.Constant(-value))
            return ast.Constant(value)
        case list() | tuple():
            return ast.List([literal(item) for item in cast(list[Any], value)], ast.Load())
        case dict():
            pairs = cast(dict[str, Any], value)
            return ast.Dict([ast.Constant(key) for key in pairs], [*map(literal, pairs.values())])
        case _:
            raise TypeError(f"{type(value).__name__} is not JSON")
