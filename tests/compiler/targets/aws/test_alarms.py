"""What is watched of a workflow."""

from __future__ import annotations

from typing import Any

import pytest
from nodegx.compiler.targets.aws.alarms import DAY, WEEK, Alarm, alarms, silence

from tests.support.manifests import drawn, function


def kinds(*triggers: tuple[str, dict[str, Any]]) -> dict[str, Alarm]:
    return {alarm.kind: alarm for alarm in alarms(function(drawn("/Flow", *triggers, timeout=10)))}


def test_who_is_told_of_a_failure_by_lambda_and_who_is_not() -> None:
    event = kinds(("trigger.event", {"event": "a"}))
    assert set(event) == {"errors", "throttles", "duration", "dead-letters"}
    webhook = kinds(("trigger.webhook", {"path": "/a"}))
    assert set(webhook) == {"failures", "errors", "throttles", "duration"}
    assert webhook["failures"].source == "log"


def test_slow_is_relative_to_the_time_limit() -> None:
    alarm = kinds(("trigger.webhook", {"path": "/a"}))["duration"]
    assert (alarm.statistic, alarm.threshold) == ("p95", 12_000)


def test_each_kind_of_dead_letters() -> None:
    found = kinds(("trigger.queue", {"queue": "q.fifo"}), ("trigger.event", {"event": "e"}))
    assert not found["dead-letters"].fifo
    assert found["dead-letters-fifo"].fifo


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"every": "1m"}, (60, 12)),
        ({"every": "1h"}, (300, 15)),
        ({"cron": "30 2 * * *"}, (3600, 27)),
        ({"cron": "0 6 * * MON-FRI"}, (3600, 75)),
        ({"cron": "0 6 * * MON"}, None),
        ({"cron": "0 6 1 * *"}, None),
    ],
)
def test_how_long_a_scheduled_workflow_may_be_silent(schedule: Any, expected: Any) -> None:
    made = function(drawn("/Flow", ("trigger.schedule", schedule)))
    assert silence(made) == expected
    if expected is not None:
        period, periods = expected
        assert period * periods <= (WEEK if period >= 3600 else DAY)
    assert ("did-not-run" in {alarm.kind for alarm in alarms(made)}) == (expected is not None)


def test_what_is_not_scheduled_may_be_silent() -> None:
    assert silence(function(drawn("/Flow", ("trigger.manual", {})))) is None
