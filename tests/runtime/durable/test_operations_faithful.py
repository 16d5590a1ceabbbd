"""Values from the history: all that can be had again, and nothing that may be something else."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.catalog import CATALOG
from nodegx.runtime.durable.operations.faithful import (
    RESULT_TYPES,
    TRIGGER_TYPES,
    Unfaithful,
    failure,
    output,
    result,
    trigger_value,
)
from nodegx.runtime.durable.operations.target import TriggerPort
from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.history.secret_values import SecretValues
from nodegx.runtime.history.text import Capture
from nodegx.runtime.nodes import http, http_response
from nodegx.runtime.triggers.given import trigger_value as given_value


def is_trigger(type: str) -> bool:
    return type.startswith("trigger.") or type == "cloud.request"


def test_every_trigger_and_every_step_is_known() -> None:
    types = set(CATALOG)
    triggers = {each for each in types if is_trigger(each)}
    pure = {each for each in types if not any(signal for signal in CATALOG[each].signals_in)}
    holders = {each for each in types if each.startswith("logic.")} - {"logic.wait"}
    assert set(TRIGGER_TYPES) == triggers
    assert set(RESULT_TYPES) == types - triggers - pure - holders


def test_the_types_are_those_that_nodes_return() -> None:
    for name in filter(None, (*TRIGGER_TYPES.values(), *RESULT_TYPES.values())):
        module, _, attribute = name.partition(":")
        assert issubclass(getattr(import_module(module), attribute), tuple)
    assert http.request.__annotations__["return"] == "Response"
    assert http_response.Response.__module__ in (RESULT_TYPES["http.request"] or "")


@pytest.mark.parametrize("type", sorted(TRIGGER_TYPES))
def test_trigger_values_come_back(type: str) -> None:
    data = {"id": 7, "tags": ["a", None, 1.5]}
    value = given_value(type, {"path": "/x"}, {"body": data} if type == "trigger.queue" else data)
    text = Capture(SecretValues()).text(value)
    found = trigger_value(TriggerPort(type, {}), text)
    assert found == value
    assert found.__class__ is value.__class__


def step(output: Any = None, **changes: Any) -> StepRecord:
    fields: dict[str, Any] = {
        "type": "data.set",
        "input": "{}",
        "output": Capture(SecretValues(), max_bytes=500).text(output),
        "status": Status.SUCCESS,
        **changes,
    }
    return StepRecord("s", "s", fields.pop("type"), 1.0, 0.0, fields.pop("status"), **fields)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_what_comes_back_is_what_it_was(value: Any) -> None:
    """JSON data comes back as it was or not at all."""
    try:
        found = result(step(value))
    except Unfaithful:
        return
    assert json.dumps(found) == json.dumps(value)


class Thing:
    """Something without a JSON form."""


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": ["x" * 600]}, "too long"),
        ({"a": [{"token": "abcdef"}]}, "secret"),
        ([{"a": b"bytes"}], "bytes"),
        ({"a": ValueError("x")}, "an error"),
        ({"a": Thing()}, "has no JSON form"),
        ({"a": lambda: None}, "has no JSON form"),
        ({"a": 10**5000}, "has no JSON form"),
        ({"a": float("-inf")}, "has no JSON form"),
    ],
)
def test_what_was_changed_is_told(value: Any, reason: str) -> None:
    with pytest.raises(Unfaithful, match=reason):
        result(step(value))


def test_no_result_is_told_from_none_recorded() -> None:
    assert result(step(output=None, **{"input": "{}"})) is None
    empty = step()
    empty.output = None
    assert result(empty) is None
    empty.input = None
    with pytest.raises(Unfaithful, match="was not recorded"):
        result(empty)


def test_failures() -> None:
    info = ErrorInfo("down", "http.status", "retriable", "s", 2, {"status": 503})
    failed = step(status=Status.ERROR)
    failed.error = Capture(SecretValues()).text(info)
    assert failure(failed) == info
    failed.input = None
    with pytest.raises(Unfaithful, match="details were not recorded"):
        failure(failed)


def record(**fields: Any) -> ExecutionRecord:
    return ExecutionRecord("1", "/W", "start", Status.SUCCESS, 1.0, **fields)


def test_answers() -> None:
    reply = json.dumps({"status": 200, "headers": {}, "body": {"a": 1}})
    assert output(record(input="1", output=reply)) == {"a": 1}
    assert output(record(input="1")) is None
    with pytest.raises(Unfaithful, match="not recorded"):
        output(record())
