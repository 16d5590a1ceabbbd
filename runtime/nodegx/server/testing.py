"""Runs a project's workflows inside a test: compiled for real, hosted as a server would, recorded
in memory.

    async with workbench("shop", vars={"paymentsUrl": payments.url}) as bench:
        run = await bench.run("ProcessOrder", {"body": {"id": "A-1", "total": 42}})
        assert run.answer.status == 200
        assert run.step("charge").attempts == 1

A workflow that waits for long, or for somebody, stops there; a test decides how it goes on:

        run = await bench.run("Approve", {"body": {"id": "A-1"}})
        assert run.status == "waiting"
        run = await bench.answer(run, "approval", {"note": "fine"}, action="approve")
        run = await bench.skip(run)  # whatever it waits for next is over
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.state import Entry, RunStatus
from nodegx.runtime.durable.store import Suspend
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.durable.tokens import answer_key
from nodegx.runtime.errors import FatalError
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.triggers.given import trigger_value
from nodegx.runtime.values import Reply, Trigger

from . import registry as registries
from .durable import DurableRuns
from .host import ServerHost
from .options import Pace
from .versions import Versions
from .workflows import load_all, release

PACE = Pace(poll=0.05, hold=0.5)
"""Waits of up to half a second pass by themselves."""


class Memory:
    """A history sink that keeps executions in a list, in the order in which they started."""

    def __init__(self) -> None:
        self.records: list[ExecutionRecord] = []
        self._changed = asyncio.Event()

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps a start."""
        self.records.append(record)

    async def finished(self, record: ExecutionRecord) -> None:
        """The record has been completed in place."""

    async def kept(self, record: ExecutionRecord) -> None:
        """Keeps the end of one pass of a durable execution in place of the one before."""
        at = next((i for i, each in enumerate(self.records) if each.id == record.id), None)
        if at is None:
            self.records.append(record)
        else:
            self.records[at] = record
        self._changed.set()

    async def after(self, record: ExecutionRecord) -> ExecutionRecord:
        """The record of the same execution after its next pass."""
        while True:
            self._changed.clear()
            found = next(each for each in self.records if each.id == record.id)
            if found is not record:
                return found
            await self._changed.wait()


class Ran:
    """One execution that has ended, or waits for something that will not come in a test.

    Attributes:
        record: what the history keeps of it.
        answer: what the workflow answered; None if it did not.
    """

    def __init__(self, record: ExecutionRecord, answer: Reply | None = None) -> None:
        self.record = record
        self.answer = answer

    @property
    def status(self) -> Status:
        """How it ended."""
        return self.record.status

    @property
    def error(self) -> Any:
        """The failure as the history has it, or None."""
        return _data(self.record.error)

    def step(self, id: str) -> StepRecord:
        """The step of a node's id, with the iteration path inside loops: `price[3]`.

        Raises:
            KeyError: it did not run; the message lists those that did.
        """
        for step in self.record.steps:
            if step.id == id:
                return step
        ran = ", ".join(step.id for step in self.record.steps) or "none"
        raise KeyError(f"step {id!r} did not run; these did: {ran}")

    def input(self, id: str) -> Any:
        """What went into a step, as JSON data."""
        return _data(self.step(id).input)

    def output(self, id: str) -> Any:
        """What came out of a step, as JSON data."""
        return _data(self.step(id).output)


