"""Short ways to write Python syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

S = TypeVar("S", bound=ast.stmt)

NODE_ATTRIBUTE = "nodegx_node"
"""Attribute of a statement: id of the node it belongs to."""


def name(identifier: str) -> ast.Name:
    """A name that is read."""
    return ast.Name(identifier, ast.Load())


def dotted(path: str) -> ast.expr:
    """`a.b.c`."""
    first, *rest = path.split(".")
    code: ast.expr = name(first)
    for part in rest:
        code = ast.Attribute(code, part, ast.Load())
    return code


def call(
    function: ast.expr | str, *args: ast.expr, keywords: Iterable[tuple[str | None, ast.expr]] = ()
) -> ast.Call:
    """A call; keywords in the given order."""
    target = dotted(function) if isinstance(function, str) else function
    return ast.Call(target, list(args), [ast.keyword(key, value) for key, value in keywords])


def assign(identifier: str, value: ast.expr) -> ast.Assign:
    """`identifier = value`."""
    return ast.Assign([ast.Name(identifier, ast.Store())], value, lineno=0)


def negated(condition: ast.expr) -> ast.expr:
    """`not condition`."""
    return ast.UnaryOp(ast.Not(), condition)


def function(
    identifier: str,
    body: Sequence[ast.stmt],
    parameters: Iterable[tuple[str, str]] = (),
    returns: str | None = None,
    *,
    is_async: bool = True,
) -> ast.AsyncFunctionDef | ast.FunctionDef:
    """A function definition; parameters as pairs of name and type."""
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(parameter, dotted(kind)) for parameter, kind in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    result: ast.expr = ast.Constant(None) if returns is None else dotted(returns)
    made: Any = ast.AsyncFunctionDef if is_async else ast.FunctionDef
    extra: dict[str, Any] = {"type_params": []} if "type_params" in made._fields else {}
    return made(identifier, arguments, list(body) or [ast.Pass()], [], result, lineno=0, **extra)


def tagged(statement: S, node: str) -> S:
    """The statement, marked as belonging to a node."""
    setattr(statement, NODE_ATTRIBUTE, node)
    return statement


def keep_tags(statement: S, original: ast.stmt) -> S:
    """The statement, with the marks of the one it stands for."""
    for key, value in vars(original).items():
        if key.startswith("nodegx_"):
            setattr(statement, key, value)
    return statement
