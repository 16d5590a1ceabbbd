from __future__ import annotations

from typing import Any

import pytest
from nodegx.runtime.triggers.inputs import InputError, coerce

DECLARED = [
    {"name": "customer", "type": "string", "required": True},
    {"name": "limit", "type": "integer", "default": 10},
    {"name": "dry", "type": "boolean"},
    {"name": "tags", "type": "array", "default": []},
]


def test_without_declared_inputs_anything_passes() -> None:
    assert coerce([], [1, "x"]) == [1, "x"]
    assert coerce([], None) is None


def test_fills_in_defaults() -> None:
    assert coerce(DECLARED, {"customer": "a"}) == {
        "customer": "a",
        "limit": 10,
        "dry": None,
        "tags": [],
    }


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", "a", "a"),
        ("string", 5, "5"),
        ("number", "2.5", 2.5),
        ("number", 2, 2),
        ("integer", "7", 7),
        ("integer", 7.0, 7),
        ("integer", 10**400, 10**400),
        ("boolean", "True", True),
        ("boolean", False, False),
        ("object", '{"a": 1}', {"a": 1}),
        ("array", [1], [1]),
        ("any", {"x": None}, {"x": None}),
    ],
)
def test_converts_where_nothing_is_lost(kind: str, value: Any, expected: Any) -> None:
    result = coerce([{"name": "x", "type": kind}], {"x": value})["x"]
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", True),
        ("string", {}),
        ("number", "many"),
        ("number", "NaN"),
        ("number", True),
        ("integer", 7.5),
        ("integer", "7.5"),
        ("integer", "1e400"),
        ("integer", "Infinity"),
        ("integer", "9" * 5000),
        ("boolean", 1),
        ("object", "[]"),
        ("array", "{"),
        ("array", "[" * 100_000),
    ],
)
def test_refuses_what_does_not_fit(kind: str, value: Any) -> None:
    with pytest.raises(InputError):
        coerce([{"name": "x", "type": kind}], {"x": value})


def test_lists_every_problem() -> None:
    with pytest.raises(InputError) as caught:
        coerce(DECLARED, {"limit": "x", "dry": 3, "custommer": "a"})
    assert caught.value.details == [
        {"input": "customer", "message": "is required"},
        {"input": "limit", "message": 'must be a whole number, not "x"'},
        {"input": "dry", "message": "must be true or false, not 3"},
        {"input": "custommer", "message": "is not an input; did you mean customer?"},
    ]
    assert not caught.value.retriable


def test_refuses_what_is_no_object() -> None:
    with pytest.raises(InputError):
        coerce(DECLARED, [1])


def test_defaults_are_not_shared_between_runs() -> None:
    declared = [{"name": "tags", "type": "array", "default": [{"a": 1}]}]
    coerce(declared, {})["tags"][0]["a"] = 2
    assert coerce(declared, {}) == {"tags": [{"a": 1}]}


@pytest.mark.parametrize("kind", ["number", "integer", "object", "array"])
def test_text_that_is_nested_without_end(kind: str) -> None:
    with pytest.raises(InputError):
        coerce([{"name": "x", "type": kind}], {"x": "[" * 100_000})
