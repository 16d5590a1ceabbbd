from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.shared_weight import shared_weight
from nodegx.runtime.values import MAX_TEXT, Trigger, weight


@pytest.mark.parametrize(
    ("value", "least"),
    [
        (None, 1),
        ("abc", 4),
        ([1, 2.5, True, None], 5),
        ({"key": "value"}, 11),
        ([{"a": ["b"]}, ("c",), {"d"}], 13),
        (Trigger("node", "type", ["value"]), 18),
    ],
)
def test_the_weight_of_json(value: Any, least: int) -> None:
    assert weight(value) == least
    assert weight(value, 100) == least + 100


def test_what_is_small_in_memory_and_huge_as_text() -> None:
    value: Any = "x" * 1000
    for _ in range(10):
        value = [value] * 10
    assert weight(value) > MAX_TEXT
    assert weight({"a": [value, 1]}) > MAX_TEXT


def test_what_holds_itself_has_no_end() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert weight(cycle) > MAX_TEXT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
)


@given(JSON, st.integers(0, 3))
def test_both_ways_of_weighing_agree(value: Any, times: int) -> None:
    held = [value, [value] * times, {"a": value, "b": [value]}]
    assert shared_weight(held) == weight(held)


def test_large_data_is_looked_through_once() -> None:
    rows = [{"id": number, "name": "x"} for number in range(40_000)]
    assert weight(rows) == 1 + 40_000 * 12
    assert weight([rows] * 3) == 1 + 3 * weight(rows)
    assert weight([rows] * 100) > MAX_TEXT


def test_what_may_still_be_written() -> None:
    assert weight("x" * (MAX_TEXT - 1)) == MAX_TEXT
    assert weight("x" * MAX_TEXT) > MAX_TEXT
