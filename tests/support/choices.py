"""Conditions and cases, for the interpreter."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tests.support.scope import Scope

if TYPE_CHECKING:
    from tests.support.interpreter import Walk

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": operator.eq,
    "notEquals": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def case(walk: Walk, node: str, parameters: Mapping[str, Any], scope: Scope) -> str:
    value = walk.evaluated(node, parameters.get("value"), scope)
    for case in parameters["cases"]:
        if "when" in case:
            if condition(walk, node, case["when"], scope):
                return case["name"]
        elif value == walk.evaluated(node, case["value"], scope):
            return case["name"]
    return "default"


def condition(walk: Walk, node: str, value: Any, scope: Scope) -> bool:
    """An expression, or comparisons in groups."""
    match value:
        case {"all": members}:
            return all(condition(walk, node, member, scope) for member in members)
        case {"any": members}:
            return any(condition(walk, node, member, scope) for member in members)
        case {"not": member}:
            return not condition(walk, node, member, scope)
        case {"left": left, "op": op, "right": right}:
            compare = COMPARISONS[op]
            return compare(walk.evaluated(node, left, scope), walk.evaluated(node, right, scope))
        case _:
            return bool(walk.evaluated(node, value, scope))
