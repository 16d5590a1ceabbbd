from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.history.packing import (
    execution_json,
    pack,
    pack_data,
    step_json,
    unpack,
    unpack_data,
)
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord

JSON_TEXT = st.none() | st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
).map(lambda value: json.dumps(value, separators=(",", ":")))
STEPS = st.builds(
    StepRecord,
    id=st.text(),
    node=st.text(),
    type=st.text(),
    started=st.floats(0, 1e10),
    duration=st.floats(0, 1e6),
    status=st.sampled_from(Status),
    attempts=st.integers(1, 99),
    port=st.none() | st.text(),
    input=JSON_TEXT,
    output=JSON_TEXT,
    error=JSON_TEXT,
)


@given(st.lists(STEPS, max_size=5))
@settings(max_examples=80, deadline=None)
def test_steps_come_back_as_they_went_in(steps: list[StepRecord]) -> None:
    assert unpack(pack(steps)) == steps
    for step in steps:
        json.loads(step_json(step))


@given(JSON_TEXT, JSON_TEXT)
def test_input_and_output_come_back_as_they_went_in(input: str | None, output: str | None) -> None:
    assert unpack_data(pack_data(input, output)) == (input, output)


def test_an_execution_is_one_json_object() -> None:
    step = StepRecord("a[0]", "a", "data.set", 1.0, 0.5, Status.SUCCESS, output='{"x":1}')
    record = ExecutionRecord("X", "/W", "t", Status.SUCCESS, 1.0, 2.0, input="[1]", steps=[step])
    data = json.loads(execution_json(record))
    assert data["status"] == "success"
    assert data["input"] == [1]
    assert data["output"] is None
    assert data["steps"][0]["output"] == {"x": 1}
    assert (data["durable"], data["audit"]) == (False, None)


def test_what_people_did_is_part_of_it() -> None:
    audit = '[{"by":"Zo\\u00eb","action":"retry"}]'
    record = ExecutionRecord("X", "/W", "t", Status.WAITING, 1.0, durable=True, audit=audit)
    data = json.loads(execution_json(record))
    assert (data["status"], data["durable"]) == ("waiting", True)
    assert data["audit"] == [{"by": "Zoë", "action": "retry"}]
