"""Comprehensions.

One loop over data is as long as the data. A loop inside a loop can be as long as their product,
so its steps are counted while it runs, unless it only descends into the outer loop's element.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nodegx.runtime.catalog.types import Type

from .functions import METHODS, find_function
from .typed import Typed, call, carried, name

if TYPE_CHECKING:
    from .compile import Compiler

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def comprehension(compiler: Compiler, node: _Comprehension) -> Typed:
    """The code of a comprehension, as the kind it is written in."""
    outermost = not compiler.level
    outside = len(compiler.loops)
    clauses: list[ast.comprehension] = []
    sources: list[Typed] = []
    for clause in node.generators:
        source = _source(compiler, clause.iter)
        target = _enter(compiler, clause.target, source)
        ifs = [compiler.visit(condition).code for condition in clause.ifs]
        clauses.append(ast.comprehension(target, source.code, ifs, 0))
        sources.append(source)
    if isinstance(node, ast.DictComp):
        parts = [compiler.visit(node.key), compiler.visit(node.value)]
    else:
        parts = [compiler.visit(node.elt)]
    del compiler.loops[outside:]
    if outermost and compiler.metered:
        clauses[0].iter = call("fx.loop", clauses[0].iter)
        compiler.metered = False
    levels = frozenset(level for level in carried((*parts, *sources)) if level <= outside)
    if isinstance(node, ast.DictComp):
        code = ast.DictComp(parts[0].code, parts[1].code, clauses)
        return Typed(code, Type.OBJECT, carries=levels)
    return Typed(node.__class__(parts[0].code, clauses), Type.ARRAY, carries=levels)


def generator(compiler: Compiler, node: ast.GeneratorExp, *, lazy: bool) -> Typed:
    """A generator that is a function's argument: a list unless the function is `lazy`."""
    if lazy:
        return comprehension(compiler, node)
    as_list = ast.ListComp(node.elt, node.generators)
    return comprehension(compiler, ast.copy_location(as_list, node))


def _source(compiler: Compiler, node: ast.expr) -> Typed:
    """What a `for` runs over. Inside another loop its length is counted, except that of a part
    of the innermost element: those parts together are no longer than the data."""
    source = _unlisted(compiler, node, compiler.visit(node))
    if source.numeric:
        raise compiler.error("a number has no elements", node, "write range(n)")
    if not compiler.level or (source.data and source.carries == frozenset({compiler.level})):
        return source
    compiler.metered = True
    return source.with_code(call("fx.nested", _listed(node, _uncounted(source.code))))


def _uncounted(code: ast.expr) -> ast.expr:
    """What is only looped over need not be counted twice."""
    if isinstance(code, ast.Call) and ast.unparse(code.func) == "fx.counted":
        return code.args[0]
    return code


def _unlisted(compiler: Compiler, node: ast.expr, source: Typed) -> Typed:
    """`for` needs no list where the function gives an iterator."""
    if not isinstance(node, ast.Call) or not _is_iterator(node):
        return source
    data = source.data
    if isinstance(node.func, ast.Name):
        data = all(_is_data(compiler, argument) for argument in node.args)
    code = _uncounted(source.code)
    assert isinstance(code, ast.Call), "iterators are wrapped in list()"
    return replace(source, code=code.args[0], data=data)


def _is_data(compiler: Compiler, node: ast.expr) -> bool:
    """Whether an argument of `zip` or `enumerate` is plain data, not something built."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if not isinstance(node, ast.Name):
        return isinstance(node, ast.Constant)
    variable = compiler.variable(node.id)
    return variable is None or variable.data


def _listed(node: ast.expr, code: ast.expr) -> ast.expr:
    return call("list", code) if _is_iterator(node) else code


def _is_iterator(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return METHODS[node.func.attr].iterator
    function = find_function(node.func.id) if isinstance(node.func, ast.Name) else None
    return function is not None and function.iterator


def _enter(compiler: Compiler, target: ast.expr, source: Typed) -> ast.expr:
    """Opens the scope of a clause and gives the target in Python's names."""
    level = frozenset({compiler.level + 1})
    variable = Typed(target, carries=level, data=source.data)
    if isinstance(target, ast.Name) and _counts(source.code):
        variable = Typed(target, Type.INTEGER, small=True)
    scope: dict[str, Typed] = {}
    renamed = _rename(compiler, target, scope, variable)
    compiler.loops.append(scope)
    return renamed


def _counts(code: ast.expr) -> bool:
    if isinstance(code, ast.Call) and ast.unparse(code.func) == "fx.nested":
        code = code.args[0]
    return isinstance(code, ast.Call) and ast.unparse(code.func) == "fx.range"


def _rename(
    compiler: Compiler, target: ast.expr, scope: dict[str, Typed], variable: Typed
) -> ast.expr:
    if isinstance(target, ast.Name):
        identifier = _free_name(compiler, target.id)
        scope[target.id] = variable.with_code(name(identifier))
        return ast.Name(identifier, ast.Store())
    assert isinstance(target, ast.Tuple), "the grammar allows names and tuples of names"
    parts = [_rename(compiler, part, scope, variable) for part in target.elts]
    return ast.Tuple(parts, ast.Store())


def _free_name(compiler: Compiler, wanted: str) -> str:
    """`wanted`, or with a number behind it where the code needs that name for something else."""
    identifier = wanted
    number = 2
    while identifier in compiler.taken or (
        identifier != wanted and _is_used(compiler.loops, identifier)
    ):
        identifier = f"{wanted}_{number}"
        number += 1
    return identifier


def _is_used(scopes: list[Mapping[str, Typed]], identifier: str) -> bool:
    return any(
        isinstance(variable.code, ast.Name) and variable.code.id == identifier
        for scope in scopes
        for variable in scope.values()
    )


def _bare_generator(compiler: Compiler, node: ast.GeneratorExp) -> Typed:
    raise compiler.error("a generator is no value", node, "write it in square brackets: [… for …]")


HANDLERS: dict[type[ast.expr], Callable[[Compiler, Any], Typed]] = {
    ast.ListComp: comprehension,
    ast.DictComp: comprehension,
    ast.GeneratorExp: _bare_generator,
}
