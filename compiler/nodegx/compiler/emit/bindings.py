"""What stands for the values of nodes in a handler: variables, their parts, whole values."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from nodegx.compiler.expressions import Binding, value
from nodegx.compiler.graph import GraphNode, member
from nodegx.compiler.scopes import Presence
from nodegx.runtime.catalog import CATALOG
from nodegx.runtime.catalog.types import Output, Type
from nodegx.runtime.errors import ErrorInfo

from .syntax import call, name

MAYBE = "nodegx_maybe"
"""Attribute of a variable that is read: it may not have been assigned."""
VARIABLE = "nodegx_variable"
"""Attribute of a name that is a node's variable."""
PRESENT = "nodegx_present"
"""Attribute of code for a whole value: the variable that says whether there is one."""

ITEM_TYPES: Mapping[str, Type] = {"item": Type.ANY, "index": Type.INTEGER}
ARGUMENT_TYPES: Mapping[str, Type] = {**ITEM_TYPES, "attempt": Type.INTEGER}
"""Types of the arguments that expressions with a function of their own are given."""
ERROR_TYPES: Mapping[str, Type] = {
    "message": Type.STRING,
    "code": Type.STRING,
    "category": Type.STRING,
    "attempts": Type.INTEGER,
}

RESPONSE = "response"
"""Output of a wait for a condition, and what the condition calls it."""


def variable(identifier: str, presence: Presence = Presence.CERTAIN) -> ast.Name:
    """A node's variable that is read."""
    read = name(identifier)
    setattr(read, VARIABLE, True)
    setattr(read, MAYBE, presence is Presence.MAYBE)
    return read


def node_binding(
    node: GraphNode, read: ast.expr, presence: Presence, members: Mapping[str, Binding]
) -> Binding:
    """The binding of a node that has a value.

    Args:
        node: the node, not a pure one.
        read: the variable with its value.
        presence: whether that has been assigned.
        members: names below the node's besides its outputs, such as `error`.
    """
    whole = node.type.whole
    if whole is None:
        if not node.outputs:
            return Binding(None, members=members, noun="port")
        ports = {output.name: _port(node, output, read) for output in node.outputs}
        return Binding(_whole(node, read, presence), Type.OBJECT, {**members, **ports}, noun="port")
    if node.routed:
        code = _when_present(read, ast.Attribute(read, "value", ast.Load()), presence)
        return Binding(code, Type.ANY, members, open=True)
    kind = whole.type if presence is Presence.CERTAIN else Type.ANY
    return Binding(read, kind, members, open=True)


def error_binding(read: ast.expr, presence: Presence) -> Binding:
    """The binding of a node's error."""
    members = {
        field: value(ast.Attribute(read, field, ast.Load()), ERROR_TYPES.get(field, Type.ANY))
        for field in ErrorInfo._fields
    }
    return Binding(_as_dict(read, presence), Type.OBJECT, members, noun="field")


def argument_binding(node: GraphNode, argument: str, read: ast.expr) -> Binding:
    """The binding of an argument of the function that a parameter of `node` becomes."""
    if argument == RESPONSE and asks_over_http(node):
        return _response(read, Presence.CERTAIN)
    return value(read, ARGUMENT_TYPES.get(argument, Type.ANY))


def asks_over_http(node: GraphNode) -> bool:
    """Whether a wait for a condition sends requests, whose responses have named parts."""
    return member(node.params.get("poll"), "url") is not None


def _port(node: GraphNode, output: Output, read: ast.expr) -> Binding:
    code = ast.Attribute(read, output.name, ast.Load())
    if output.name == RESPONSE and asks_over_http(node):
        return _response(code, Presence.MAYBE)  # there may have been no answer at all
    return value(code, output.type)


def _response(read: ast.expr, presence: Presence) -> Binding:
    outputs: Iterable[Output] = CATALOG["http.request"].outputs
    members = {
        output.name: value(ast.Attribute(read, output.name, ast.Load()), output.type)
        for output in outputs
    }
    return Binding(_as_dict(read, presence), Type.OBJECT, members, noun="port")


def _whole(node: GraphNode, read: ast.expr, presence: Presence) -> ast.expr:
    """The code of a value of named parts as plain JSON."""
    if node.type.type != "logic.wait" or not asks_over_http(node):
        return _as_dict(read, presence)
    response = _as_dict(ast.Attribute(read, RESPONSE, ast.Load()), Presence.MAYBE)
    plain = ast.Dict([ast.Constant(RESPONSE)], [response])
    code = ast.BinOp(call(ast.Attribute(read, "_asdict", ast.Load())), ast.BitOr(), plain)
    setattr(code, PRESENT, read)
    return _when_present(read, code, presence)


def _as_dict(read: ast.expr, presence: Presence) -> ast.expr:
    whole = call(ast.Attribute(read, "_asdict", ast.Load()))
    setattr(whole, PRESENT, read)
    return _when_present(read, whole, presence)


def _when_present(read: ast.expr, code: ast.expr, presence: Presence) -> ast.expr:
    """`code`, or None where the variable it reads has not been assigned."""
    if presence is Presence.CERTAIN:
        return code
    whole = ast.BoolOp(ast.And(), [read, code])
    setattr(whole, PRESENT, read)
    return whole
