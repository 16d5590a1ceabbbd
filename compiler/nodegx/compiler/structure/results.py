"""What the `result` of a loop asks of the layout of the loop's body.

An iteration ends with `return <result>`. Where a body ends in several places, the result stands
behind each of these returns, unless that would repeat too much or change what it means: inside of
a `logic.try` it would be guarded, and stand before `finally`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import Graph, Literal, PortRef, Value
from nodegx.runtime.catalog.types import Kind

REPEATABLE = 12
"""Syntax nodes of a result that may stand behind several `return`s."""


@dataclass(frozen=True, slots=True)
class Result:
    """`long` results should stand in one place only; some that are `read` are the value of a node;
    `failing` ones may fail while they are evaluated."""

    long: bool = False
    read: bool = False
    failing: bool = False


def results(graph: Graph) -> Mapping[str, Result]:
    """The results of all loops."""
    return {
        node.id: _result(node.params.get("result"))
        for node in graph.nodes.values()
        if node.type.kind is Kind.FOR_EACH
    }


def _result(value: Value | None) -> Result:
    if value is None:
        return Result(read=True)  # the value of the last action
    if isinstance(value, Literal):
        return Result()
    if isinstance(value, Template) and value.single is not None:
        tree = value.single.tree
        if isinstance(tree, ast.Name) and tree.id in {"item", "index"}:
            return Result()
        return Result(sum(1 for _ in ast.walk(tree)) > REPEATABLE, read=True, failing=True)
    return Result(not isinstance(value, PortRef), read=True, failing=True)
