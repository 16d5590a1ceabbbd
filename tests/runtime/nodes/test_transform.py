from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.errors import FatalError
from nodegx.runtime.nodes import data, transform

LINES = [
    {"sku": "a", "price": 3, "tags": ["x", "y"]},
    {"sku": "b", "price": None, "tags": []},
    {"sku": "c", "price": 1, "tags": ["x"]},
]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "1"]))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)


def test_map_filter_reduce() -> None:
    assert transform.map([1, 2], lambda item, index: item * 10 + index) == [10, 21]
    assert transform.filter(LINES, lambda item, _: item["price"]) == [LINES[0], LINES[2]]
    assert transform.filter([1, 2, 3], lambda _, index: index != 1) == [1, 3]
    assert transform.reduce([1, 2], lambda total, item, index: total + item, initial=10) == 13
    assert transform.reduce([], lambda total, item, index: 1 / 0) is None
    assert transform.map((1, 2), lambda item, _: item) == [1, 2]


@pytest.mark.parametrize(
    ("key", "descending", "expected"),
    [
        (lambda item, _: item["price"], False, "cab"),
        (lambda item, _: item["price"], True, "acb"),
        (lambda item, _: item["sku"], True, "cba"),
        (lambda item, _: len(item["tags"]), False, "bca"),
        (lambda item, _: [item["price"] is None, item["sku"]], False, "acb"),
        (lambda item, _: [None if item["sku"] == "a" else 1, item["sku"]], False, "bca"),
        (lambda _, index: -index, False, "cba"),
    ],
)
def test_sort(key: transform.ItemFunction, descending: bool, expected: str) -> None:
    found = transform.sort(LINES, key=key, descending=descending)
    assert "".join(item["sku"] for item in found) == expected


def test_sort_keeps_the_order_of_equals_and_the_input() -> None:
    given = [[1, "b"], [0, "x"], [1, "a"]]
    found = transform.sort(given, key=lambda item, _: item[0], descending=True)
    assert found == [[1, "b"], [1, "a"], [0, "x"]]
    assert given[0] == [1, "b"]


@pytest.mark.parametrize("values", [[1, "a"], [{"a": 1}, {"a": 2}], [[1], ["a"]], [1, None, "a"]])
def test_what_cannot_be_ordered(values: list[Any]) -> None:
    with pytest.raises(FatalError, match="cannot sort") as caught:
        transform.sort(values)
    assert caught.value.code == "transform.order"


@given(st.lists(st.one_of(st.none(), st.integers())))
def test_sort_agrees_with_sorted(values: list[int | None]) -> None:
    numbers = sorted(value for value in values if value is not None)
    nulls = [None] * values.count(None)
    assert transform.sort(values) == numbers + nulls
    assert transform.sort(values, descending=True) == numbers[::-1] + nulls


def test_group() -> None:
    by_price = transform.group(LINES, key=lambda item, _: item["price"])
    assert by_price == {"3": [LINES[0]], "null": [LINES[1]], "1": [LINES[2]]}
    listed = transform.group([1, "1", 1.0, True], key=lambda item, _: item, form="list")
    assert listed == [
        {"key": 1, "items": [1, 1.0]},
        {"key": "1", "items": ["1"]},
        {"key": True, "items": [True]},
    ]
    assert transform.group([1, "1"], key=lambda item, _: item) == {"1": [1, "1"]}
    assert list(transform.group([{"a": 1}], key=lambda item, _: item)) == ['{"a":1}']


def test_unique() -> None:
    assert transform.unique([1, True, "1", 1.0, None, {"a": [1]}, {"a": [1]}, None]) == [
        1,
        True,
        "1",
        None,
        {"a": [1]},
    ]
    assert transform.unique(LINES, key=lambda item, _: item["price"] is None) == LINES[:2]


@given(st.lists(JSON))
def test_groups_hold_every_element_once(values: list[Any]) -> None:
    groups = transform.group(values, key=lambda item, _: item, form="list")
    assert sum(len(group["items"]) for group in groups) == len(values)
    assert [group["items"][0] for group in groups] == transform.unique(values)
    assert transform.unique(transform.unique(values)) == transform.unique(values)


def test_flatten() -> None:
    nested = [1, [2, [3, [4]]], {"a": [5]}, []]
    assert transform.flatten(nested) == [1, 2, [3, [4]], {"a": [5]}]
    assert transform.flatten(nested, depth=100) == [1, 2, 3, 4, {"a": [5]}]
    assert nested[1] == [2, [3, [4]]]


def test_query_and_path() -> None:
    assert transform.query({"l": LINES}, "l[?price > `1`].sku | [0]") == "a"
    assert transform.query({"l": LINES}, "l[0].price") == 3
    assert transform.query({"l": LINES}, "nothing.here") is None
    assert transform.path({"l": LINES}, "$.l[*].tags[*]") == ["x", "y", "x"]
    assert transform.path(LINES, "$[0].sku") == ["a"]
    assert transform.path(LINES, "$.none") == []


@pytest.mark.parametrize(
    ("value", "kind"), [({}, "an object"), ("ab", "text"), (None, "null"), (3, "a number")]
)
def test_lists_are_needed(value: Any, kind: str) -> None:
    for operation in (transform.map, transform.filter, transform.sort, transform.flatten):
        arguments = (
            (lambda item, _: item,) if operation in (transform.map, transform.filter) else ()
        )
        with pytest.raises(FatalError, match=f"needs a list, not {kind}") as caught:
            operation(value, *arguments)  # pyright: ignore[reportCallIssue]
        assert caught.value.code == "transform.input"


def test_set_gives_the_value_itself() -> None:
    value = {"a": [1]}
    assert data.set(value) is value
