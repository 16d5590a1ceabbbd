"""The printer writes what the formatter would, and what the tree says."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.compiler.printer import Verbatim, print_module

from tests.support.python_corpus import module
from tests.support.ruff import formatted

pytestmark = pytest.mark.slow

LAYOUTS = Path(__file__).with_name("layouts.py.txt").read_text()


def printed(source: str) -> str:
    """A module parsed and printed."""
    return print_module(ast.parse(textwrap.dedent(source))).text


def test_layouts_are_the_formatters() -> None:
    assert printed(LAYOUTS) == formatted(LAYOUTS)


@pytest.mark.parametrize(("seed", "most"), [(1, 0), (2, 15), (3, 40)])
def test_real_code_is_laid_out_as_the_formatter_does(seed: int, most: int) -> None:
    tree = module(seed, 500, most)
    text = print_module(tree).text
    assert ast.dump(ast.parse(text)) == ast.dump(tree).replace(", kind='u'", "")
    assert text.splitlines() == formatted(text).splitlines()


NAMES = st.sampled_from(["a", "order", "run", "x" * 40, "some_longer_name"])
LITERALS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 10**20),
    st.floats(0, allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["it's", 'say "x"', "both ' and \"", "\\", "\n\t\0", "é\u2028", "{}"]),
).map(ast.Constant)
ATOMS = st.one_of(LITERALS, NAMES.map(lambda name: ast.Name(name, ast.Load())))


def _many(inner: st.SearchStrategy[ast.expr], least: int = 0) -> st.SearchStrategy[list[ast.expr]]:
    return st.lists(inner, min_size=least, max_size=4)


def _loops(inner: st.SearchStrategy[ast.expr]) -> st.SearchStrategy[list[ast.comprehension]]:
    target = NAMES.map(lambda name: ast.Name(name, ast.Store()))
    pair = st.tuples(target, target).map(lambda two: ast.Tuple(list(two), ast.Store()))
    clause = st.builds(ast.comprehension, target | pair, inner, _many(inner), st.just(0))
    return st.lists(clause, min_size=1, max_size=2)


def _larger(inner: st.SearchStrategy[ast.expr]) -> st.SearchStrategy[ast.expr]:
    load = st.just(ast.Load())
    binary = st.sampled_from([ast.Add(), ast.Sub(), ast.Mult(), ast.Mod(), ast.Pow(), ast.BitOr()])
    compare = st.sampled_from([ast.Eq(), ast.Lt(), ast.NotIn(), ast.IsNot()])
    keywords = st.lists(st.builds(ast.keyword, NAMES, inner), max_size=2, unique_by=lambda k: k.arg)
    operations = st.tuples(inner, st.lists(st.tuples(compare, inner), min_size=1, max_size=2))
    return st.one_of(
        st.builds(ast.Attribute, inner, NAMES, load),
        st.builds(ast.Subscript, inner, inner, load),
        st.builds(
            ast.Subscript,
            inner,
            st.builds(ast.Slice, st.none() | inner, st.none() | inner, st.none() | inner),
            load,
        ),
        st.builds(ast.Call, inner, _many(inner), keywords),
        st.builds(ast.List, _many(inner), load),
        st.builds(ast.Tuple, _many(inner), load),
        st.builds(ast.Set, _many(inner, 1)),
        st.lists(st.tuples(inner, inner), max_size=3).map(
            lambda pairs: ast.Dict([key for key, _ in pairs], [value for _, value in pairs])
        ),
        st.builds(ast.BinOp, inner, binary, inner),
        st.builds(ast.BoolOp, st.sampled_from([ast.And(), ast.Or()]), _many(inner, 2)),
        st.builds(ast.UnaryOp, st.sampled_from([ast.Not(), ast.USub()]), inner),
        operations.map(lambda o: ast.Compare(o[0], [op for op, _ in o[1]], [e for _, e in o[1]])),
        st.builds(ast.IfExp, inner, inner, inner),
        st.builds(ast.ListComp, inner, _loops(inner)),
        st.builds(ast.DictComp, inner, inner, _loops(inner)),
        st.builds(ast.GeneratorExp, inner, _loops(inner)),
        st.builds(ast.Await, inner),
        inner.map(
            lambda body: ast.Lambda(
                ast.arguments([], [ast.arg("item"), ast.arg("index")], None, [], [], None, []),
                body,
            )
        ),
    )


EXPRESSIONS = st.recursive(ATOMS, _larger, max_leaves=25)


@settings(max_examples=250, deadline=None)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=3))
def test_any_tree_reads_back_as_it_was(expressions: list[ast.expr]) -> None:
    body: list[ast.stmt] = [
        ast.Assign([ast.Name("x", ast.Store())], expressions[0]),
        *(ast.Return(expression) for expression in expressions[1:]),
    ]
    function = ast.AsyncFunctionDef(
        "f", ast.arguments([], [], None, [], [], None, []), body, [], None
    )
    if "type_params" in ast.AsyncFunctionDef._fields:
        function.type_params = []
    tree = ast.fix_missing_locations(ast.Module([function], []))
    text = print_module(tree).text
    assert ast.dump(ast.parse(text)) == ast.dump(tree)
    assert print_module(tree).text == text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=6))
def test_text_and_docstrings_survive_any_characters(expressions: list[ast.expr]) -> None:
    texts = [node.value for e in expressions for node in ast.walk(e) if _is_text(node)]
    body: list[ast.stmt] = [ast.Expr(ast.Constant(text)) for text in texts]
    read = ast.parse(print_module(ast.Module(body, [])).text).body
    assert [statement.value.value for statement in read] == texts  # pyright: ignore


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize("text", ['ends with "', '"""', "\\", 'a\n\n"b"\n', "\x07", "x\\"])
def test_docstrings_of_any_kind_read_back(text: str) -> None:
    tree = ast.Module([ast.Expr(ast.Constant(text))], [])
    assert ast.parse(print_module(tree).text).body[0].value.value == text  # pyright: ignore


