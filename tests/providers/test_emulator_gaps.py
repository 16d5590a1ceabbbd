"""What is added to ministack, as far as it needs no server."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from nodegx.compiler.targets.aws.alarms import FAILED
from nodegx.providers.aws.emulator import ministack_gaps as gaps


def function(**routing: Any) -> dict[str, Any]:
    return {"aliases": {"live": {"FunctionVersion": "1", **routing}}, "versions": {}}


def test_an_alias_leads_to_its_version_and_by_weight_to_another() -> None:
    assert gaps.chosen_version(function(), "live") == "1"
    assert gaps.chosen_version(function(), "3") == "3"
    assert gaps.chosen_version(function(), None) is None
    assert gaps.chosen_version(None, "live") == "live"
    weighted = function(RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    drawn = Counter(gaps.chosen_version(weighted, "live") for _ in range(2000))
    assert drawn.keys() == {"1", "2"}
    assert 0.18 < drawn["2"] / 2000 < 0.32


@pytest.mark.parametrize(
    ("message", "fits"),
    [
        ('{"message": "execution ended: error"}', True),
        ('{"message": "execution ended: timeout", "x": 1}', True),
        ('{"message": "execution ended: success"}', False),
        ("execution ended: error", False),
        ('["execution ended: error"]', False),
    ],
)
def test_lines_that_tell_of_failures(message: str, fits: bool) -> None:
    assert gaps.matches(FAILED, message) is fits


def test_other_patterns_fit_nothing() -> None:
    assert not gaps.matches("[ip, user]", '{"message": "a"}')


def alarm(**settings: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a",
        "Namespace": "AWS/SQS",
        "MetricName": "Depth",
        "Dimensions": [{"Name": "QueueName", "Value": "q"}],
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1,
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        "StateValue": "INSUFFICIENT_DATA",
        **settings,
    }


@pytest.fixture
def cloudwatch() -> Any:
    """The parts of ministack's CloudWatch that alarms are made of."""
    sent: list[tuple[str, str]] = []

    def dispatch(alarm: Any, before: str, state: str, reason: str) -> None:
        sent.append((before, state))

    module = SimpleNamespace(
        _metrics={},
        _dims_key=lambda dimensions: "|".join(f"{k}={v}" for k, v in sorted(dimensions.items())),
        _calc_stats=lambda points: {"Maximum": max(point["Value"] for point in points)},
        _stat_value=lambda stats, name, points: stats[name],
        _record_history=lambda *_: None,
        _dispatch_alarm_actions=dispatch,
        _evaluate_alarm=None,
        sent=sent,
    )
    gaps.add_alarms(module)
    return module


def test_an_alarm_looks_at_the_metric_it_names(cloudwatch: Any) -> None:
    from time import time

    of = alarm()
    cloudwatch._metrics["AWS/SQS", "Depth", "QueueName=other"] = [{"Timestamp": time(), "Value": 9}]
    cloudwatch._evaluate_alarm(of)
    assert of["StateValue"] == "INSUFFICIENT_DATA"
    cloudwatch._metrics["AWS/SQS", "Depth", "QueueName=q"] = [{"Timestamp": time(), "Value": 1}]
    cloudwatch._evaluate_alarm(of)
    cloudwatch._evaluate_alarm(of)
    assert cloudwatch.sent == [("INSUFFICIENT_DATA", "ALARM")]
    cloudwatch._metrics["AWS/SQS", "Depth", "QueueName=q"][0]["Timestamp"] -= 301
    cloudwatch._evaluate_alarm({**of, "AlarmConfigurationUpdatedTimestamp": time() - 301})
    assert cloudwatch.sent[-1] == ("ALARM", "OK")


def test_a_schedule_gets_what_its_input_asks_for() -> None:
    sent: list[Any] = []
    events = SimpleNamespace(_invoke_target=lambda target, *_: sent.append(target["Input"]))
    gaps.add_context_attributes(events)
    event = {"Source": "aws.scheduler", "Time": 1_790_000_000, "Resources": ["arn:schedule"]}
    events._invoke_target({"Input": '{"at": "<aws.scheduler.scheduled-time>"}'}, event, {})
    events._invoke_target({"Input": "<aws.scheduler.schedule-arn>"}, event, {})
    events._invoke_target({"Input": "<aws.scheduler.schedule-arn>"}, {"Source": "x"}, {})
    assert sent == [
        '{"at": "2026-09-21T14:13:20Z"}',
        "arn:schedule",
        "<aws.scheduler.schedule-arn>",
    ]


def test_a_ministack_that_is_built_differently_does_not_start() -> None:
    with pytest.raises(AttributeError, match="_invoke_target"):
        gaps.add_context_attributes(SimpleNamespace())
