"""Hosts that stop in good order, or cannot: the others go on with what they leave, and whoever has
lost an execution does nothing more with it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import Query
from nodegx.runtime.history.stores import open_history

from tests.support import hosts as support
from tests.support.crash_site import Site, site
from tests.support.crash_workflows import durable_chain, effect, wired
from tests.support.hosts import Host
from tests.support.postgres import postgres
from tests.support.projects import node
from tests.support.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

START = node("start", "trigger.manual")
SLOW = durable_chain(
    "Slow",
    START,
    effect("first"),
    effect("hold"),  # is not answered before the test says so
    effect("last"),
    node("reply", "cloud.response", body="done"),
)
SLEEPER = durable_chain(
    "Sleeper",
    START,
    effect("first"),
    node("nap", "logic.wait", duration="5s"),
    effect("last"),
    node("reply", "cloud.response", body="done"),
)
RUNNER = wired(
    "Runner",
    [
        START,
        node("laps", "logic.forEach", items="{{ start.laps }}"),
        effect("lap", {"n": "{{ item }}"}, "lap[{{ index }}]"),
        node("reply", "cloud.response", body="{{ len(laps.results) }}"),
    ],
    *("start.started laps", "laps.iteration lap", "laps.completed reply"),
)
WALKER = wired(
    "Walker",
    [
        START,
        node("laps", "logic.forEach", items="{{ start.laps }}"),
        effect("lap", {"n": "{{ item }}"}, "lap[{{ index }}]"),
        node("rest", "logic.wait", duration="200ms"),
        node("reply", "cloud.response", body="{{ len(laps.results) }}"),
    ],
    *("start.started laps", "laps.iteration lap", "lap.done rest", "laps.completed reply"),
)
WORKFLOWS = (SLOW, SLEEPER, RUNNER, WALKER)
HALTS = 6
LATE = 3.0
"""Seconds in which a host that goes on does what it had been about to do."""

LONG = 120.0
"""Seconds of a lease that nobody waits for."""


@contextmanager
def gated() -> Iterator[tuple[Site, threading.Event]]:
    """A site that holds the step `hold` until the event is set."""
    gate = threading.Event()
    with site(support.cases(*WORKFLOWS), gate) as outside:
        try:
            yield outside, gate
        finally:
            gate.set()


async def start(
    client: httpx.AsyncClient, host: Host, workflow: dict[str, Any], body: Any = None
) -> str:
    name = workflow["name"].rpartition("/")[2]
    url = f"{host.url}/_nodegx/workflows/{name}/run?wait=false"
    answer = await client.post(url, json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()["executionId"]


def records(database: str) -> dict[str, ExecutionRecord]:
    history = open_history(database)
    try:
        return {record.id: record for record in history.export(Query())}
    finally:
        history.close()


def seen(outside: Site, ids: list[str], step: str) -> list[str]:
    return [id for id in ids if step in outside.bodies(id)]


async def begun(outside: Site, ids: list[str], step: str) -> None:
    await until(lambda: len(seen(outside, ids, step)) == len(ids), within=60)


async def test_what_a_stopping_host_leaves_goes_on_elsewhere_at_once(tmp_path: Path) -> None:
    pace = {"lease": LONG, "poll": 0.1, "hold": 60.0}
    with postgres().schema() as database, gated() as (outside, gate):
        async with (
            support.hosts(
                2, tmp_path, database, outside.url, WORKFLOWS, pace=pace, drain=1.0
            ) as up,
            httpx.AsyncClient(timeout=60) as client,
        ):
            one, _ = up.all
            sleepers = [await start(client, one, SLEEPER) for _ in range(10)]
            slow = [await start(client, one, SLOW) for _ in range(3)]
            await begun(outside, sleepers, "first")
            await begun(outside, slow, "hold")
            began = time.monotonic()
            await up.stop(one, signal.SIGTERM)
            assert await one.server.wait() == 0
            assert time.monotonic() - began < LONG / 2
            gate.set()
            for workflow in (SLEEPER, SLOW):
                await support.over(database, workflow["name"], LONG / 2)
        found = records(database)
        recorded = support.recorded(database)
        assert not support.recorded_twice(recorded)
        assert not support.late(outside.times(), recorded)
    assert {found[id].status for id in (*sleepers, *slow)} == {Status.SUCCESS}
    counts = Counter({place: len(each) for place, each in outside.times().items()})
    assert {counts[id, step] for id in sleepers for step in ("first", "last")} == {1}
    assert {counts[id, step] for id in slow for step in ("first", "last")} == {1}
    assert {counts[id, "hold"] for id in slow} == {2}  # under way when its host stopped


async def test_a_host_keeps_what_it_has_while_it_drains(tmp_path: Path) -> None:
    pace = {"lease": 1.5, "poll": 0.1, "hold": 0.1}
    with postgres().schema() as database, gated() as (outside, gate):
        async with (
            support.hosts(
                2, tmp_path, database, outside.url, WORKFLOWS, pace=pace, drain=60.0
            ) as up,
            httpx.AsyncClient(timeout=60) as client,
        ):
            one, _ = up.all
            slow = [await start(client, one, SLOW) for _ in range(3)]
            await begun(outside, slow, "hold")
            os.kill(one.server.pid, signal.SIGTERM)
            await asyncio.sleep(4 * pace["lease"])
            gate.set()
            assert await one.server.wait() == 0
            await support.over(database, SLOW["name"])
        found = records(database)
    assert {found[id].status for id in slow} == {Status.SUCCESS}
    assert {len(each) for each in outside.times().values()} == {1}


async def test_a_host_may_be_killed_while_it_stops(tmp_path: Path) -> None:
    pace = {"lease": 1.5, "poll": 0.1, "hold": 60.0}
    with postgres().schema() as database, gated() as (outside, gate):
        async with (
            support.hosts(
                2, tmp_path, database, outside.url, WORKFLOWS, pace=pace, drain=60.0
            ) as up,
            httpx.AsyncClient(timeout=60) as client,
        ):
            one, _ = up.all
            sleepers = [await start(client, one, SLEEPER) for _ in range(10)]
            slow = [await start(client, one, SLOW) for _ in range(3)]
            await begun(outside, sleepers, "first")
            await begun(outside, slow, "hold")
            os.kill(one.server.pid, signal.SIGTERM)
            await asyncio.sleep(0.5)
            await up.kill(one)
            gate.set()
            for workflow in (SLEEPER, SLOW):
                await support.over(database, workflow["name"])
        found = records(database)
        recorded = support.recorded(database)
        assert not support.recorded_twice(recorded)
        assert not support.late(outside.times(), recorded)
    assert {found[id].status for id in (*sleepers, *slow)} == {Status.SUCCESS}
    counts = Counter({place: len(each) for place, each in outside.times().items()})
    assert {counts[id, step] for id in (*sleepers, *slow) for step in ("first", "last")} == {1}
    assert {counts[id, "hold"] for id in slow} == {2}


async def test_a_host_that_lost_its_lease_does_nothing_more(tmp_path: Path) -> None:
    pace = {"lease": 1.5, "poll": 0.1, "hold": 0.05}
    draw = random.Random(7)
    laps = list(range(60))
    with postgres().schema() as database, gated() as (outside, _):
        async with (
            support.hosts(2, tmp_path, database, outside.url, WORKFLOWS, pace=pace) as up,
            httpx.AsyncClient(timeout=60) as client,
        ):
            ids = [
                await start(client, draw.choice(up.all), workflow, {"laps": laps})
                for _ in range(25)
                for workflow in (RUNNER, WALKER)
            ]
            ends: list[float] = []
            for turn in range(HALTS):
                await asyncio.sleep(draw.uniform(0.5, 1.0))
                await halt(up.all[turn % 2], 3 * pace["lease"])
                ends.append(time.time())
            for workflow in (RUNNER, WALKER):
                await support.over(database, workflow["name"])
            await asyncio.sleep(1.0)
        found, recorded = records(database), support.recorded(database)
    assert {found[id].status for id in ids} == {Status.SUCCESS}
    for id in ids:
        done = [step.id for step in found[id].steps if step.node == "lap"]
        assert sorted(done) == sorted(f"lap[{lap}]" for lap in laps)
    # Nothing is written any more by the host that has lost them. What it was about to send when it
    # was halted it does send, which nobody can prevent; but nothing after that.
    assert not support.recorded_twice(recorded)
    late = support.late(outside.times(), recorded)
    assert all(any(0 <= at - end < LATE for end in ends) for _, at in late)
    again = Counter((id, sum(end < at for end in ends)) for id, at in late)
    assert max(again.values(), default=0) <= 1


async def halt(host: Host, seconds: float) -> None:
    """Stops the process of a host, without it noticing that it was."""
    os.kill(host.server.pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(host.server.pid, signal.SIGCONT)
