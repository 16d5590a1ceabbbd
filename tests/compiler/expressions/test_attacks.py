"""Nothing that a workflow's author writes between the braces reaches Python itself."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.compiler.expressions import (
    Binding,
    ExpressionError,
    Names,
    compile_expression,
    parse_expression,
    value,
)
from nodegx.compiler.expressions.functions import FUNCTIONS, METHODS
from nodegx.runtime import expressions as fx

from tests.support import jail
from tests.support.attacks import ATTACKS, MUST_BE_REFUSED
from tests.support.whitelist import violations

pytestmark = pytest.mark.slow

VALUES = jail.hostile()
BINDINGS: dict[str, Binding] = {name: value(ast.Name(name, ast.Load())) for name in VALUES}
NAMES = Names(BINDINGS.get, available=lambda: BINDINGS)


def compiled(source: str) -> str:
    """The Python for an expression."""
    code = compile_expression(parse_expression(source), NAMES)
    return ast.unparse(ast.fix_missing_locations(code))


def check_place(error: ExpressionError, source: str) -> None:
    """Errors say what is wrong, and where."""
    assert 0 <= error.offset <= len(source)
    assert error.message
    assert not error.message.endswith(".")


def outcome(source: str) -> str | None:
    """The compiled code, checked, or None if the expression was refused with a place."""
    try:
        code = compiled(source)
    except ExpressionError as error:
        check_place(error, source)
        return None
    assert violations(code, VALUES, fx.__all__) == [], code
    return code


def test_there_are_enough_attacks() -> None:
    assert len(set(ATTACKS)) >= 300


@pytest.mark.parametrize("source", MUST_BE_REFUSED, ids=lambda source: source[:50])
def test_what_must_not_compile_does_not(source: str) -> None:
    assert outcome(source) is None


def run_in_jail(codes: Collection[str]) -> dict[str, str]:
    """What becomes of expressions that are evaluated against hostile values."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.jail"],
        input=json.dumps(list(codes)),
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return dict(zip(codes, json.loads(ended.stdout), strict=True))


def harmful(results: dict[str, str]) -> dict[str, str]:
    """The bad ones among them."""
    bad = {"too slow", "out of memory", "leaked"}
    return {code: result for code, result in results.items() if result in bad}


def test_what_compiles_is_harmless_even_against_hostile_values() -> None:
    results = run_in_jail([code for code in map(outcome, ATTACKS) if code is not None])
    assert harmful(results) == {}
    assert len(results) > 150


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_refused_or_harmless(text: str) -> None:
    outcome(text.replace("}}", ""))


FRAGMENTS = st.sampled_from(
    [
        *("data", "text", "items", "x", "__class__", "number", "fx", "run", "secrets.KEY", "vars"),
        *(".", ".x", "['a']", "[0]", "[", "]", "(", ")", "{", "}", ",", ":", " ", "=", "!", "\\"),
        *(" for x in ", " if ", " else ", " and ", " in ", "lambda ", "not ", "*", "**", "%", "+"),
        *("'", '"', "f'", "f'{", "}'", "'a'", "1", "10**9", "é", "\uff45", "\n", "#", ":="),
        *(f"{name}(" for name in ("len", "range", "text", "get", "eval", "join", "sum")),
        *(f".{name}(" for name in ("format", "replace", "items", "__init__", "upper")),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, min_size=1, max_size=14).map("".join))
def test_any_mixture_of_fragments_is_refused_or_harmless(text: str) -> None:
    outcome(text)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ATTACKS), st.data())
def test_attacks_with_a_slip_of_the_pen_are_refused_or_harmless(source: str, data: st.DataObject):
    at = data.draw(st.integers(0, len(source)))
    cut = data.draw(st.integers(0, 3))
    outcome(source[:at] + data.draw(st.text(max_size=2)) + source[at + cut :])


def _calls(expressions: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    functions = st.sampled_from([f for f in FUNCTIONS.values() if f.name != "set"])
    methods = st.sampled_from(sorted(METHODS))
    arguments = st.lists(expressions, max_size=3).map(", ".join)
    return st.one_of(
        st.tuples(functions, arguments).map(lambda call: f"{call[0].name}({call[1]})"),
        st.tuples(expressions, methods, arguments).map(lambda c: f"({c[0]}).{c[1]}({c[2]})"),
    )


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "%", "**", "==", "<", "in", "and", "or"])
    return st.one_of(
        _calls(inner),
        st.tuples(inner, operators, inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, inner).map(lambda two: f"[{two[0]} for x in {two[1]}]"),
        st.tuples(inner, inner, inner).map(lambda p: f"{{{p[0]}: {p[1]} for x in {p[2]}}}"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        st.tuples(inner, inner).map(lambda two: f"{two[0]}[{two[1]}]"),
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        inner.map(lambda part: f"{part}.a"),
    )


GENERATED = st.recursive(
    st.sampled_from(
        ["data", "text", "items", "number", "item", "index", "'a'", "7", "1.5", "null"]
    ),
    _larger,
    max_leaves=12,
)


def test_generated_expressions_are_refused_or_harmless() -> None:
    codes: dict[str, None] = {}

    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(GENERATED)
    def collect(source: str) -> None:
        if (code := outcome(source)) is not None:
            codes[code] = None

    collect()
    assert len(codes) > 60
    assert harmful(run_in_jail(codes)) == {}
