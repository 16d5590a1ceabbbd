"""What 100,000 suspended executions cost a host: memory while they sleep, time when others wake.

The host is a process of its own, over SQLite and over PostgreSQL. The sleepers are copies, made by
the database, of an execution that the host has really suspended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter, time
from typing import Any

import httpx
import psycopg
from nodegx.compiler.build.project import build_project
from nodegx.runtime.database.postgres_pool import split_url
from nodegx.runtime.durable.rows import ENTRY, RUN
from nodegx.runtime.durable.state import Entry, RunState, RunStatus, Wait
from nodegx.runtime.durable.store import Append, Kept, RunStore
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.ids import new_id

from tests.benchmarks.row import Row
from tests.support.crash_site import Site, site
from tests.support.crash_workflows import Case, durable_chain, effect
from tests.support.postgres import postgres, program
from tests.support.projects import node, write_project
from tests.support.server_process import ServerProcess, server_process

SLEEPERS = 100_000
BURST = 300
"""Executions that are due at once."""

DUE = 500
SPREAD = 20.0
"""Seconds over which as many executions as `DUE` become due."""

FAR = 30 * 86_400.0
NAPPER = durable_chain(
    "Napper",
    node("start", "trigger.manual"),
    node("before", "data.set", value={"order": "A-1", "note": "Please ring twice."}),
    node("nap", "logic.wait", duration="{{ start.seconds }}"),
    effect("awake"),
)
CASES = {"Napper": Case("Napper", NAPPER, 0)}


class Bed:
    """A host, and the store that it shares with this process."""

    def __init__(
        self, name: str, server: ServerProcess, target: str, runs: RunStore, outside: Site
    ) -> None:
        self.name = name
        self._target = target
        self.server = server
        self.runs = runs
        self.outside = outside
        self.model: Kept | None = None

    def _connection(self) -> Any:
        if "://" not in self._target:
            return sqlite3.connect(self._target)
        url, schema = split_url(self._target, "schema")
        return psycopg.connect(url, options=f"-c search_path={schema}")

    @property
    def _number(self) -> str:
        """An id made of the number `n`."""
        return "printf('%026d', n)" if "://" not in self._target else "lpad(n::text, 26, '0')"

    def _numbers(self, count: int) -> str:
        if "://" in self._target:
            return f"generate_series(1, {count}) AS numbers(n)"
        return (
            "(WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
            f" LIMIT {count}) SELECT n FROM numbers)"
        )

    def memory(self) -> float:
        """Megabytes that the host occupies."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    async def suspend_one(self) -> None:
        """Has the host really suspend an execution, which others are copied from."""
        url = f"{self.server.url}/_nodegx/workflows/Napper/run"
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(url, json={"seconds": FAR})
        self.model = self.runs.load(answer.json()["executionId"])
        assert self.model is not None
        assert self.model.state.status == RunStatus.WAITING

    def multiply(self, count: int) -> None:
        """Adds so many executions that wait as long as the one that was really suspended."""
        assert self.model is not None
        columns = {"runs": (RUN, "id"), "entries": (ENTRY, "run")}
        with contextlib.closing(self._connection()) as connection:
            for table, (names, key) in columns.items():
                others = ", ".join([name for name in names.split(", ") if name != key])
                connection.execute(
                    f"INSERT INTO {table} ({key}, {others})"
                    f" SELECT {self._number}, {others} FROM {table}, {self._numbers(count)}"
                    f" WHERE {key} = '{self.model.state.id}'"
                )
            connection.commit()

    def sleep(self, dues: Sequence[float]) -> list[str]:
        """Adds executions that wait until these times. Returns their ids."""
        copies = [self._copy(due) for due in dues]
        self.runs.create([kept.state for kept in copies])
        self.runs.change([Append(each.state.id, each.state.fence, each.entries) for each in copies])
        return [kept.state.id for kept in copies]

    def _copy(self, due: float) -> Kept:
        assert self.model is not None
        model = self.model.state
        waits = tuple(Wait(each.key, each.kind, due, each.spec) for each in model.waits)
        state: RunState = replace(model, id=new_id(), due=due, waits=waits)
        entries: list[Entry] = [
            replace(each, value=repr(due)) if each.key == "nap!wait" else each
            for each in self.model.entries
        ]
        return Kept(state, entries)

    async def woken(self, ids: Sequence[str]) -> dict[str, float]:
        """When each of these executions has gone on."""
        wanted = set(ids)
        async with asyncio.timeout(300):
            while True:
                times = self.outside.times()
                found = {id: seen[0] for (id, _), seen in times.items() if id in wanted}
                if len(found) == len(wanted):
                    return found
                await asyncio.sleep(0.02)

    async def burst(self, rounds: int = 2) -> float:
        """Milliseconds for each of some executions that are due at once."""
        best = float("inf")
        for _ in range(rounds):
            due = time() + 1.5
            ids = await asyncio.to_thread(self.sleep, [due] * BURST)
            assert time() < due, "this machine is too slow to get them ready in time"
            times = await self.woken(ids)
            best = min(best, (max(times.values()) - due) / BURST * 1e3)
        return best

    async def accuracy(self) -> float:
        """Seconds by which most of those are late, 95 of 100, that become due one by one."""
        begin = time() + 2.0
        dues = [begin + SPREAD * number / DUE for number in range(DUE)]
        ids = await asyncio.to_thread(self.sleep, dues)
        times = await self.woken(ids)
        late = [times[id] - due for id, due in zip(ids, dues, strict=True)]
        return statistics.quantiles(late, n=20)[-1]


