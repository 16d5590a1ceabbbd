"""Calls of functions and methods from the tables, checked against their signatures."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nodegx.runtime.catalog.types import Type

from . import metering
from .foreign import FOREIGN_FUNCTIONS, FOREIGN_METHODS
from .functions import FUNCTIONS, METHODS, Function, Param, find_function, snake
from .names import suggest
from .typed import NUMERIC, OUTSIDE, SEQUENCE, WORDS, Typed, call, carried

if TYPE_CHECKING:
    from .compile import Compiler

_CONSUMERS = frozenset({"any", "all", "sum", "min", "max"})
"""Builtins that take a generator without keeping its elements."""
_UNORDERED = frozenset({"len", "sorted", "any", "all", "sum", "min", "max"})
"""Functions whose result does not depend on the order of a set."""
_SMALL = frozenset({"len", "count", "find", "rfind", "index", "timestamp", "diffTime", "average"})
"""What returns a number of few digits."""
_ROUND_DIGITS = 15


def _call(compiler: Compiler, node: ast.Call) -> Typed:
    if isinstance(node.func, ast.Attribute):
        return _method(compiler, node, node.func)
    assert isinstance(node.func, ast.Name), "the grammar allows names and attributes"
    function = _function(compiler, node.func)
    if function.target == "set":
        raise _no_set(compiler, node)
    if function.target == "run.resume_url":
        return _resume_url(compiler, node, function)
    return _function_call(compiler, node, function)


def _resume_url(compiler: Compiler, node: ast.Call, function: Function) -> Typed:
    wait = _wait_of(node)
    if wait is None:
        message = "`resumeUrl` takes the id of a Wait node, written out"
        raise compiler.error(message, node, f'it is {function.signature}: resumeUrl("approval")')
    return Typed(compiler.resume_url(wait), function.returns, carries=frozenset({OUTSIDE}))


def _wait_of(node: ast.Call) -> ast.Constant | None:
    match node:
        case ast.Call(args=[ast.Constant(value=str()) as wait], keywords=[]):
            return wait
        case _:
            return None


def waits(tree: ast.expr) -> Iterator[ast.Constant]:
    """The ids of waits whose URLs an expression asks for."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
            function = find_function(part.func.id)
            if function is not None and function.target == "run.resume_url":
                wait = _wait_of(part)
                if wait is not None:
                    yield wait


def _function(compiler: Compiler, node: ast.Name) -> Function:
    if compiler.variable(node.id) is not None:
        raise compiler.error(f"`{node.id}` is a variable here, not a function", node, "rename it")
    function = find_function(node.id)
    if function is not None:
        return function
    hint = FOREIGN_FUNCTIONS.get(node.id) or suggest(node.id, FUNCTIONS)
    if not hint and node.id in METHODS:
        hint = f"write value.{METHODS[node.id].signature}"
    raise compiler.error(f"unknown function `{node.id}`", node, hint)


def _function_call(compiler: Compiler, node: ast.Call, function: Function) -> Typed:
    given, keywords = _arguments(compiler, node, function)
    args = metering.arguments(compiler, function, given)
    target = function.target
    if target == "fx.round" and _rounds_natively(args, keywords):
        target = "round"
    codes = {snake(name): value.code for name, value in keywords.items()}
    code = call(target, *(value.code for value in args), **codes)
    if function.iterator:
        code = call("list", code)
    return _typed(compiler, function, code, [*args, *keywords.values()])


def _rounds_natively(args: list[Typed], keywords: dict[str, Typed]) -> bool:
    """Rounding to 10**-n costs time and memory for the n that data can ask for."""
    if keywords:
        return False
    if len(args) == 1:
        return True
    digits = args[1].code
    return (
        isinstance(digits, ast.Constant)
        and isinstance(digits.value, int)
        and digits.value <= _ROUND_DIGITS
    )


def _typed(compiler: Compiler, function: Function, code: ast.expr, args: list[Typed]) -> Typed:
    small = function.name in _SMALL or function.returns is Type.BOOLEAN
    built = Typed(code, function.returns, small, carried(args))
    return metering.result(compiler, function, built, args)


def _method(compiler: Compiler, node: ast.Call, func: ast.Attribute) -> Typed:
    method = METHODS.get(func.attr)
    if method is None:
        hint = FOREIGN_METHODS.get(func.attr)
        if hint is None and (function := find_function(func.attr)) is not None:
            hint = f"write {function.signature}"
        raise compiler.member_error(
            f"there is no method `{func.attr}`", func, hint or suggest(func.attr, METHODS)
        )
    receiver = compiler.visit(func.value)
    _check_receiver(compiler, method, receiver, func)
    args, keywords = _arguments(compiler, node, method)
    if keywords:
        raise compiler.error("methods take no named arguments", node.keywords[0])
    everything = metering.arguments(compiler, method, [receiver, *args])
    receiver, *args = everything
    if method.target == "native" or _shrinks(method, args):
        attribute = ast.Attribute(receiver.code, method.name, ast.Load())
        code: ast.expr = ast.Call(attribute, [value.code for value in args], [])
        if method.iterator:
            code = call("list", code)
    elif method.target == "fx.join":
        everything = [*args, receiver]
        code = call("fx.join", *(value.code for value in everything))
    else:
        code = call(method.target, *(value.code for value in everything))
    result = _typed(compiler, method, code, everything)
    data = receiver.data and method.group == "objects"
    return Typed(result.code, result.type, result.small, result.carries, data)


