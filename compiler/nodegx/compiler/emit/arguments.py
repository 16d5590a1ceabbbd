"""Calls of implementations: which parameters they are given, and how."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any, cast

from nodegx.compiler.expressions.values import literal
from nodegx.compiler.graph import DictValue, GraphNode, Literal
from nodegx.runtime.catalog.types import Type
from nodegx.runtime.node import Retry

from .syntax import call, dotted
from .values import Consumer

Keyword = tuple[str | None, ast.expr]


def arguments(node: GraphNode, consumer: Consumer) -> tuple[list[ast.expr], list[Keyword]]:
    """The arguments of a node's implementation: positional ones, then those by keyword that differ
    from their defaults."""
    positional = [name for name in node.type.positional if name in node.params]
    given = [consumer.argument(name) for name in positional]
    keywords: list[Keyword] = [
        (param.keyword, consumer.argument(param.name))
        for param in node.type.params
        if param.runtime
        and param.name in node.params
        and param.name not in positional
        and not node.is_default(param.name)
    ]
    return given, keywords


def code_arguments(node: GraphNode, consumer: Consumer) -> list[Keyword]:
    """The arguments of a user's function."""
    inputs = node.params.get("inputs")
    pointer = node.param_pointer("inputs")
    match inputs:
        case None | Literal(value=None):
            return []
        case DictValue(items=members):
            return [(key, consumer.value(value, (*pointer, key))) for key, value in members]
        case Literal(value=dict()):
            members = cast("dict[str, Any]", inputs.value)
            return [(key, literal(value)) for key, value in members.items()]
        case _:
            return [(None, consumer.value(inputs, pointer))]


def retry_policy(policy: Retry) -> ast.expr:
    """`Retry(…)` with what differs from its defaults."""
    return call("Retry", keywords=_changed(policy))


def _changed(policy: Retry) -> Iterable[Keyword]:
    for name, default in Retry._field_defaults.items():
        value = getattr(policy, name)
        if value != default:
            yield name, constant(value)


def retry_parameters(node: GraphNode, consumer: Consumer) -> ast.expr:
    """The `Retry(…)` of a `logic.retry`, whose fields may be computed."""
    defaults = Retry._field_defaults
    keywords: list[Keyword] = []
    for param in node.type.params:
        value = node.params.get(param.name)
        if isinstance(value, Literal):
            plain = _field(param.type, value.value)
            if plain != defaults[param.keyword]:
                keywords.append((param.keyword, constant(plain)))
        elif value is not None:
            keywords.append((param.keyword, consumer.argument(param.name)))
    return call("Retry", keywords=keywords)


def _field(kind: Type, value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(value)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    if kind in {Type.DURATION, Type.NUMBER} and isinstance(value, int):
        return float(value)
    return value


def constant(value: object) -> ast.expr:
    """Python for plain data; a tuple stays one."""
    if isinstance(value, tuple):
        parts: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return ast.Tuple([constant(part) for part in parts], ast.Load())
    return literal(value)


def node_declaration(node: GraphNode) -> ast.expr:
    """`Node("charge", "http.request", retry=Retry(…), timeout=10.0)`."""
    keywords: list[Keyword] = []
    if node.retry is not None:
        keywords.append(("retry", retry_policy(node.retry)))
    if node.timeout is not None:
        keywords.append(("timeout", literal(node.timeout)))
    return call(dotted("Node"), literal(node.id), literal(node.type.type), keywords=keywords)
