from __future__ import annotations

from typing import Any

import pytest
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


def test_what_may_still_be_written() -> None:
    assert weight("x" * (MAX_TEXT - 1)) == MAX_TEXT
    assert weight("x" * MAX_TEXT) > MAX_TEXT
