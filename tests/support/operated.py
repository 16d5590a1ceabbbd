"""Executions to operate on: run for real over real stores, by a host that does just what a server
does with them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.operations import Operator, Target, TriggerPort
from nodegx.runtime.durable.outcome import outcome_of
from nodegx.runtime.durable.resumption import Resumption
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Fail, Finish, Kept, RunStore
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.durable.writer import RunWriter
from nodegx.runtime.errors import FatalError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import HistoryStore
from nodegx.runtime.history.stores import open_history
from nodegx.runtime.history.writer import HistoryWriter
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

CODEC = Codec({}, {})


class Works(LocalHost):
    """A host of workflows over the stores of a folder, or of a database.

    Args:
        place: where the stores are: a folder, or a URL.
        workflows: what it runs; each starts at a node `start`.
        options: those of `LocalHost`.

    Attributes:
        store: the unfinished executions.
        history_store: the history.
        woken: executions that operations have woken.
    """

    url = "http://127.0.0.1:8080"

    def __init__(self, place: Path | str, *workflows: Workflow, **options: Any) -> None:
        in_files = isinstance(place, Path)
        self.history_store: HistoryStore = open_history(
            place / "history.sqlite3" if in_files else place
        )
        self.store: RunStore = open_runs(place / "runs.sqlite3" if in_files else place)
        self._history_writer = HistoryWriter(self.history_store)
        self.runs = RunWriter(self.store)
        self.hold = 0.0
        self.woken: list[str] = []
        self.kinds = {"start": TriggerPort("trigger.manual", {})}
        self._log = Log("error", io.StringIO())
        named = {each.name: each for each in workflows}
        super().__init__(named, history=self._history_writer, **options)

    def close(self) -> None:
        self.runs.close()
        self._history_writer.close()
        self.store.close()
        self.history_store.close()

    # --- operating -----------------------------------------------------------------------------

    def operator(self, who: str = "ann@desk", **changes: Any) -> Operator:
        """Somebody who operates on these stores, from this process."""
        operator = Operator(
            self.history_store,
            self.store,
            who,
            self.target,
            wake=lambda state: self.woken.append(state.id),
        )
        return replace(operator, **changes)

    def target(self, name: str, revision: str | None) -> Target | None:
        """A workflow as it is now; there are no other revisions."""
        found = self.workflows.get(name)
        if found is None or revision is not None:
            return None
        return Target(name, found.revision, found.settings.durable, self.kinds)

    # --- running -------------------------------------------------------------------------------

    async def start(self, workflow: Workflow, value: Any = None) -> str:
        """Runs a workflow until it ends, fails or waits; returns its id."""
        trigger = Trigger("start", self.kinds["start"].type, value)
        if workflow.settings.durable:
            execution: Execution = DurableExecution(
                workflow, trigger, self, owner=self.store.host, log=self._log
            )
        else:
            execution = Execution(workflow, trigger, self, log=self._log)
        await self._to_the_end(execution)
        return execution.id

    async def drive(self) -> None:
        """Runs whatever may go on, until nothing may."""
        while states := await asyncio.to_thread(self.store.claim, 20, now=time()):
            for state in states:
                kept = self.store.load(state.id)
                assert kept is not None
                await self._go_on(kept)

    async def _go_on(self, kept: Kept) -> None:
        state = kept.state
        workflow = self.workflows[state.workflow]
        resumption = Resumption(workflow, kept, self)
        begin = resumption.durable if state.durable else resumption.anew
        await self._to_the_end(begin(log=self._log), state)

    async def _to_the_end(self, execution: Execution, state: RunState | None = None) -> None:
        await execution.start()
        record = await execution.finish()
        await self._history_writer.flush()
        if isinstance(execution, DurableExecution):
            return
        if state is not None:
            change = Finish(state.id, state.fence)
            if record.status is not Status.SUCCESS:
                change = Fail(state.id, state.fence, record.error or "{}")
            self.store.change([change])
        elif record.status is not Status.SUCCESS:
            self.store.create([self._dead_letter(execution)])

    def _dead_letter(self, execution: Execution) -> RunState:
        record, trigger = execution.record, execution.trigger
        return RunState(
            record.id,
            record.workflow,
            record.revision,
            trigger.node,
            trigger.type,
            CODEC.encode(trigger.value),
            record.started,
            status=RunStatus.FAILED,
            durable=False,
            error=record.error,
            parent=record.parent,
            failures=1,
        )

    async def call_once(
        self, workflow: str, payload: Any, *, id: str, parent: str, step: str | None, depth: int
    ) -> Mapping[str, Any] | None:
        """Runs a callee in this process; durable ones tell their caller when they end."""
        if self.store.load(id) is not None:
            return None
        assert self.history_store.get(id) is None, "it has ended, so it must not be called again"
        callee = self.workflows.get(workflow)
        if callee is None:
            raise FatalError(f"There is no workflow {workflow} to call", code="call.unknown")
        trigger = Trigger("start", "trigger.manual", payload)
        if callee.settings.durable:
            durable = DurableExecution(
                callee,
                trigger,
                self,
                id=id,
                parent=parent,
                parent_step=step,
                depth=depth,
                owner=self.store.host,
                log=self._log,
            )
            await self._to_the_end(durable)
            return None
        execution = Execution(
            callee, trigger, self, id=id, parent=parent, depth=depth, log=self._log
        )
        await self._to_the_end(execution)
        return outcome_of(execution)

    async def answered(self, execution: str, key: str, value: str) -> None:
        """Keeps the answer to a wait."""
        await self.runs.do(self.store.answer, execution, key, value)

    # --- looking -------------------------------------------------------------------------------

    def state(self, id: str) -> RunState:
        """What the store has of an execution."""
        kept = self.store.load(id)
        assert kept is not None, f"{id} is not there"
        return kept.state

    def keys(self, id: str) -> list[str]:
        """The keys of its journal."""
        kept = self.store.load(id)
        return [] if kept is None else [entry.key for entry in kept.entries]

    def record(self, id: str) -> ExecutionRecord:
        """What the history has of an execution."""
        record = self.history_store.get(id)
        assert record is not None, f"{id} is not in the history"
        return record

    def audit(self, id: str) -> list[dict[str, Any]]:
        """What was noted down of an execution."""
        return json.loads(self.record(id).audit or "[]")

    def answer_of(self, id: str) -> Any:
        """The body that an execution has answered with."""
        return json.loads(self.record(id).output or "null")["body"]


@asynccontextmanager
async def works(place: Path | str, *workflows: Workflow, **options: Any) -> AsyncIterator[Works]:
    """A host over the stores of a folder or a database, closed at the end."""
    host = Works(place, *workflows, **options)
    try:
        yield host
    finally:
        await asyncio.to_thread(host.close)
