"""Running handlers in tests, watched for what must never happen: lost errors and stray tasks."""

from __future__ import annotations

import asyncio
import gc
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from nodegx.runtime import Run, Trigger, Workflow, workflow
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, StepRecord
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log


class Memory:
    """A history that keeps what it is told."""

    def __init__(self) -> None:
        self.starts: list[tuple[str, str]] = []
        self.records: list[ExecutionRecord] = []

    async def started(self, record: ExecutionRecord) -> None:
        """Notes id and status."""
        self.starts.append((record.id, record.status.value))

    async def finished(self, record: ExecutionRecord) -> None:
        """Keeps the record."""
        self.records.append(record)

    async def kept(self, record: ExecutionRecord) -> None:
        """Keeps the record."""
        self.records.append(record)


@dataclass
class Ran:
    """An execution that has ended."""

    execution: Execution
    record: ExecutionRecord
    lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def steps(self) -> list[StepRecord]:
        """Its steps."""
        return self.record.steps

    @property
    def trace(self) -> list[tuple[str, str, str | None]]:
        """(id, status, port) of its steps."""
        return [(step.id, step.status.value, step.port) for step in self.steps]

    def step(self, id: str) -> StepRecord:
        """The step of that id."""
        return next(step for step in self.steps if step.id == id)

    @property
    def error(self) -> dict[str, Any]:
        """Why it failed."""
        return json.loads(self.record.error or "null")


Handler = Callable[[Run], Awaitable[None]]


async def execute(
    handler: Handler | Workflow,
    value: Any = None,
    *,
    host: LocalHost | None = None,
    during: Callable[[Execution], Awaitable[None]] | None = None,
    **settings: Any,
) -> Ran:
    """Runs a handler to its end.

    Args:
        handler: a handler, or a workflow.
        value: the trigger's value.
        host: its surroundings; by default one with a `Memory` as its history.
        during: runs beside it, once it has started.
        settings: those of `@workflow`, for a handler.
    """
    flow = handler if isinstance(handler, Workflow) else workflow("/Test", **settings)(handler)
    stream = io.StringIO()
    loop = asyncio.get_running_loop()
    lost: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: lost.append(context))
    before = asyncio.all_tasks()
    gc.freeze()  # so that the collection below need not look at all that other tests have left
    execution = Execution(
        flow,
        Trigger("start", "trigger.manual", value),
        host or LocalHost(history=Memory()),
        log=Log("debug", stream),
    )
    await execution.start()
    if during is not None:
        await during(execution)
    async with asyncio.timeout(20):
        record = await execution.finish()
    gc.collect()
    gc.unfreeze()
    await asyncio.sleep(0)
    assert lost == []
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return Ran(execution, record, lines)
