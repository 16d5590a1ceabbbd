from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.triggers.timetable import timetable
from nodegx.server.scheduler import GRACE, Schedule, Scheduler

from tests.server.conftest import data
from tests.support.built import simple, write_workflow
from tests.support.until import until

START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Bench:
    """A scheduler on a clock that is moved by hand."""

    def __init__(self, state: Path | None = None, start: datetime = START) -> None:
        self.clock = Clock()
        self.clock.now = start
        self.fired: list[tuple[str, str]] = []
        self.scheduler = Scheduler(self.fire, state, self.clock)

    def fire(self, schedule: Schedule, scheduled: datetime, now: datetime) -> None:
        self.fired.append((schedule.workflow, f"{scheduled:%d %H:%M:%S}"))

    def go(self, **step: float) -> list[tuple[str, str]]:
        """Moves on and gives what fired."""
        self.clock.now += timedelta(**step)
        self.scheduler._tick()
        fired, self.fired = self.fired, []
        return fired


def schedule(name: str, *, catch_up: bool = False, **config: Any) -> Schedule:
    return Schedule(name, "node", timetable(config), catch_up)


def test_fires_in_order_and_each_moment_once() -> None:
    bench = Bench()
    bench.scheduler.replace([schedule("a", cron="* * * * *"), schedule("b", every="45s")])
    assert bench.go(seconds=10) == []
    assert bench.go(seconds=5) == [("b", "01 12:00:45")]
    assert bench.go(seconds=20) == [("a", "01 12:01:00")]
    assert bench.go(seconds=0) == []
    assert [(s.workflow, f"{due:%H:%M:%S}") for s, due in bench.scheduler.upcoming] == [
        ("b", "12:01:30"),
        ("a", "12:02:00"),
    ]


def test_what_was_missed_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.scheduler.replace([schedule("a", cron="* * * * *")])
    assert bench.go(minutes=10, seconds=15) == []
    assert "a missed its start of 2026-01-01T12:10:00" in caplog.text
    assert bench.go(seconds=20) == [("a", "01 12:11:00")]
    assert bench.go(minutes=9, seconds=GRACE - 6) == [("a", "01 12:20:00")]


def test_what_was_missed_is_made_up_for_once() -> None:
    bench = Bench()
    bench.scheduler.replace([schedule("a", cron="* * * * *", catch_up=True)])
    assert bench.go(minutes=10, seconds=15) == [("a", "01 12:10:00")]
    assert bench.go(seconds=20) == [("a", "01 12:11:00")]


def test_a_little_late_still_fires() -> None:
    bench = Bench()
    bench.scheduler.replace([schedule("a", every=1)])
    assert bench.go(seconds=3.5) == [("a", "01 12:00:31")]
    assert bench.go(seconds=0.6) == [("a", "01 12:00:34")]


def test_a_stop_of_the_server_is_made_up_for(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state.json"
    wanted = [schedule("a", cron="0 * * * *", catch_up=True), schedule("b", cron="0 * * * *")]
    first = Bench(state)
    first.scheduler.replace(wanted)
    first.scheduler.stop()
    assert set(json.loads(state.read_text())) == {"a#node"}

    second = Bench(state, START + timedelta(hours=3))
    second.scheduler.replace(wanted)
    assert second.go(seconds=0) == [("a", "01 15:00:00")]
    second.scheduler.stop()

    third = Bench(state, START + timedelta(hours=3, minutes=10))
    third.scheduler.replace(wanted)
    assert third.go(seconds=0) == []


@pytest.mark.parametrize("content", ["", "[]", '{"a#node": "x"}', "\x00"])
def test_a_damaged_state_is_forgotten(tmp_path: Path, content: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(content)
    bench = Bench(state)
    bench.scheduler.replace([schedule("a", cron="0 * * * *", catch_up=True)])
    assert bench.go(seconds=0) == []


def test_a_reload_keeps_the_place_of_what_stays_the_same() -> None:
    bench = Bench()
    bench.scheduler.replace([schedule("a", cron="* * * * *"), schedule("b", every=60)])
    bench.clock.now += timedelta(seconds=31)
    bench.scheduler.replace([schedule("a", cron="* * * * *"), schedule("b", every=90)])
    assert bench.go(seconds=0) == [("a", "01 12:01:00")]


def test_one_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    fired: list[str] = []

    def fire(schedule: Schedule, scheduled: datetime, now: datetime) -> None:
        fired.append(schedule.workflow)
        raise RuntimeError("broken")

    clock = Clock()
    scheduler = Scheduler(fire, clock=clock)
    scheduler.replace([schedule("a", every=1), schedule("b", every=1)])
    clock.now += timedelta(seconds=1)
    scheduler._tick()
    assert fired == ["a", "b"]
    assert "broken" in caplog.text


async def test_schedules_start_workflows_on_time(build: Path, running: Any, recorded: Any) -> None:
    body = "    await run.respond(RESPOND, body=start._asdict())"
    handler = simple("Tick", body, trigger="trigger.schedule")
    config = {"every": 1, "timezone": "Europe/Berlin"}
    trigger = {"node": "start", "type": "trigger.schedule", "config": config}
    write_workflow(build, "Tick", handler, [trigger])
    async with running() as (server, client):
        (entry,) = (await client.get("/_nodegx/schedules")).json()["schedules"]
        assert entry["description"] == "Every 1 second (Europe/Berlin)"
        assert len(entry["next"]) == 5
        first = server.scheduler.upcoming[0][1]
        await until(lambda: (server.scheduler.upcoming[0][1] - first).total_seconds() >= 2)
    records = recorded()
    assert len(records) >= 2
    for record in records:
        value = data(record.input)
        scheduled = datetime.fromisoformat(value["scheduled"])
        started = datetime.fromisoformat(value["time"])
        assert scheduled.utcoffset() in (timedelta(hours=1), timedelta(hours=2))
        assert 0 <= (started - scheduled).total_seconds() < 0.5
        assert scheduled.timestamp() % 1 == 0
