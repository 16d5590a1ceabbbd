"""A second, deliberately simple reading of templates: the reference the compiled code is held to.

It evaluates the text of a workflow directly, with plain recursion over Python's own parse tree, and
shares nothing with the compiler.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)

BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
}
COMPARE: dict[type[ast.AST], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "sum": sum,
    "min": min,
    "max": max,
    "str": lambda value: render(value),
    "int": int,
    "sorted": sorted,
}


class Names(Protocol):
    """What an expression can see."""

    def lookup(self, name: str) -> Any:
        """The value of a plain name; LookupError when there is no such name."""
        ...

    def member(self, name: str, attribute: str) -> Any:
        """The value of `name.attribute` where that is not a key of the value (`charge.error`,
        `loop.item`); LookupError otherwise."""
        ...

    def node(self, node: str) -> Any:
        """The value of `nodes["node"]`."""
        ...


def evaluate(value: Any, names: Names) -> Any:
    """A parameter with every template in it replaced by its value."""
    if isinstance(value, str):
        return _text(value, names)
    if isinstance(value, list):
        return [evaluate(item, names) for item in value]
    if isinstance(value, Mapping):
        return {key: evaluate(item, names) for key, item in value.items()}
    return value


def render(value: Any) -> str:
    """A value inside text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def expression(source: str, names: Names) -> Any:
    """The value of one bare expression."""
    return _walk(ast.parse(source.strip(), mode="eval").body, names)


def _text(text: str, names: Names) -> Any:
    whole = TEMPLATE.fullmatch(text.strip())
    if whole and text.strip().count("{{") == 1:
        return expression(whole[1], names)
    return TEMPLATE.sub(lambda match: render(expression(match[1], names)), text)


def _walk(tree: ast.expr, names: Names) -> Any:
    match tree:
        case ast.Constant():
            return tree.value
        case ast.Name():
            return names.lookup(tree.id)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            try:
                return names.member(name, attribute)
            except LookupError:
                return names.lookup(name)[attribute]
        case ast.Attribute(
            value=ast.Subscript(value=ast.Name(id="nodes"), slice=ast.Constant(value=str(node))),
            attr=attribute,
        ):
            try:
                return names.member(node, attribute)
            except LookupError:
                return names.node(node)[attribute]
        case ast.Attribute():
            return _walk(tree.value, names)[tree.attr]
        case ast.Subscript(value=ast.Name(id="nodes"), slice=ast.Constant(value=str(node))):
            return names.node(node)
        case ast.Subscript():
            return _walk(tree.value, names)[_walk(tree.slice, names)]
        case ast.BinOp():
            return BINARY[type(tree.op)](_walk(tree.left, names), _walk(tree.right, names))
        case ast.UnaryOp(op=ast.Not()):
            return not _walk(tree.operand, names)
        case ast.UnaryOp(op=ast.USub()):
            return -_walk(tree.operand, names)
        case ast.BoolOp(op=ast.And()):
            return _all(tree.values, names)
        case ast.BoolOp():
            return _any(tree.values, names)
        case ast.Compare():
            left = _walk(tree.left, names)
            for op, right_tree in zip(tree.ops, tree.comparators, strict=True):
                right = _walk(right_tree, names)
                if not COMPARE[type(op)](left, right):
                    return False
                left = right
            return True
        case ast.IfExp():
            return _walk(tree.body if _walk(tree.test, names) else tree.orelse, names)
        case ast.List():
            return [_walk(item, names) for item in tree.elts]
        case ast.Dict():
            return {
                _walk(key, names): _walk(value, names)
                for key, value in zip(tree.keys, tree.values, strict=True)
                if key is not None
            }
        case ast.Call(func=ast.Name(id=name)):
            return FUNCTIONS[name](*(_walk(argument, names) for argument in tree.args))
        case _:
            raise NotImplementedError(ast.dump(tree))


def _all(trees: list[ast.expr], names: Names) -> Any:
    value: Any = True
    for tree in trees:
        value = _walk(tree, names)
        if not value:
            break
    return value


def _any(trees: list[ast.expr], names: Names) -> Any:
    value: Any = False
    for tree in trees:
        value = _walk(tree, names)
        if value:
            break
    return value
