"""Groups of comparisons."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from nodegx.compiler.expressions import Names, parse_template
from nodegx.compiler.expressions.conditions import OPERATORS, check_condition, compile_condition
from nodegx.compiler.graph import DictValue, ListValue, Literal, Value


def lowered(json: Any) -> Value:
    """The parameter as the compiler's later stages see it."""
    if isinstance(json, str):
        parsed = parse_template(json)
        return Literal(parsed) if isinstance(parsed, str) else parsed
    if isinstance(json, dict):
        return DictValue(tuple((key, lowered(item)) for key, item in json.items()))
    if isinstance(json, list):
        return ListValue(tuple(lowered(item) for item in json))
    return Literal(json)


def python(json: Any, names: Names) -> str:
    """The code of a condition."""
    assert check_condition(json) == []
    return ast.unparse(ast.fix_missing_locations(compile_condition(lowered(json), names)))


def compared(op: str, right: Any = None, left: str = "{{ item.a }}") -> dict[str, Any]:
    """A comparison."""
    binary = OPERATORS[op].binary
    return {"left": left, "op": op, **({"right": right} if binary else {})}


@pytest.mark.parametrize(
    ("op", "right", "code"),
    [
        ("equals", 1, "item['a'] == 1"),
        ("equals", None, "item['a'] is None"),
        ("equals", True, "item['a'] is True"),
        ("notEquals", "x", "item['a'] != 'x'"),
        ("notEquals", None, "item['a'] is not None"),
        ("gt", 1, "item['a'] > 1"),
        ("gte", -1, "item['a'] >= -1"),
        ("lt", "{{ item.b }}", "item['a'] < item['b']"),
        ("lte", 1.5, "item['a'] <= 1.5"),
        ("contains", "x", "'x' in item['a']"),
        ("notContains", "x", "'x' not in item['a']"),
        ("startsWith", "x", "fx.starts_with(item['a'], 'x')"),
        ("endsWith", "x", "fx.ends_with(item['a'], 'x')"),
        ("matches", "^a", "fx.matches(item['a'], '^a')"),
        ("in", ["x", 1], "item['a'] in ['x', 1]"),
        ("notIn", "{{ item.list }}", "item['a'] not in item['list']"),
        ("isEmpty", None, "fx.is_empty(fx.get(item, 'a'))"),
        ("isNotEmpty", None, "not fx.is_empty(fx.get(item, 'a'))"),
        ("exists", None, "fx.get(item, 'a') is not None"),
        ("notExists", None, "fx.get(item, 'a') is None"),
        ("isTrue", None, "item['a'] is True"),
        ("isFalse", None, "item['a'] is False"),
        ("isNull", None, "fx.get(item, 'a') is None"),
        ("isType", "array", "fx.type_of(item['a']) == 'array'"),
        ("before", "2026-01-01", "fx.before(item['a'], '2026-01-01')"),
        ("after", "{{ now() }}", "fx.after(item['a'], run.now())"),
    ],
)
def test_comparisons(op: str, right: Any, code: str, names: Names) -> None:
    assert python(compared(op, right), names) == code


def test_every_operator_is_tried() -> None:
    tried = {
        case[0]
        for mark in test_comparisons.pytestmark  # type: ignore[attr-defined]
        for case in mark.args[1]
    }
    assert tried == set(OPERATORS)


@pytest.mark.parametrize(
    ("left", "code"),
    [
        ("{{ order.body.a.b[0] }}", "fx.get(order.body, 'a.b[0]') is not None"),
        ("{{ order.body['x-y'] }}", "fx.get(order.body, ['x-y']) is not None"),
        ("{{ order.body }}", "order.body is not None"),
        ("{{ item.a + 1 }}", "item['a'] + 1 is not None"),
    ],
)
def test_what_may_be_missing_is_read_with_care(left: str, code: str, names: Names) -> None:
    assert python(compared("exists", left=left), names) == code


def test_text_is_compared_natively(names: Names) -> None:
    condition = compared("startsWith", "P", "{{ order.method }}")
    assert python(condition, names) == "order.method.startswith('P')"


def test_groups_nest_with_expressions(names: Names) -> None:
    condition = {
        "all": [
            "{{ item.ok }}",
            {"any": [compared("gt", 1), compared("isNull")]},
            {"not": {"all": [compared("isTrue")]}},
            True,
        ]
    }
    assert python(condition, names) == (
        "item['ok'] and (item['a'] > 1 or fx.get(item, 'a') is None)"
        " and (not item['a'] is True) and True"
    )


def test_conditions_without_any_expression_compile(names: Names) -> None:
    literal = Literal({"any": [{"left": 1, "op": "equals", "right": 1}]})
    assert ast.unparse(compile_condition(literal, names)) == "1 == 1"


@pytest.mark.parametrize(
    ("condition", "path", "message", "hint"),
    [
        (3, (), "an expression, true, false, or an object", "{{"),
        (None, (), "an expression", ""),
        ([], (), "an expression", ""),
        ("a > 3", (), "a text is no condition", "{{ a > 3 }}"),
        ("{{ a }} > 3", (), "makes a text", "one pair of braces"),
        ("{{ a && b }}", (), "`&&`", "`and`"),
        ({}, (), "no `left`", ""),
        ({"left": 1}, (), "no `op`", "equals"),
        ({"left": 1, "op": "grt", "right": 1}, ("op",), "unknown operator 'grt'", "`gt`"),
        ({"left": 1, "op": 5, "right": 1}, ("op",), "unknown operator 5", "equals"),
        ({"left": 1, "op": "gt"}, (), "`gt` needs a `right`", ""),
        ({"left": 1, "op": "isNull", "right": 1}, ("right",), "no right side", "remove"),
        ({"left": 1, "op": "isType", "right": "int"}, ("right",), "unknown type", "number"),
        ({"left": 1, "op": "gt", "right": 1, "rihgt": 2}, ("rihgt",), "unknown key", "`right`"),
        ({"al": []}, ("al",), "unknown key `al`", "`all`"),
        ({"all": []}, ("all",), "needs a list", ""),
        ({"any": "x"}, ("any",), "needs a list", ""),
        ({"all": [True], "any": [True]}, ("any",), "cannot stand beside", "nest"),
        ({"all": [True, {"not": 5}]}, ("all", 1, "not"), "an expression", ""),
    ],
)
def test_malformed_conditions_are_explained(
    condition: Any, path: tuple[str | int, ...], message: str, hint: str
) -> None:
    problems = check_condition(condition)
    assert any(p.path == path and message in p.message and hint in p.hint for p in problems)


def test_nesting_has_an_end() -> None:
    condition: Any = True
    for _ in range(5_000):
        condition = {"not": condition}
    (problem,) = check_condition(condition)
    assert "nested deeper" in problem.message
