"""The real thing for tests: bundles compiled by the pipeline and run by the runtime, on a clock that
jumps over waits instead of sitting through them."""

from __future__ import annotations

import asyncio
import io
import json
import selectors
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from nodegx.compiler.pipeline import Compiled, compile_source
from nodegx.compiler.read import parse
from nodegx.runtime import logs
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, StepRecord
from nodegx.runtime.loader import load
from nodegx.runtime.local import LocalHost
from nodegx.runtime.nodes import python
from nodegx.runtime.threads import Threads
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from tests.support.probe import counting
from tests.support.trace import Observed

T = TypeVar("T")


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while anything can run and jumps to the next timer
    when nothing can. Calls in threads take no time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.in_threads = 0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.now


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.loop.in_threads:
            return super().select(None if timeout is None or timeout > 0 else 0)
        events = super().select(0)
        if not events and timeout != 0:
            if timeout is None:
                raise RuntimeError("nothing can run any more: the workflow waits for ever")
            self.loop.now += max(timeout, 0)
        return events


class _CountedThreads(Threads):
    async def run(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:  # type: ignore[override]
        loop = asyncio.get_running_loop()
        if not isinstance(loop, JumpingLoop):
            return await super().run(function, *args, **kwargs)
        loop.in_threads += 1
        try:
            return await super().run(function, *args, **kwargs)
        finally:
            loop.in_threads -= 1


python._threads = _CountedThreads("code", 64)  # pyright: ignore[reportPrivateUsage]


def jump(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end on a loop of its own that jumps over waits."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


@dataclass(frozen=True)
class Outcome:
    """What the compiled workflow did."""

    status: str
    error: str | None
    answer: tuple[Any, Any] | None
    steps: list[Observed]


class _Memory:
    """A history that forgets; executions are recorded all the same."""

    async def started(self, record: ExecutionRecord) -> None:
        pass

    async def finished(self, record: ExecutionRecord) -> None:
        pass


class Bundle:
    """A bundle of workflows, compiled and loaded; those that are called start at a node `start`.

    Raises:
        DiagnosticError: they do not compile.
    """

    def __init__(self, bundle: Sequence[Mapping[str, Any]], directory: Path) -> None:
        self.compiled: list[Compiled] = compile_source(
            parse(json.dumps({"components": list(bundle)}))
        )
        self.workflows: dict[str, Workflow] = {}
        for each in self.compiled:
            folder = directory / each.slug
            folder.mkdir()
            for name, content in each.files().items():
                (folder / name).write_bytes(content)
            self.workflows[each.name] = load(folder)

    @property
    def text(self) -> str:
        """The first workflow's handler."""
        return self.compiled[0].handler

    def run(self, trigger: str, value: Any) -> Outcome:
        """Runs the first workflow from one of its triggers."""
        with counting({}), mock.patch.object(logs, "default", logs.Log(stream=io.StringIO())):
            execution = jump(self._execute(self.compiled[0].name, trigger, value))
        record, reply = execution.record, execution.answer
        error = json.loads(record.error)["message"] if record.error else None
        answer = (reply.status, reply.body) if reply else None
        return Outcome(str(record.status), error, answer, observed(record.steps))

    async def _execute(self, name: str, node: str, value: Any) -> Execution:
        host = LocalHost(self.workflows, history=_Memory())
        trigger = Trigger(node, "trigger.manual", value)
        execution = Execution(self.workflows[name], trigger, host)
        await execution.start()
        await execution.finish()
        return execution


def in_directory(use: Callable[[Path], T]) -> T:
    """Calls `use` with a directory that exists only for the time of the call."""
    with tempfile.TemporaryDirectory() as directory:
        return use(Path(directory))


def observed(records: Sequence[StepRecord]) -> list[Observed]:
    """The records of a run, those of merges left out: they have no effect of their own."""
    return [
        Observed(
            step.id,
            step.type,
            str(step.status),
            step.port,
            json.loads(step.input) if step.input else None,
            _output(step),
        )
        for step in records
        if step.type != "logic.merge"
    ]


def _output(step: StepRecord) -> Any:
    output = json.loads(step.output) if step.output else None
    if step.type == "logic.forEach" and output is not None:
        output["errors"] = [
            {"index": error["index"], "message": error["message"]} for error in output["errors"]
        ]
    return output