def test_every_statement_knows_its_node_and_lines() -> None:
    tree = ast.parse(
        "async def f(run):\n"
        "    a = await step(1)\n"
        "    if a:\n"
        "        b = 1\n"
        "    elif c:\n"
        "        d = 1\n"
        "    else:\n"
        "        try:\n"
        "            e = 1\n"
        "        except Exception as exc:\n"
        "            g = 1\n"
    )
    function = tree.body[0]
    assert isinstance(function, ast.AsyncFunctionDef)
    branch = function.body[1]
    assert isinstance(branch, ast.If)
    attempt = branch.orelse[0].orelse[0]  # pyright: ignore
    marked = {
        "first": function.body[0],
        "if": branch,
        "inner": branch.body[0],
        "elif": branch.orelse[0],
        "try": attempt,
        "handler": attempt.handlers[0],
    }
    for node, statement in marked.items():
        statement.nodegx_node = node  # type: ignore[attr-defined]
    spans = {node: (first, last) for first, last, node in print_module(tree).spans}
    assert spans == {
        "first": (2, 2),
        "if": (3, 11),
        "inner": (4, 4),
        "elif": (5, 11),
        "try": (8, 11),
        "handler": (10, 11),
    }


def test_spans_count_the_lines_that_are_really_printed() -> None:
    call = f"x = f({', '.join('a' * 30 for _ in range(4))})\ny = 1"
    tree = ast.parse(call)
    for name, statement in zip("ab", tree.body, strict=True):
        statement.nodegx_node = name  # type: ignore[attr-defined]
    result = print_module(tree)
    assert result.text.count("\n") == 7
    assert result.spans == ((1, 6, "a"), (7, 7, "b"))


def test_user_code_is_indented_and_otherwise_left_alone() -> None:
    lines = [
        "x  =  {'a':1}   ",
        "text = '''first",
        "  second  ",
        "'''",
        "",
        "if x: return f'''{x",
        "}'''",
    ]
    function = ast.parse("def f():\n    pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = [Verbatim(lines)]
    assert print_module(ast.Module([function], [])).text.splitlines() == [
        "def f():",
        "    x  =  {'a':1}",
        "    text = '''first",
        "  second  ",
        "'''",
        "",
        "    if x: return f'''{x",
        "}'''",
    ]


def test_empty_lines_separate_what_people_would_separate() -> None:
    tree = ast.parse(
        '"""Doc."""\nimport a\nfrom b import c\nA = 1\nB = 2\ndef f():\n    x = 1\n'
        "    def g():\n        pass\n    y = 1\n    z = 1\nC = 1\n"
    )
    function = tree.body[5]
    assert isinstance(function, ast.FunctionDef)
    function.body[3].nodegx_blank = True  # type: ignore[attr-defined]
    text = print_module(tree).text
    assert text == (
        '"""Doc."""\n\nimport a\nfrom b import c\n\nA = 1\nB = 2\n\n\ndef f():\n    x = 1\n\n'
        "    def g():\n        pass\n\n    y = 1\n\n    z = 1\n\n\nC = 1\n"
    )
    assert formatted(text) == text


@pytest.mark.parametrize("source", ["class A: pass", "del a", "x = [*a]", "(yield)", "x: int"])
def test_what_handlers_never_hold_is_refused(source: str) -> None:
    tree = ast.parse(source)
    if source == "x: int":
        assert print_module(tree).text == "x: int\n"
        return
    with pytest.raises(TypeError, match="handlers have no"):
        print_module(tree)
