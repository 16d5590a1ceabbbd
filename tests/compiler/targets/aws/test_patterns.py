"""Patterns of events and of changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.compiler.targets.aws.patterns import event_pattern, input_template, record_pattern
from nodegx.runtime.triggers.events import TESTS, Event, conditions, subscription

Json = dict[str, Any]


def test_names() -> None:
    assert event_pattern({"event": "order.created"}) == {
        "source": ["nodegx"],
        "detail-type": ["order.created"],
    }
    assert event_pattern({"event": "order.*"})["detail-type"] == [{"prefix": "order."}]
    assert event_pattern({"event": "*"}) == {"source": ["nodegx"]}


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ({"path": "tier", "value": "gold"}, {"tier": ["gold"]}),
        ({"path": "tier", "op": "equals", "value": True}, {"tier": [True]}),
        ({"path": "tier", "op": "equals"}, {"tier": [None]}),
        ({"path": "a.b", "op": "equals", "value": 5}, {"a": {"b": [{"numeric": ["=", 5]}]}}),
        ({"path": "tier", "op": "in", "value": ["a", "b"]}, {"tier": ["a", "b"]}),
        ({"path": "n", "op": "gt", "value": 5.5}, {"n": [{"numeric": [">", 5.5]}]}),
        ({"path": "n", "op": "lte", "value": 5}, {"n": [{"numeric": ["<=", 5]}]}),
        ({"path": "s", "op": "startsWith", "value": "x"}, {"s": [{"prefix": "x"}]}),
        ({"path": "s", "op": "endsWith", "value": "x"}, {"s": [{"suffix": "x"}]}),
    ],
)
def test_comparisons_that_a_pattern_can_say(comparison: Json, expected: Json) -> None:
    pattern = event_pattern({"event": "a", "filter": [comparison]})
    assert pattern["detail"] == {"data": expected}


@pytest.mark.parametrize(
    "comparison",
    [
        {"path": "tier", "op": "notEquals", "value": "gold"},
        {"path": "tier", "op": "contains", "value": "gold"},
        {"path": "tier", "op": "exists"},
        {"path": "tier", "op": "notExists"},
        {"path": "items.0", "op": "equals", "value": 1},
        {"path": "$or", "op": "equals", "value": 1},
        {"path": "n", "op": "gt", "value": 1e12},
        {"path": "n", "op": "equals", "value": 0.12345678},
        {"path": "n", "op": "gt", "value": "text"},
        {"path": "n", "op": "in", "value": [1, {"a": 1}]},
        {"path": "n", "op": "in", "value": []},
        {"path": "s", "op": "startsWith", "value": "x" * 3000},
    ],
)
def test_comparisons_that_are_left_to_the_function(comparison: Json) -> None:
    pattern = event_pattern({"event": "a", "filter": [comparison]})
    assert pattern == event_pattern({"event": "a"})


def test_only_one_condition_per_field() -> None:
    pattern = event_pattern(
        {
            "event": "a",
            "filter": [
                {"path": "n", "op": "gt", "value": 1},
                {"path": "n", "op": "lt", "value": 9},
                {"path": "n.deeper", "op": "lt", "value": 9},
                {"path": "m.deep", "op": "equals", "value": "x"},
                {"path": "m", "op": "equals", "value": "x"},
            ],
        }
    )
    assert pattern["detail"]["data"] == {"n": [{"numeric": [">", 1]}], "m": {"deep": ["x"]}}


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, 1e12]),
    st.sampled_from(["", "a", "ab", "ba", "b"]),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=6,
)
COMPARISON = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["a", "b", "a.b", "a.b.c", "a.0", "d"]),
        "op": st.sampled_from(sorted(TESTS)),
        "value": st.one_of(SCALARS, st.lists(SCALARS, max_size=3)),
    }
)


@given(st.lists(COMPARISON, min_size=1, max_size=3), DATA)
@settings(max_examples=400)
def test_no_event_that_a_trigger_takes_is_lost(filter: list[Json], data: Any) -> None:
    config = {"event": "*", "filter": filter}
    event = Event("order", data, "1", "", "")
    if subscription(config).takes(event) and not odd_booleans(filter, data):
        envelope = {"source": "nodegx", "detail-type": "order", "detail": {"data": data}}
        assert matches(event_pattern(config), envelope)


def odd_booleans(filter: list[Json], data: Any) -> bool:
    """Python orders true above 0; no pattern does."""
    ordered = {"gt", "gte", "lt", "lte"}
    return any(each["op"] in ordered for each in filter) and "true" in json.dumps(data).replace(
        "false", "true"
    )


@given(st.lists(COMPARISON, min_size=1, max_size=3), DATA)
@settings(max_examples=400)
def test_no_change_that_a_trigger_takes_is_lost(filter: list[Json], data: Any) -> None:
    filter = [{**each, "path": f"new.{each['path']}"} for each in filter]
    change = {"event": "insert", "keys": {}, "new": data, "old": None}
    if isinstance(data, dict) and all(holds(change) for holds in conditions(filter)):
        envelope = {"dynamodb": {"NewImage": attribute(data)["M"]}}
        assert matches(record_pattern({"filter": filter}), envelope)


def attribute(value: Any) -> Json:
    """A value as DynamoDB writes it."""
    if isinstance(value, dict):
        return {"M": {key: attribute(member) for key, member in value.items()}}
    if isinstance(value, list):
        return {"L": [attribute(item) for item in value]}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def matches(pattern: Any, value: Any) -> bool:
    """EventBridge's matching, as its documentation describes it: fields must be there, lists match
    by any of their items."""
    if isinstance(pattern, dict):
        if isinstance(value, list):
            return any(matches(pattern, item) for item in value)
        inner = value if isinstance(value, dict) else {}
        return all(matches(member, inner.get(key, ...)) for key, member in pattern.items())
    items = value if isinstance(value, list) else [value]
    leaves = [each for each in items if each is not ... and not isinstance(each, dict | list)]
    return any(fits(alternative, leaf) for alternative in pattern for leaf in leaves)


def fits(alternative: Any, leaf: Any) -> bool:
    if not isinstance(alternative, dict):
        return alternative == leaf and type(alternative) is type(leaf)
    ((kind, wanted),) = alternative.items()
    if kind in ("prefix", "suffix"):
        test = str.startswith if kind == "prefix" else str.endswith
        return isinstance(leaf, str) and test(leaf, wanted)
    assert kind == "numeric"
    operator, bound = wanted
    if isinstance(leaf, bool) or not isinstance(leaf, int | float):
        return False
    compare = {
        "=": leaf == bound,
        ">": leaf > bound,
        ">=": leaf >= bound,
        "<": leaf < bound,
        "<=": leaf <= bound,
    }
    return compare[operator]


def test_changes() -> None:
    pattern = record_pattern(
        {
            "table": "orders",
            "events": ["insert", "modify"],
            "filter": [
                {"path": "new.status", "op": "equals", "value": "paid"},
                {"path": "new.customer.tier", "op": "in", "value": ["a", "b"]},
                {"path": "new.total", "op": "gt", "value": 5},
                {"path": "event", "op": "equals", "value": "insert"},
            ],
        }
    )
    assert pattern == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {
            "NewImage": {
                "status": {"S": ["paid"]},
                "customer": {"M": {"tier": {"S": ["a", "b"]}}},
            }
        },
    }
    assert record_pattern({"events": "remove"}) == {"eventName": ["REMOVE"]}
    assert record_pattern({}) == {}


def test_the_input_is_marked_with_the_trigger() -> None:
    text = input_template('odd "id"').replace("<aws.events.event.json>", '{"id": "1"}')
    assert json.loads(text) == {"nodegx": {"trigger": 'odd "id"'}, "event": {"id": "1"}}
