"""Unfinished executions in this process's memory, for tests of what executions do: what they
wrote can be looked at, and their host can be made to die at any write.

The stores themselves have a conformance suite of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from nodegx.runtime.durable import suspension
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.outcome import outcome_of
from nodegx.runtime.durable.resumption import Resumption
from nodegx.runtime.durable.state import Entry, Kind, RunState, RunStatus
from nodegx.runtime.durable.store import Append, Change, Fail, Finish, Kept, Suspend
from nodegx.runtime.execution import Execution
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from tests.support.executions import Memory


class MemoryRuns:
    """Executions by id. The host dies in the moment in which append number `dies_after` has been
    made, and makes no change any more."""

    def __init__(self) -> None:
        self.states: dict[str, RunState] = {}
        self.entries: dict[str, dict[str, Entry]] = {}
        self.appends = 0
        self.dies_after: int | None = None
        self.died = asyncio.Event()

    async def create(self, state: RunState) -> bool:
        if state.id in self.states:
            return False
        self.states[state.id] = deepcopy(state)
        self.entries[state.id] = {}
        return True

    async def change(self, change: Change) -> bool:
        await self._unless_dead()
        state = self.states.get(change.id)
        if state is None or state.fence != change.fence:
            return False
        match change:
            case Append(entries=entries):
                self.appends += 1
                self._add(change.id, entries)
                await self._unless_dead()
            case Suspend(waits=waits, entries=entries, replied=replied, due=due):
                self._add(change.id, entries)
                state.status, state.waits, state.replied = RunStatus.WAITING, waits, replied
                ends = [wait.due for wait in waits if wait.due is not None]
                state.due = due if due is not None else min(ends, default=None)
                if any(wait.key in self.entries[change.id] for wait in waits):
                    state.due = suspension.time()
                state.owner = None
            case Fail(error=error, entries=entries):
                self._add(change.id, entries)
                state.status, state.error, state.owner = RunStatus.FAILED, error, None
            case Finish():
                del self.states[change.id], self.entries[change.id]
        return True

    async def _unless_dead(self) -> None:
        if self.dies_after is not None and self.appends >= self.dies_after:
            self.died.set()
            await asyncio.Event().wait()

    def _add(self, id: str, entries: Any) -> None:
        for entry in entries:
            self.entries[id][entry.key] = deepcopy(entry)

    def claim(self, id: str) -> Kept:
        state = self.states[id]
        state.fence += 1
        state.status = RunStatus.RUNNING
        entries = sorted(self.entries[id].values(), key=lambda entry: entry.number)
        return Kept(deepcopy(state), deepcopy(entries))

    def answer(self, id: str, key: str, value: str) -> bool:
        if id not in self.states or key in self.entries[id]:
            return False
        self.entries[id][key] = Entry(key, Kind.ANSWER, value)
        if any(wait.key == key for wait in self.states[id].waits):
            self.states[id].due = suspension.time()
        return True


class DurableLocalHost(LocalHost):
    """A host of durable executions in memory."""

    url = "http://127.0.0.1:8080"

    def __init__(self, runs: MemoryRuns, *, hold: float = 0.0, **options: Any) -> None:
        self.memory = Memory()
        super().__init__(history=self.memory, **options)
        self.runs = runs
        self.hold = hold

    async def call_once(
        self, workflow: str, payload: Any, *, id: str, parent: str, step: str | None, depth: int
    ) -> Mapping[str, Any] | None:
        """Called workflows run to their end in one pass, as those do that are not durable."""
        callee = self.workflows[workflow]
        trigger = Trigger("start", "trigger.manual", payload)
        execution = Execution(callee, trigger, self, id=id, parent=parent, depth=depth)
        await execution.start()
        await execution.finish()
        return outcome_of(execution)

    async def answered(self, execution: str, key: str, value: str) -> bool:
        return self.runs.answer(execution, key, value)


async def run_to_the_end(
    workflow: Workflow,
    trigger: Trigger,
    host: DurableLocalHost,
    *,
    deaths: Iterable[int] = (),
    log: Log | None = None,
) -> DurableExecution:
    """Starts an execution and makes pass after pass, each when it is due, until it has ended.

    Args:
        workflow: what to run.
        trigger: what starts it.
        host: where.
        deaths: appends, counted from 1, after each of which the host dies; the next pass is
            another host's.
        log: where log lines go.
    """
    runs, upcoming = host.runs, iter(deaths)
    runs.dies_after = next(upcoming, None)
    execution = DurableExecution(workflow, trigger, host, log=log)
    for _ in range(10_000):
        await execution.start()
        dead = asyncio.create_task(runs.died.wait())
        end = asyncio.create_task(execution.finish())
        await asyncio.wait([dead, end], return_when=asyncio.FIRST_COMPLETED)
        dead.cancel()
        if runs.died.is_set():
            await _bury(execution)
            end.cancel()
            runs.died.clear()
            runs.dies_after = next(upcoming, None)
        elif execution.record.status.ended:
            return execution
        else:
            due = runs.states[execution.id].due
            assert due is not None, "it waits for an answer that nobody gives"
            await asyncio.sleep(max(0.0, due - suspension.time()) + 1e-6)
        kept = runs.claim(execution.id)
        execution = Resumption(workflow, kept, host).durable(log=log)
    raise AssertionError("it never ends")


async def _bury(execution: DurableExecution) -> None:
    """Takes what a dead host left off the loop, without letting it do anything more."""
    execution.halted = True
    task = execution._task  # pyright: ignore[reportPrivateUsage]
    assert task is not None
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