class Workbench:
    """The workflows of a project, ready to run."""

    def __init__(
        self,
        registry: registries.Registry,
        host: ServerHost,
        memory: Memory,
        durable: DurableRuns,
    ) -> None:
        self._registry = registry
        self._host = host
        self._memory = memory
        self._durable = durable

    async def run(self, name: str, data: Any = None, *, trigger: str | None = None) -> Ran:
        """Runs one workflow to its end, or until it waits for longer than a moment.

        Args:
            name: full name, its last part, or the slug.
            data: what the trigger gets, in the form that `nodegx run --input` takes.
            trigger: id of the trigger node; needed only where there are several.

        Raises:
            FatalError: there is no such workflow or trigger, or the data does not fit.
        """
        loaded = self._registry.find(name)
        if loaded is None:
            known = ", ".join(sorted(self._registry.workflows))
            raise FatalError(f"There is no workflow {name}; these exist: {known}")
        fitting = [entry for entry in loaded.triggers if trigger in (None, entry.node)]
        if len(fitting) != 1:
            known = ", ".join(entry.node for entry in loaded.triggers)
            raise FatalError(f"Name one of the triggers of {name}: {known}")
        entry = fitting[0]
        value = trigger_value(entry.type, entry.config, data)
        execution = await self._host.start(loaded, Trigger(entry.node, entry.type, value))
        record = await execution.finish()
        return Ran(record, execution.answer)

    async def answer(
        self,
        run: Ran,
        step: str,
        body: Any = None,
        *,
        action: str | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Ran:
        """Answers a wait for a request, and returns the execution as it is then: ended, or
        waiting again.

        Args:
            run: the waiting execution.
            step: id of the wait's step.
            body: what is sent; the fields of a form.
            action: the form's button that is pressed.
            query: query parameters.
            headers: headers, in lower case.

        Raises:
            FatalError: it does not wait for that.
        """
        value = {"body": body, "query": query or {}, "headers": headers or {}, "action": action}
        key = answer_key(step)
        kept = await asyncio.to_thread(self._durable.store.load, run.record.id)
        waits = () if kept is None else kept.state.waits
        if not any(wait.key == key and wait.kind == "webhook" for wait in waits):
            known = ", ".join(wait.key.partition("!")[0] for wait in waits) or "nothing"
            raise FatalError(f"It does not wait for an answer at {step!r}; it waits at {known}")
        await self._durable.surroundings.answered(run.record.id, key, Codec({}, {}).encode(value))
        return await self._after(run)

    async def skip(self, run: Ran) -> Ran:
        """Lets the times pass that an execution waits for, time-outs included, and returns it as
        it is then.

        Raises:
            FatalError: it does not wait, or for an answer alone.
        """
        await asyncio.to_thread(self._skip, run.record.id)
        self._durable.wake()
        return await self._after(run)

    def _skip(self, id: str) -> None:
        store = self._durable.store
        state = store.claim_one(id, statuses=(RunStatus.WAITING,))
        kept = None if state is None else store.load(id)
        if state is None or kept is None:
            raise FatalError("It does not wait")
        steps = {wait.key.partition("!answer")[0] for wait in state.waits if wait.due is not None}
        passed = [_passed(entry) for entry in kept.entries if entry.key in _timed(steps)]
        store.change(
            [
                Suspend(
                    id, state.fence, state.waits, passed, state.replied, time() if steps else None
                )
            ]
        )
        if not steps:
            raise FatalError("It waits for an answer, however long that takes")

    async def _after(self, run: Ran) -> Ran:
        """An execution after its next pass."""
        record = await self._memory.after(run.record)
        while record.id in self._host.active:  # on record, and not quite over  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        return Ran(record)

    async def settled(self) -> None:
        """Waits until everything that was started, by events and calls too, has ended."""
        await self._host.idle()

    def executions(self, name: str) -> list[Ran]:
        """All executions of a workflow so far, in the order in which they started."""
        loaded = self._registry.find(name)
        full = loaded.name if loaded is not None else name
        return [Ran(record) for record in self._memory.records if record.workflow == full]


@asynccontextmanager
async def workbench(
    project: str | Path,
    *,
    vars: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> AsyncGenerator[Workbench]:
    """Compiles a project into a temporary folder and hosts it.

    Args:
        project: the folder with `nodegx.json`; nothing in it is changed.
        vars: replace the project's variables of the same names.
        env: environment variables that workflows may read.
        secrets: secrets by name.

    Raises:
        DiagnosticError: the project has mistakes.
    """
    from nodegx.compiler.build.project import build_project
    from nodegx.compiler.diagnostics import DiagnosticError
    from nodegx.compiler.project import load_project

    root = Path(project)
    settings = load_project(root)
    with tempfile.TemporaryDirectory(prefix="nodegx-") as folder:
        report = await asyncio.to_thread(build_project, root, out=Path(folder), jobs=1)
        if not report.ok:
            raise DiagnosticError(report.diagnostics)
        found = load_all(Path(folder))
        registry = registries.build(found.workflows, secrets or {})
        memory = Memory()
        runs = await asyncio.to_thread(open_runs, Path(folder) / "runs.sqlite3")
        host = ServerHost(
            registry,
            vars={**settings.vars, **(vars or {})},
            env=env or {},
            secrets=secrets or {},
            history=memory,
            queue=1000,
        )
        host.durable = DurableRuns(host, runs, Versions(Path(folder) / "versions"), PACE)
        await host.durable.start()
        bench = Workbench(registry, host, memory, host.durable)
        try:
            yield bench
            await bench.settled()
        finally:
            await host.durable.stop()
            await host.cancel_all("The test has ended")
            await host.durable.close()
            release(found.workflows, ())


def _timed(steps: Collection[str]) -> set[str]:
    """Keys of the entries that tell when the waits of these steps are over."""
    return {f"{step}!wait" for step in steps} | set(steps)


def _passed(entry: Entry) -> Entry:
    """The entry of a wait or a retry whose time has come."""
    if entry.value.startswith("["):  # of a wait for a condition: attempt, next question, end
        attempt, _, end = json.loads(entry.value)
        return replace(entry, value=json.dumps([attempt, 0.0, None if end is None else 0.0]))
    return replace(entry, value="0.0")


def _data(text: str | None) -> Any:
    return None if text is None else json.loads(text)
