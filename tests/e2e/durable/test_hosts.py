"""Three hosts share one PostgreSQL and are killed and restarted at random: nothing is lost, nothing
that was recorded is done again, and each moment of a schedule is fired once.

`NODEGX_SOAK=full` takes 5,000 executions through three minutes of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import Query
from nodegx.runtime.history.stores import open_history

from tests.support import hosts as support
from tests.support.crash_site import site
from tests.support.hosts import NAPPER, TICKER, Nappers
from tests.support.postgres import postgres

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

FULL = os.environ.get("NODEGX_SOAK") == "full"
COUNT, SECONDS = (5000, 180.0) if FULL else (1500, 60.0)
PACE = {"lease": 5.0, "poll": 0.25, "hold": 1.0}
WORKFLOWS = (NAPPER, TICKER)
LAG = 1.0
"""Seconds by which this process may see late what a host has sent."""

LATE = 4.0
"""Seconds by which a schedule may be late on this machine."""


async def test_hosts_that_die_lose_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    draw = random.Random(os.environ.get("NODEGX_SEED", "1"))
    limits = httpx.Limits(max_connections=60, max_keepalive_connections=20)
    with postgres().schema() as database, site(support.cases(*WORKFLOWS)) as outside:
        async with (
            support.hosts(3, tmp_path, database, outside.url, WORKFLOWS, pace=PACE) as up,
            httpx.AsyncClient(timeout=60, limits=limits) as client,
        ):
            nappers = Nappers(up, client, draw)
            begin = time.time()
            async with asyncio.TaskGroup() as group:
                group.create_task(up.torment(SECONDS, draw))
                group.create_task(nappers.start(COUNT, SECONDS * 0.8))
            await support.over(database, NAPPER["name"])
            end = time.time()
            for host in up.all:
                await up.stop(host, signal.SIGTERM)
        history = open_history(database)
        try:
            records = list(history.export(Query()))
        finally:
            history.close()
        recorded, left = support.recorded(database), support.left(database)

    naps = [record for record in records if record.workflow == NAPPER["name"]]
    ticks = [record for record in records if record.workflow == TICKER["name"]]
    assert {record.status for record in records} == {Status.SUCCESS}
    numbers = Counter(json.loads(record.input or "")["n"] for record in naps)
    assert max(numbers.values()) == 1
    assert nappers.accepted.keys() <= {record.id for record in naps}
    assert len(nappers.accepted) == COUNT
    assert all(sorted(step.id for step in record.steps) == STEPS for record in naps)
    assert left == {"runs": 0, "entries": 0}

    times = outside.times()
    expected = {(record.id, step) for record in naps for step in ("first", "second")}
    expected |= {(record.id, "ticked") for record in ticks}
    assert times.keys() == expected
    assert not support.recorded_twice(recorded)
    assert not support.late(times, recorded)
    again = {place: each for place, each in times.items() if len(each) > 1}
    baseless = {place: each for place, each in again.items() if not excuse(each, up.kills)}
    assert not baseless, up.kills

    moments = Counter(scheduled(record) for record in ticks)
    assert max(moments.values()) == 1
    missed = [moment for moment in range(int(begin) + 1, int(end)) if moment not in moments]
    assert not [
        moment
        for moment in missed
        if any(host.covers(moment - LATE, moment + LATE) for host in up.all)
    ]
    figures = {
        "executions": len(naps),
        "kills": len(up.kills),
        "steps done twice": sum(len(each) - 1 for each in again.values()),
        "moments fired": len(moments),
        "moments without a host": len(missed),
        "seconds": round(end - begin),
    }
    record_property("hosts", figures)
    print(figures)


STEPS = ["first", "nap", "reply", "second"]


def excuse(seen: list[float], kills: list[float]) -> bool:
    """Whether a host was killed while the step was under way, each time it had to be repeated. What
    a host had sent may be seen a little after it was killed."""
    return all(
        any(one - LAG <= kill <= other and kill - one < LATE for kill in kills)
        for one, other in pairwise(seen)
    )


def scheduled(record: ExecutionRecord) -> int:
    """The moment that an execution was started for, in seconds since the epoch."""
    return round(datetime.fromisoformat(json.loads(record.input or "")["scheduled"]).timestamp())