@asynccontextmanager
async def bed(name: str, root: Path, history: str, outside: Site) -> AsyncIterator[Bed]:
    """A host that has just started."""
    write_project(root, NAPPER, vars={"site": outside.url})
    report = build_project(root, jobs=1)
    if not report.ok:
        raise RuntimeError(report.diagnostics)
    path: Any = history
    options = {"root": str(root), "vars": {"site": outside.url}}
    with server_process(root / "build", path, **options) as server:
        target = history if "://" in history else str(Path(history).with_name("runs.sqlite3"))
        runs = open_runs(target)
        try:
            yield Bed(name, server, target, runs, outside)
        finally:
            runs.close()


async def sleepers(one: Bed, count: int) -> list[Row]:
    """What so many sleepers cost one host."""
    await one.suspend_one()
    await one.burst(1)  # the first ones bring what all need
    without = await one.burst()
    before = one.memory()
    await asyncio.to_thread(one.multiply, count)
    beside = await one.burst()
    growth = one.memory() - before
    waiting = (await asyncio.to_thread(one.runs.counts))[RunStatus.WAITING]
    assert waiting >= count, f"{waiting} executions sleep"
    return [
        Row(f"{count:,} sleepers: memory of the host, {one.name}", growth, "MB", limit=50.0),
        Row(
            f"… ms per resume beside them, {one.name}", beside, "ms", without, beside / without, 1.5
        ),
    ]


async def _measure(count: int) -> list[Row]:
    rows: list[Row] = []
    async with contextlib.AsyncExitStack() as stack:
        outside = stack.enter_context(site(CASES))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        beds: list[Bed] = []
        histories = {"SQLite": str(folder / "SQLite" / ".nodegx" / "history.sqlite3")}
        if program("initdb") is not None:
            histories["PostgreSQL"] = stack.enter_context(postgres().schema())
        for name, history in histories.items():
            one = await stack.enter_async_context(bed(name, folder / name, history, outside))
            rows += await sleepers(one, count)
            beds.append(one)
        lates = await asyncio.gather(*[one.accuracy() for one in beds])
        rows += [
            Row(f"… 95th percentile of being late, {one.name}", late, "s", limit=1.0)
            for one, late in zip(beds, lates, strict=True)
        ]
    return rows


def measure(count: int = SLEEPERS) -> list[Row]:
    """Megabytes, milliseconds and seconds, for each store."""
    return asyncio.run(_measure(count))


if __name__ == "__main__":
    begin = perf_counter()
    for row in measure(int(os.environ.get("NODEGX_SLEEPERS", SLEEPERS))):
        print(row)
    print(f"{perf_counter() - begin:.1f} s")