def _check_receiver(
    compiler: Compiler, method: Function, receiver: Typed, func: ast.Attribute
) -> None:
    if receiver.known and receiver.type not in _RECEIVERS[method.group]:
        hint = "write text(value)" if method.group == "text" else ""
        message = f"{WORDS[receiver.type]} has no method `{method.name}`"
        raise compiler.member_error(message, func, hint)


_RECEIVERS: dict[str, frozenset[Type]] = {
    "text": frozenset({Type.STRING}),
    "arrays and text": SEQUENCE,
    "objects": frozenset({Type.OBJECT}),
}


def _shrinks(method: Function, args: list[Typed]) -> bool:
    """`text.replace(a, b)` with literals of which b is not the longer cannot grow."""
    if method.name != "replace":
        return False
    texts = [getattr(value.code, "value", None) for value in args[:2]]
    old, new = texts
    return isinstance(old, str) and isinstance(new, str) and 0 < len(old) >= len(new)


def _arguments(
    compiler: Compiler, node: ast.Call, function: Function
) -> tuple[list[Typed], dict[str, Typed]]:
    """The compiled arguments, checked for number, names and types: those by position, which
    includes all that are required, and those by name."""
    least, most = function.arity
    given = len(node.args) + len(node.keywords)
    if given < least or (most is not None and given > most):
        raise compiler.error(
            f"`{function.name}` takes {_counted(least, most)}, {given} given",
            node,
            f"it is {function.signature}",
        )
    positional = [
        _argument(compiler, function, _param(function, index), argument)
        for index, argument in enumerate(node.args)
    ]
    named: dict[str, Typed] = {}
    free = {param.name: param for param in function.params[len(node.args) :] if not param.rest}
    for keyword in node.keywords:
        param = next((free[key] for key in free if keyword.arg in {key, snake(key)}), None)
        if param is None or "." not in function.target:
            raise compiler.error(
                f"`{function.name}` has no argument `{keyword.arg}` left to name",
                keyword,
                f"it is {function.signature}",
            )
        del free[param.name]
        named[param.name] = _argument(compiler, function, param, keyword.value)
    missing = [key for key, param in free.items() if not param.optional]
    if missing:
        raise compiler.error(
            f"`{function.name}` misses `{missing[0]}`", node, f"it is {function.signature}"
        )
    needed = [param.name for param in function.params if param.name in named and not param.optional]
    return positional + [named.pop(name) for name in needed], named


def _param(function: Function, index: int) -> Param:
    return function.params[min(index, len(function.params) - 1)]


def _counted(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} argument" + ("s" if least > 1 else "")
    count = str(least) if least == most else f"{least} to {most}"
    return f"{count} argument" + ("" if most == 1 else "s")


def _argument(compiler: Compiler, function: Function, param: Param, node: ast.expr) -> Typed:
    if function.name in _UNORDERED and is_set(node):
        return compiler.container(node)
    if isinstance(node, ast.GeneratorExp) and param.type in {Type.ARRAY, Type.ANY}:
        return compiler.generator(node, lazy=function.target in _CONSUMERS)
    value = compiler.visit(node)
    if value.known and not _accepts(param.type, value.type):
        raise compiler.error(
            f"`{param.name}` of `{function.name}` is {WORDS.get(param.type, param.type)},"
            f" not {WORDS[value.type]}",
            node,
            f"it is {function.signature}",
        )
    return value


def _accepts(wanted: Type, given: Type) -> bool:
    if wanted not in WORDS or wanted is given:
        return True
    if wanted in {Type.NUMBER, Type.INTEGER}:
        return given in NUMERIC
    return wanted is Type.BOOLEAN and given in NUMERIC


def is_set(node: ast.expr) -> bool:
    """Whether a node makes a set."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "set"
    return isinstance(node, ast.Set | ast.SetComp)


def container(compiler: Compiler, node: ast.expr) -> Typed:
    """The right side of `in`, or an argument that may be a set."""
    if isinstance(node, ast.Set):
        items = [compiler.visit(item) for item in node.elts]
        code = ast.Set([item.code for item in items])
        return Typed(code, Type.ARRAY, carries=carried(items))
    if isinstance(node, ast.SetComp):
        return compiler.comprehension(node)
    if isinstance(node, ast.Call) and is_set(node):
        assert isinstance(node.func, ast.Name)
        return _function_call(compiler, node, _function(compiler, node.func))
    return compiler.visit(node)


def _no_set(compiler: Compiler, node: ast.expr) -> Exception:
    return compiler.error(
        "a set has no order, so it cannot be a value",
        node,
        "use it with `in`, len, sorted, min, max, sum, any or all; or write unique([…])",
    )


def _set(compiler: Compiler, node: ast.expr) -> Typed:
    raise _no_set(compiler, node)


HANDLERS: dict[type[ast.expr], Callable[[Compiler, Any], Typed]] = {
    ast.Call: _call,
    ast.Set: _set,
    ast.SetComp: _set,
}
