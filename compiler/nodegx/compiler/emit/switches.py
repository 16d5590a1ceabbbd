"""`match` statements of switches."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, cast

from nodegx.compiler.graph import DictValue, GraphNode, ListValue, Literal, Value
from nodegx.compiler.naming import Naming
from nodegx.runtime.catalog.types import Kind

from .bindings import variable
from .syntax import call
from .values import Consumer

Body = list[ast.stmt]


def subject(node: GraphNode, consumer: Consumer, constant: ast.expr, naming: Naming) -> ast.expr:
    """What a `match` looks at: the name of the case that fits.

    A switch whose cases have values compares (`run.match`); one with conditions chooses
    (`run.switch`), and so does an action with outputs of its own.
    """
    if node.type.kind is not Kind.SWITCH:
        port = ast.Attribute(variable(naming.variable(node.id)), "port", ast.Load())
        return call("run.switch", constant, port)
    cases = _cases(node)
    pointer = node.param_pointer("cases")
    if not any("when" in case for case in cases):
        names: list[ast.expr | None] = [ast.Constant(_name(case)) for case in cases]
        values = [
            consumer.value(case["value"], (*pointer, place, "value"))
            for place, case in enumerate(cases)
        ]
        return call("run.match", constant, _compared(consumer), ast.Dict(names, values))
    chosen: ast.expr = ast.Constant("default")
    for place, case in reversed(list(enumerate(cases))):
        if "when" in case:
            test = consumer.condition(case["when"], (*pointer, place, "when"))
        else:
            value = consumer.value(case["value"], (*pointer, place, "value"))
            test = ast.Compare(_compared(consumer), [ast.Eq()], [value])
        chosen = ast.IfExp(test, ast.Constant(_name(case)), chosen)
    return call("run.switch", constant, chosen)


def _compared(consumer: Consumer) -> ast.expr:
    if "value" not in consumer.node.params:
        return ast.Constant(None)
    return consumer.argument("value")


def _cases(node: GraphNode) -> list[dict[str, Value]]:
    """The cases as mappings of their keys."""
    listed = node.params["cases"]
    if isinstance(listed, ListValue):
        return [_members(item) for item in listed.items]
    assert isinstance(listed, Literal), "checked"
    return [_members(Literal(item)) for item in cast("list[Any]", listed.value)]


def _members(case: Value) -> dict[str, Value]:
    if isinstance(case, DictValue):
        return dict(case.items)
    assert isinstance(case, Literal), "checked"
    return {key: Literal(value) for key, value in case.value.items()}


def _name(case: dict[str, Value]) -> str:
    named = case["name"]
    assert isinstance(named, Literal), "checked"
    return str(named.value)


def case_patterns(
    cases: Sequence[tuple[tuple[str, ...], Body]], default: Body
) -> list[ast.match_case]:
    """The cases of a `match`; one that does nothing is left out unless `default` does something."""
    made: list[ast.match_case] = []
    for names, body in cases:
        if body or default:
            patterns: list[ast.pattern] = [ast.MatchValue(ast.Constant(name)) for name in names]
            pattern = patterns[0] if len(patterns) == 1 else ast.MatchOr(patterns)
            made.append(ast.match_case(pattern, body=body or [ast.Pass()]))
    if default:
        made.append(ast.match_case(ast.MatchAs(), body=default))
    return made
