"""What it costs that an execution survives: a write to disk for each step, and leaving its process
while it waits. Executions run in a server in this process, with their full history in SQLite."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time, time
from typing import Any

from nodegx.compiler.build.project import build_project
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import RunQuery
from nodegx.runtime.execution import Execution
from nodegx.server.options import Pace, ServerOptions
from nodegx.server.serving import Server, loop_factory

from tests.benchmarks.row import Row
from tests.support.projects import chain, node, write_project

STEPS = 100
CONCURRENT = 50
NAP = 0.05
"""Seconds of a wait that is left for."""

CYCLES = 20
SLEEPERS = 500
START = node("start", "trigger.manual")
STEP = [node(f"s{number}", "data.set", value={"number": number}) for number in range(STEPS)]
WAITS = [node(f"w{number}", "logic.wait", duration=NAP) for number in range(CYCLES)]
END = node("end", "data.set", value="{{ start }}")
WORKFLOWS = (
    chain("Plain", START, *STEP),
    chain("Steps", START, *STEP, durable=True),
    chain("Cycles", START, *WAITS, END, durable=True),
    chain(
        "Sleeper", START, node("nap", "logic.wait", until="{{ start.until }}"), END, durable=True
    ),
)


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    """A server of `WORKFLOWS` that leaves all waits."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_project(root, *WORKFLOWS)
        report = build_project(root, jobs=1)
        if not report.ok:
            raise RuntimeError(report.diagnostics)
        options = ServerOptions(
            build=root / "build",
            root=root,
            port=0,
            history=root / ".nodegx" / "history.sqlite3",
            request_log=False,
            log_level="error",
            pace=Pace(poll=0.05, hold=0.0),
        )
        async with Server(options) as running:
            yield running


async def start(on: Server, name: str, value: Any = None) -> Execution:
    """Starts a workflow."""
    execution = await on.host.start_manual(on.registry.workflows[name], value)
    assert isinstance(execution, Execution)
    return execution


async def run(on: Server, name: str) -> None:
    """Runs a workflow that does not wait."""
    await (await start(on, name)).finish()


async def over(on: Server) -> None:
    """Returns once no execution is left."""
    while await asyncio.to_thread(on.runs.list, RunQuery(), limit=1):  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def steps(on: Server) -> list[Row]:
    """Microseconds that a step takes, alone and beside others."""
    plain = alone = together = float("inf")
    for _ in range(5):
        begin = perf_counter()
        await run(on, "Plain")
        plain = min(plain, perf_counter() - begin)
        begin = perf_counter()
        await run(on, "Steps")
        alone = min(alone, perf_counter() - begin)
    for _ in range(3):
        begin = perf_counter()
        await asyncio.gather(*[run(on, "Steps") for _ in range(CONCURRENT)])
        together = min(together, perf_counter() - begin)
    plain, alone = plain / STEPS * 1e6, alone / STEPS * 1e6
    together = together / STEPS / CONCURRENT * 1e6
    return [
        Row("durable step, journal on disk", alone, "µs", plain, alone / plain),
        Row(f"durable step, {CONCURRENT} executions at once", together, "µs", limit=1000.0),
    ]


async def cycle(on: Server) -> Row:
    """Milliseconds that leaving the process and coming back take, without the wait itself."""
    best = float("inf")
    for _ in range(3):
        begin = perf_counter()
        await start(on, "Cycles")
        await over(on)
        best = min(best, perf_counter() - begin)
    return Row("suspend and resume, one execution", (best / CYCLES - NAP) * 1e3, "ms", limit=50.0)


async def resumes(on: Server) -> list[Row]:
    """How many executions are suspended, and resumed when they are due at once."""
    suspended = resumed = 0.0
    for _ in range(3):
        until = time() + 3.0
        begin = perf_counter()
        given = {"until": until}
        begun = await asyncio.gather(*[start(on, "Sleeper", given) for _ in range(SLEEPERS)])
        await asyncio.gather(*[execution.finish() for execution in begun])
        suspended = max(suspended, SLEEPERS / (perf_counter() - begin))
        waiting = await asyncio.to_thread(on.runs.counts)
        assert waiting[RunStatus.WAITING] == SLEEPERS, "it has taken longer than they were to wait"
        await asyncio.sleep(until - time())
        begin = perf_counter()
        await over(on)
        resumed = max(resumed, SLEEPERS / (perf_counter() - begin))
    return [
        Row("executions started and suspended", suspended, "/s", limit=150, more_is_better=True),
        Row("executions resumed and ended", resumed, "/s", limit=150, more_is_better=True),
    ]


async def _measure() -> list[Row]:
    async with server() as on:
        await run(on, "Plain")
        await run(on, "Steps")
        return [*await steps(on), await cycle(on), *await resumes(on)]


def measure() -> list[Row]:
    """Microseconds for each step, milliseconds for each wait, and how many of these a second."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_measure())


if __name__ == "__main__":
    used = process_time()
    for row in measure():
        print(replace(row))
    print(f"{process_time() - used:.1f} s of processor time")
