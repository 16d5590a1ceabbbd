from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.targets.aws.plan import (
    EventTrigger,
    Function,
    HttpTrigger,
    Plan,
    QueueTrigger,
    ScheduleTrigger,
)
from nodegx.providers.aws.cost import (
    ASSUMED_SECONDS,
    MONTH,
    Measured,
    estimate,
    measure,
    scheduled_runs,
)
from nodegx.providers.aws.prices import load_prices
from nodegx.providers.aws.stackfiles import StackFile
from nodegx.providers.errors import ProviderError
from nodegx.runtime.history.metrics import HourlyMetrics

FRANKFURT = load_prices("eu-central-1")
HTTP = HttpTrigger(node="order", name="order", routes=("POST /orders",))
PLAIN = StackFile(Path("x"), "shop")


def function(slug: str = "orders", **settings: Any) -> Function:
    given: dict[str, Any] = {"timeout": 35, "triggers": (HTTP,), **settings}
    return Function(slug=slug, workflow=slug, **given)


def schedule(expression: str) -> ScheduleTrigger:
    return ScheduleTrigger(node="s", name="s", expression=expression, pause=60)


def one(found: Function, requests: int | None, **measured: Measured) -> Any:
    plan = Plan(project="shop", functions=(found,))
    (cost,) = estimate(plan, PLAIN, FRANKFURT, measured, requests).costs
    return cost


def test_compute_follows_duration_and_memory() -> None:
    cost = one(function(memory=512), 1_000_000, orders=Measured(10, 0.1, 0))
    assert cost.parts["compute"] == pytest.approx(1_000_000 * 0.1 * 0.5 * 0.0000133334)
    assert cost.parts["requests"] == pytest.approx(0.20)
    assert cost.parts["triggers"] == pytest.approx(1.20)
    assert cost.is_measured
    assert cost.total == pytest.approx(sum(cost.parts.values()))


def test_time_is_billed_in_milliseconds() -> None:
    cost = one(function(memory=1024), 1000, orders=Measured(1, 0.0101, 0))
    assert cost.parts["compute"] == pytest.approx(1000 * 0.011 * 0.0000133334)


def test_the_architecture_has_its_price() -> None:
    arm = one(function(), 1000).parts["compute"]
    intel = one(function(architecture="x86_64"), 1000).parts["compute"]
    assert intel / arm == pytest.approx(1.25, rel=0.001)


def test_what_was_never_measured_is_assumed() -> None:
    cost = one(function(), 100)
    assert not cost.is_measured
    assert cost.seconds == ASSUMED_SECONDS
    assert cost.runs == 100


def test_volumes_are_those_named_or_those_measured() -> None:
    measured = Measured(50, 0.1, 1500)
    assert one(function(), 7, orders=measured).runs == 7
    assert one(function(), None, orders=measured).runs == 1500
    assert one(function(), None).runs == 0


def test_history_and_logs() -> None:
    with_history, without = one(function(), 1_000_000), one(function(history=False), 1_000_000)
    assert with_history.parts["history"] == pytest.approx(8 * 0.7625)
    assert without.parts["history"] == 0
    assert with_history.parts["logs"] == pytest.approx(0.8 * 0.63)


def test_triggers_and_events() -> None:
    queue = QueueTrigger(node="q", name="q", queue="jobs", visibility_timeout=60)
    assert one(function(triggers=(queue,)), 1_000_000).parts["triggers"] == pytest.approx(1.2)
    event = EventTrigger(node="e", name="e", pattern={})
    assert one(function(triggers=(event,)), 1_000_000).parts["triggers"] == 0
    both = one(function(triggers=(event, HTTP)), 1_000_000)
    assert both.parts["triggers"] == pytest.approx(1.2)
    assert one(function(emits=("x",)), 1_000_000).parts["events"] == pytest.approx(1.0)


