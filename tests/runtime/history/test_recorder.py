from __future__ import annotations

from typing import Any

import pytest
from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.history import recorder as module
from nodegx.runtime.history.recorder import Recorder
from nodegx.runtime.history.secret_values import SecretValues
from nodegx.runtime.history.text import Capture
from nodegx.runtime.node import Node

NODE = Node("n", "data.set")
INFO = ErrorInfo("no", "x", "fatal", "n", 1, {"a": 1})


def echo(value: Any) -> Any:
    return value


def recorder(*, data: bool = True) -> Recorder:
    return Recorder(Capture(SecretValues()), data=data)


def step(of: Recorder, number: int, *, fail: bool = False) -> None:
    record = of.begin(NODE, f"[{number}]", echo, ("x" * 100,), {})
    if fail:
        of.fail(record, 0.1, INFO, 1)
    else:
        of.end(record, 0.1, "x" * 100, 1)


def test_beyond_the_limit_only_failures_leave_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STEPS", 3)
    kept = recorder()
    for number in range(10):
        step(kept, number, fail=number in (1, 5, 8))
    kept.failed("n", "data.set", "[10]", INFO)
    kept.point(NODE, "[11]", "true")
    assert [record.id for record in kept.steps] == ["n[0]", "n[1]", "n[2]", "n[5]", "n[8]", "n[10]"]
    assert kept.dropped == 6
    for number in range(12, 30):
        step(kept, number, fail=True)
    assert len(kept.steps) == 6


def test_beyond_the_limit_of_text_steps_are_kept_without_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_TEXT", 300)
    kept = recorder()
    for number in range(4):
        step(kept, number)
    assert [record.output is not None for record in kept.steps] == [True, False, False, False]
    assert kept.steps[3].status == "success"


def test_without_data_an_error_keeps_its_message_only() -> None:
    kept = recorder(data=False)
    step(kept, 0)
    step(kept, 1, fail=True)
    assert (kept.steps[0].input, kept.steps[0].output) == (None, None)
    assert '"details":null' in (kept.steps[1].error or "")
