"""Compiles parsed expressions to Python, and tells their types."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from nodegx.runtime.catalog.types import Type

from . import calls, loops, operators
from .errors import ExpressionError
from .functions import FUNCTIONS, find_function
from .grammar import Places
from .metering import counted
from .names import Reference, Resolved, Resolver, path_of, references, type_of
from .syntax import Expression, Template
from .typed import NUMERIC, OUTSIDE, WORDS, Typed, carried, name, union

GENERATED_NAMES = frozenset({"fx", "run"}) | {
    function.target for function in FUNCTIONS.values() if "." not in function.target
}
"""Names that compiled expressions read besides those that the resolver supplies. Handlers must not
give them another meaning."""


def compile_expression(expression: Expression, names: Resolver) -> ast.expr:
    """The Python for an expression.

    Raises:
        ExpressionError: an unknown name, port, function or method, a wrong number of arguments, or
            types that can never work together.
    """
    return _compiled(expression, names).code


def compile_template(template: Template, names: Resolver) -> ast.expr:
    """The Python for a parameter: the expression's value if it stands alone, else text.

    Raises:
        ExpressionError: see `compile_expression`.
    """
    if template.single is not None:
        return compile_expression(template.single, names)
    return operators.text_of(
        part if isinstance(part, str) else (_compiled(part, names), "") for part in template.parts
    )


def infer(source: Expression | Template, names: Resolver | None = None) -> Type:
    """The type of the value, `Type.ANY` where only the data can tell.

    Args:
        source: what to look at.
        names: supplies the types of names; without it they are unknown.

    Raises:
        ExpressionError: see `compile_expression`; nothing about names if `names` is None.
    """
    if isinstance(source, Template):
        if source.single is None:
            return Type.STRING
        source = source.single
    return _compiled(source, names or _AnyNames()).type


def problems(template: Template) -> list[ExpressionError]:
    """What is wrong with the expressions of a template whatever its names stand for: functions and
    methods that do not exist, wrong arguments, types that never work together. At most one for
    each expression."""
    found: list[ExpressionError] = []
    for part in template.parts:
        if isinstance(part, Expression):
            try:
                _compiled(part, _AnyNames())
            except ExpressionError as error:
                found.append(error)
    return found


class _AnyNames:
    def resolve(self, reference: Reference) -> Resolved:
        return Resolved(name(reference.root))

    def resume_url(self, node: str, offset: int) -> ast.expr:
        del node, offset
        return name("run")


def _compiled(expression: Expression, names: Resolver) -> Typed:
    result = Compiler(expression, names).visit(expression.tree)
    if isinstance(result.code, ast.Tuple):
        return result.with_code(ast.List(result.code.elts, ast.Load()))
    return result


class Compiler:
    """Compiles one expression. The handlers of each kind of syntax are in the sibling modules.

    `loops` are the variables of the comprehensions around the current place, innermost last.
    `metered` says that something in the outermost comprehension is counted at run time.
    """

    def __init__(self, expression: Expression, names: Resolver) -> None:
        self.at = Places(expression.source, expression.offset)
        self.loops: list[Mapping[str, Typed]] = []
        self.metered = False
        self._names = names
        self._expression = expression
        self._taken: frozenset[str] | None = None

    @property
    def level(self) -> int:
        """How many loops are around the current place."""
        return len(self.loops)

    @property
    def taken(self) -> frozenset[str]:
        """Names that the code reads from outside, which no loop variable may hide."""
        if self._taken is None:
            codes = [self._names.resolve(found).code for found in references(self._expression)]
            codes += [self.resume_url(wait) for wait in calls.waits(self._expression.tree)]
            self._taken = GENERATED_NAMES | {
                node.id for code in codes for node in ast.walk(code) if isinstance(node, ast.Name)
            }
        return self._taken

    def resume_url(self, wait: ast.Constant) -> ast.expr:
        """The code of the URL of a wait, which is given by its id."""
        return self._names.resume_url(str(wait.value), self.at(wait))

    def error(self, message: str, node: ast.AST, hint: str = "") -> ExpressionError:
        """An error at a node."""
        return ExpressionError(message, self.at(node), hint)

    def member_error(self, message: str, node: ast.Attribute, hint: str = "") -> ExpressionError:
        """An error at the name after a dot."""
        return ExpressionError(message, self.at.member(node), hint)

    def variable(self, identifier: str) -> Typed | None:
        """The loop variable of that name, or None."""
        for scope in reversed(self.loops):
            if identifier in scope:
                return scope[identifier]
        return None

    def visit(self, node: ast.expr) -> Typed:
        """The code for a node."""
        result = _HANDLERS[type(node)](self, node)
        if result.type in NUMERIC and result.carries:
            return Typed(result.code, result.type, result.small, data=result.data)
        return result

    def container(self, node: ast.expr) -> Typed:
        """The code for a node that may be a set."""
        return calls.container(self, node)

    def comprehension(self, node: ast.SetComp) -> Typed:
        """The code for a comprehension of a set."""
        return loops.comprehension(self, node)

    def generator(self, node: ast.GeneratorExp, *, lazy: bool) -> Typed:
        """The code for a generator that is an argument."""
        return loops.generator(self, node, lazy=lazy)

    def key(self, value: Typed, key: str | int, offset: int) -> Typed:
        """Reads one constant key or position."""
        word = WORDS.get(value.type)
        positional = isinstance(key, int)
        allowed = {Type.STRING, Type.ARRAY} if positional else {Type.OBJECT}
        if word and value.type not in allowed:
            what = f"position {key}" if positional else f"key {key!r}"
            hint = "write len(value)" if key in {"length", "size"} else ""
            raise ExpressionError(f"this is {word}, it has no {what}", offset, hint)
        code = ast.Subscript(value.code, _constant(key), ast.Load())
        type = Type.STRING if value.type is Type.STRING else Type.ANY
        return Typed(code, type, carries=value.carries, data=value.data)

    def read(self, node: ast.expr) -> Typed:
        """A name, or keys read from something."""
        reference = path_of(node, self.at)
        if reference is None:
            return self._step(node)
        value = self.variable(reference.root)
        consumed = 0
        if value is None:
            resolved = self._resolve(reference)
            consumed = resolved.consumed
            small = resolved.type in NUMERIC
            carries = frozenset({OUTSIDE})
            value = Typed(resolved.code, resolved.type, small, carries, data=True)
        for key, offset in zip(
            reference.path[consumed:], reference.offsets[consumed:], strict=True
        ):
            value = self.key(value, key, offset)
        return value

    def _resolve(self, reference: Reference) -> Resolved:
        try:
            return self._names.resolve(reference)
        except ExpressionError as error:
            function = find_function(reference.root)
            if function is None or reference.path:
                raise
            raise ExpressionError(
                f"`{reference.root}` is a function", error.offset, f"call it: {function.signature}"
            ) from None

    def _step(self, node: ast.expr) -> Typed:
        if isinstance(node, ast.Attribute):
            return self.key(self.visit(node.value), node.attr, self.at.member(node))
        assert isinstance(node, ast.Subscript), "path_of covers names"
        value = self.visit(node.value)
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            if value.known and value.type not in {Type.STRING, Type.ARRAY}:
                raise self.error(f"{WORDS[value.type]} cannot be sliced", node.slice)
            parts = [bound and self.visit(bound).code for bound in bounds]
            part = ast.Subscript(value.code, ast.Slice(*parts), ast.Load())
            return counted(self, value.with_code(part))
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str | int):
            return self.key(value, node.slice.value, self.at(node.slice))
        if value.numeric:
            raise self.error(f"{WORDS[value.type]} has no elements", node.slice)
        code = ast.Subscript(value.code, self.visit(node.slice).code, ast.Load())
        type = Type.STRING if value.type is Type.STRING else Type.ANY
        return Typed(code, type, carries=value.carries, data=value.data)


def _constant(value: str | int) -> ast.expr:
    if isinstance(value, int) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _literal(_: Compiler, node: ast.Constant) -> Typed:
    type = type_of(node.value)
    return Typed(ast.Constant(node.value), type, small=type in NUMERIC)


def _sequence(compiler: Compiler, node: ast.List | ast.Tuple) -> Typed:
    items = [compiler.visit(item) for item in node.elts]
    code = node.__class__([item.code for item in items], ast.Load())
    return Typed(code, Type.ARRAY, carries=carried(items))


def _object(compiler: Compiler, node: ast.Dict) -> Typed:
    keys = [compiler.visit(key) for key in node.keys if key is not None]
    values = [compiler.visit(value) for value in node.values]
    code = ast.Dict([key.code for key in keys], [value.code for value in values])
    return Typed(code, Type.OBJECT, carries=carried((*keys, *values)))


def _choice(compiler: Compiler, node: ast.IfExp) -> Typed:
    test = compiler.visit(node.test)
    body, orelse = compiler.visit(node.body), compiler.visit(node.orelse)
    type, carries = union((body, orelse))
    small = body.small and orelse.small
    data = body.data and orelse.data
    return Typed(ast.IfExp(test.code, body.code, orelse.code), type, small, carries, data)


_HANDLERS: dict[type[ast.expr], Callable[[Compiler, Any], Typed]] = {
    ast.Constant: _literal,
    ast.Name: Compiler.read,
    ast.Attribute: Compiler.read,
    ast.Subscript: Compiler.read,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Dict: _object,
    ast.IfExp: _choice,
    **operators.HANDLERS,
    **calls.HANDLERS,
    **loops.HANDLERS,
}