def test_alarms_cost_without_any_run() -> None:
    assert one(function(), 0).parts["alarms"] == pytest.approx(4 * 0.1 + 0.3)


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("rate(1 minute)", 43_200),
        ("rate(12 hours)", 60),
        ("rate(1 day)", 30),
        ("cron(0 2 * * ? *)", 30),
        ("cron(0/15 * * * ? *)", 4 * 24 * 30),
        ("cron(0 9-17 * * ? *)", 9 * 30),
        ("cron(0 7 ? * MON,TUE,WED,THU,FRI *)", 261 * 30 / 365),
        ("cron(0 7 ? * 2#1 *)", 12 * 30 / 365),
        ("cron(0 7 ? * 6L *)", 12 * 30 / 365),
        ("cron(0 0 1 * ? *)", 12 * 30 / 365),
        ("cron(0 0 L * ? *)", 12 * 30 / 365),
        ("cron(0 0 1 1,7 ? *)", 2 * 30 / 365),
    ],
)
def test_schedules_say_how_often(expression: str, runs: float) -> None:
    found = function(triggers=(schedule(expression),))
    assert scheduled_runs(found) == pytest.approx(runs)
    assert one(found, 1_000_000).runs == pytest.approx(runs)


def test_several_schedules_add_up_and_other_triggers_leave_it_to_people() -> None:
    twice = function(triggers=(schedule("rate(1 day)"), schedule("rate(12 hours)")))
    assert scheduled_runs(twice) == 90
    assert scheduled_runs(function(triggers=(schedule("rate(1 day)"), HTTP))) is None
    assert scheduled_runs(function(triggers=())) is None


def test_what_workflows_share() -> None:
    plan = Plan(project="shop", functions=(function("a", secrets=("X",)), function("b")))
    found = estimate(plan, PLAIN, FRANKFURT, {}, 0)
    assert found.shared == {"secrets": 0.4}
    assert found.total == pytest.approx(0.4 + sum(cost.total for cost in found.costs))
    assert any("free tiers" in text for text in found.assumptions)


def test_a_stack_with_more_memory() -> None:
    file = StackFile(Path("x"), "shop", {"shop:functions": {"orders": {"memory": 512}}})
    plan = Plan(project="shop", functions=(function(),))
    (more,) = estimate(plan, file, FRANKFURT, {}, 1000).costs
    assert more.memory == 512
    assert more.parts["compute"] == pytest.approx(2 * one(function(), 1000).parts["compute"])


def test_hours_add_up() -> None:
    hours = [HourlyMetrics("orders", n * 3600, count=2, success=2, total=n / 10) for n in (1, 2)]
    found = measure(hours, MONTH / 10)
    assert found["orders"] == Measured(4, pytest.approx(0.3 / 4), 40)
    assert hours[0].count == 2
    assert measure([], MONTH) == {}


# --------------------------------------------------------------------------------------- prices


def test_every_region_has_every_price() -> None:
    data = json.loads(max(Path(load_prices.__code__.co_filename).parent.glob("*.json")).read_text())
    units = set(data["units"])
    for region, prices in data["regions"].items():
        assert set(prices) == units, region
        assert set(prices["lambda.gbSecond"]) == {"arm64", "x86_64"}
    assert data["date"] == "2026-11"
    assert {name.partition(".")[0] for name in units} == set(data["sources"])


def test_regions_without_prices_get_those_of_another_and_say_so() -> None:
    assert load_prices("af-south-1").region == "us-east-1"


def test_prices_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text("{}")
    with pytest.raises(ProviderError, match="cannot be read"):
        load_prices("eu-central-1", path)


def test_waits_and_looking_after_them_cost_a_little() -> None:
    plain = one(function(), 10_000)
    assert plain.parts["waits"] == 0
    durable = one(function(durable=True), 10_000)
    idle = one(function(durable=True), 0)
    sweeps = MONTH / 60
    scheduled = sweeps * FRANKFURT.of("scheduler.invocation")
    assert scheduled < idle.parts["waits"] < 0.25
    assert durable.parts["waits"] - idle.parts["waits"] == pytest.approx(
        10_000 * (0.000001 + 0.0000002 + 20 * 0.0000007625)
    )
    seldom = StackFile(Path("x"), "shop", {"shop:sweepMinutes": 15})
    plan = Plan(project="shop", functions=(function(durable=True),))
    (cost,) = estimate(plan, seldom, FRANKFURT, {}, 0).costs
    assert cost.parts["waits"] == pytest.approx(idle.parts["waits"] / 15)


def test_waiting_is_not_paid_for() -> None:
    two_days = Measured(10, 172_800.0, 300.0)
    cost = one(function(durable=True), None, orders=two_days)
    assert (cost.seconds, cost.is_measured, cost.runs) == (ASSUMED_SECONDS, False, 300.0)
