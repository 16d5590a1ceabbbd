"""Runs a project's workflows inside a test: compiled for real, hosted as a server would, recorded
in memory.

    async with workbench("shop", vars={"paymentsUrl": payments.url}) as bench:
        run = await bench.run("ProcessOrder", {"body": {"id": "A-1", "total": 42}})
        assert run.answer.status == 200
        assert run.step("charge").attempts == 1
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from nodegx.runtime.errors import FatalError
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.triggers.given import trigger_value
from nodegx.runtime.values import Reply, Trigger

from . import registry as registries
from .host import ServerHost
from .workflows import load_all, release


class Memory:
    """A history sink that keeps executions in a list, in the order in which they started."""

    def __init__(self) -> None:
        self.records: list[ExecutionRecord] = []

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps a start."""
        self.records.append(record)

    async def finished(self, record: ExecutionRecord) -> None:
        """The record has been completed in place."""

    async def kept(self, record: ExecutionRecord) -> None:
        """The record has been completed in place."""


class Ran:
    """One execution that has ended.

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

    def __init__(self, registry: registries.Registry, host: ServerHost, memory: Memory) -> None:
        self._registry = registry
        self._host = host
        self._memory = memory

    async def run(self, name: str, data: Any = None, *, trigger: str | None = None) -> Ran:
        """Runs one workflow to its end.

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
        host = ServerHost(
            registry,
            vars={**settings.vars, **(vars or {})},
            env=env or {},
            secrets=secrets or {},
            history=memory,
            queue=1000,
        )
        bench = Workbench(registry, host, memory)
        try:
            yield bench
            await bench.settled()
        finally:
            await host.cancel_all("The test has ended")
            release(found.workflows, ())


def _data(text: str | None) -> Any:
    return None if text is None else json.loads(text)
