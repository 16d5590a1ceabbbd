"""What is drawn is in the journal before anything outside sees it."""

from __future__ import annotations

import asyncio
from typing import Any

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable.store import Change
from nodegx.runtime.values import Trigger

from tests.support.durable_memory import DurableLocalHost, MemoryRuns, run_to_the_end

SEND = Node("send", "http.request")
SEND_TOO = Node("sendToo", "http.request")
SET = Node("set", "data.set")


class SlowRuns(MemoryRuns):
    """Takes a moment for each write."""

    async def change(self, change: Change) -> bool:
        await asyncio.sleep(0.001)
        return await super().change(change)


class Outside:
    """Notes what it is called with, and what was in the journal then."""

    def __init__(self) -> None:
        self.runs = SlowRuns()
        self.seen: list[tuple[str, set[str]]] = []

    async def send(self, key: str) -> str:
        (entries,) = self.runs.entries.values()
        self.seen.append((key, {entry.value.strip('"') for entry in entries.values()}))
        return key


async def run(outside: Outside, handler: Any, *, deaths: tuple[int, ...] = ()) -> None:
    flow = workflow("/Test", durable=True)(handler)
    host = DurableLocalHost(outside.runs)
    await run_to_the_end(flow, Trigger("start", "trigger.manual", None), host, deaths=deaths)


async def test_it_is_written_before_a_step_shows_it() -> None:
    outside = Outside()

    async def handler(run: Run) -> None:
        await run.step(SEND, outside.send, run.uuid())

    await run(outside, handler)
    [(key, written)] = outside.seen
    assert key in written


async def test_a_step_that_is_repeated_shows_the_same() -> None:
    outside = Outside()

    async def handler(run: Run) -> None:
        await run.step(SEND, outside.send, run.uuid())

    await run(outside, handler, deaths=(1,))
    assert len({key for key, _ in outside.seen}) == 1


async def test_that_holds_for_steps_at_the_same_time() -> None:
    outside = Outside()

    async def handler(run: Run) -> None:
        async def one() -> None:
            await run.step(SEND, outside.send, run.uuid())

        async def other() -> None:
            await run.step(SEND_TOO, outside.send, run.uuid())

        async def third() -> None:  # ends at once, and takes along what the others have drawn
            await run.step(SET, lambda value: value, run.uuid())

        await run.all(one(), other(), third())

    await run(outside, handler)
    assert len(outside.seen) == 2
    assert all(key in written for key, written in outside.seen)


async def test_steps_that_show_nothing_cost_one_write() -> None:
    outside = Outside()

    async def handler(run: Run) -> None:
        await run.step(SET, lambda value: value, run.uuid())

    await run(outside, handler)
    assert outside.runs.appends == 1
