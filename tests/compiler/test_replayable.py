"""Handlers can be left in the middle and run again: between their steps they do nothing but compute,
and no `finally` keeps what unwinds them from leaving."""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from nodegx.compiler.diagnostics import DiagnosticError
from nodegx.compiler.expressions.functions import FUNCTIONS, METHODS
from nodegx.compiler.pipeline import compile_source
from nodegx.compiler.read import parse, read
from nodegx.runtime.run import Run

from tests.support.drawing import callees
from tests.support.graphs import Document, compiled, document, node, put
from tests.support.workflows import Case, well_formed_workflows

pytestmark = pytest.mark.slow

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))

NATIVE = {method.name for method in METHODS.values() if method.target == "native"}
BUILTINS = {f.target for f in FUNCTIONS.values() if "." not in f.target} | {"list", "round"}
OURS = {
    "fx",
    "run",
    *(path.stem for path in Path(__file__).parents[2].glob("runtime/nodegx/runtime/nodes/*.py")),
}


def handler_of(text: str) -> ast.AsyncFunctionDef:
    """The handler itself; the functions of code nodes stand beside it."""
    found = [part for part in ast.parse(text).body if isinstance(part, ast.AsyncFunctionDef)]
    (handler,) = (part for part in found if part.decorator_list)
    return handler


def faults(handler: ast.AsyncFunctionDef) -> Iterator[str]:
    """What a handler does that could not be done twice."""
    defined = {part.name for part in ast.walk(handler) if isinstance(part, ast.AsyncFunctionDef)}
    for part in ast.walk(handler):
        match part:
            case ast.Delete() | ast.AugAssign() | ast.AnnAssign() | ast.Global() | ast.With():
                yield f"line {part.lineno}: {ast.unparse(part)}"
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                yield f"line {part.lineno}: {ast.unparse(part)} is changed"
            case ast.Call() if not _harmless(part.func, defined):
                yield f"line {part.lineno}: {ast.unparse(part)} is called"
            case ast.Try():
                yield from _leaving(part)
            case _:
                pass


def _harmless(called: ast.expr, defined: set[str]) -> bool:
    match called:
        case ast.Name():
            return called.id in {*defined, *BUILTINS, "Retry", "workflow"}
        case ast.Attribute(value=ast.Name(id="run")):
            return hasattr(Run, called.attr)
        case ast.Attribute(value=ast.Name() as module) if module.id in OURS:
            return True
        case ast.Attribute():
            return called.attr in NATIVE or called.attr == "_asdict"
        case _:
            return False


def _leaving(guarded: ast.Try) -> Iterator[str]:
    """What would swallow the exception that unwinds a handler, or pass for it."""
    for handler in guarded.handlers:
        if not (isinstance(handler.type, ast.Name) and handler.type.id == "Exception"):
            yield f"line {handler.lineno}: catches more than failures"
    pending: list[ast.AST] = list(guarded.finalbody)
    while pending:
        part = pending.pop()
        if isinstance(part, ast.Return | ast.Break | ast.Continue):
            yield f"line {part.lineno}: `finally` is left"
        if isinstance(part, ast.Raise) and not ast.unparse(part).startswith("raise run.stop("):
            yield f"line {part.lineno}: `finally` raises"
        if not isinstance(part, ast.AsyncFunctionDef):
            pending += ast.iter_child_nodes(part)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_handlers(path: Path) -> None:
    (one,) = compile_source(read(path))
    assert list(faults(handler_of(one.handler))) == []


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(well_formed_workflows())
def test_drawn_handlers(case: Case) -> None:
    try:
        made = compile_source(parse(json.dumps({"components": [case.document, *callees()]})))
    except DiagnosticError:
        return  # not what this is about
    for one in made:
        assert list(faults(handler_of(one.handler))) == [], one.handler


def guarded(wires: str, *nodes: Document) -> ast.AsyncFunctionDef:
    drawn = document(f"start > t; t.try > a; {wires}", node("t", "logic.try"), *nodes)
    return handler_of(compiled(drawn).handler)


def test_a_finally_that_ends_early_is_a_function() -> None:
    loop = node("l", "logic.forEach", items=[1])
    big = node("big", "logic.if", condition="{{ start.n > 1 }}")
    made = guarded(
        "t.finally > big; big.true > x > y > z > v > w; big.false > l; l.iteration > b",
        big,
        loop,
        put("b"),
    )
    assert list(faults(made)) == []
    assert "finally:" in ast.unparse(made)


def test_a_stop_in_a_finally_is_left_to_the_run() -> None:
    """`run.stop` is asked first; it lets nothing replace what unwinds the handler."""
    made = guarded("t.finally > s", node("s", "logic.stop"))
    assert "raise run.stop(S)" in ast.unparse(made)
    assert list(faults(made)) == []


def test_the_check_sees_what_it_should() -> None:
    text = (
        "async def h(run):\n"
        "    x.y = 1\n    x['a'] = 2\n    x += 1\n    x.append(3)\n    open('f')\n"
        "    try:\n        pass\n    except BaseException:\n        pass\n"
        "    finally:\n        return\n"
    )
    (handler,) = ast.parse(text).body
    assert isinstance(handler, ast.AsyncFunctionDef)
    assert len(list(faults(handler))) == 7
    assert not BUILTINS - set(dir(builtins))
