from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.history.jsonpath import compile_path, replace

DATA: dict[str, Any] = {
    "a": {"b": 1, "c d": 2, "card": 3},
    "list": [{"b": 4}, {"b": 5, "list": [6]}, 7],
    "card": {"card": 8},
}


def without(path: str) -> Any:
    return replace(copy.deepcopy(DATA), compile_path(path), "X")


def test_names_indexes_and_wildcards_select_what_they_say() -> None:
    assert without("$") == "X"
    assert without("$.a.b")["a"] == {"b": "X", "c d": 2, "card": 3}
    assert without("$['a']['c d']")["a"]["c d"] == "X"
    assert without('$["a"].b')["a"]["b"] == "X"
    assert without("$.list[0].b")["list"][0] == {"b": "X"}
    assert without("$.list[-1]")["list"][2] == "X"
    assert without("$.list[ 9 ]") == DATA
    assert without("$.list[*].b")["list"] == [{"b": "X"}, {"b": "X", "list": [6]}, 7]
    assert without("$.a.*")["a"] == {"b": "X", "c d": "X", "card": "X"}
    assert without("$.*") == {"a": "X", "list": "X", "card": "X"}
    assert without("$.a[0]") == DATA
    assert without("$.list.b") == DATA


def test_two_dots_look_everywhere() -> None:
    found = without("$..card")
    assert found["a"]["card"] == "X"
    assert found["card"] == "X"
    assert without("$..b")["list"][1]["b"] == "X"
    assert without("$..list[0]")["list"] == ["X", {"b": 5, "list": ["X"]}, 7]
    assert without("$..['c d']")["a"]["c d"] == "X"
    assert without("$..*") == {"a": "X", "list": "X", "card": "X"}


@pytest.mark.parametrize(
    ("path", "needle"),
    [("$..card", '"card"'), ("$.a[*]", '"a"'), ("$[0]", None), ("$.ü", '"\\u00fc"')],
)
def test_a_path_names_what_its_matches_contain(path: str, needle: str | None) -> None:
    assert compile_path(path).needle == needle


@pytest.mark.parametrize(
    ("path", "key"),
    [
        *(("$..card", "card"), ("$..['a b']", "a b")),
        *((path, None) for path in ("$.card", "$..a.b", "$..*", "$..[0]", "$")),
    ],
)
def test_a_path_may_be_about_a_key_wherever_it_is(path: str, key: str | None) -> None:
    assert compile_path(path).key == key


@pytest.mark.parametrize(
    "path", ["", "card", "$card", "$.", "$..", "$.a.", "$[", "$[a]", "$['a", "$.a[1:2]", "$.[0]", "$.a b", "$[?(@)]"]
)  # fmt: skip
def test_what_is_no_such_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        compile_path(path)


@given(st.text("$.[]*'\"a0-\\", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        path = compile_path(text)
    except ValueError:
        return
    replace(copy.deepcopy(DATA), path, "X")
