from __future__ import annotations

from typing import Any

from nodegx.runtime import Node, Run, Workflow, workflow
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.replay import check
from nodegx.runtime.durable.store import Kept
from nodegx.runtime.values import Trigger

from tests.support.durable_memory import DurableLocalHost, MemoryRuns

FIRST = Node("first", "data.set")
SECOND = Node("second", "data.set")
OTHER = Node("other", "data.set")
PAUSE = Node("pause", "logic.wait")
LAST = Node("last", "data.set")
NAME = "/#__cloud__/Replayed"


def echo(value: Any) -> Any:
    return value


def made(*steps: Node, value: Any = 1) -> Workflow:
    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        for step in steps:
            if step.type == "logic.wait":
                await run.wait(step, seconds=3600)
            else:
                await run.step(step, echo, value)

    return handler


async def waiting(code: Workflow) -> Kept:
    """An execution that has come to its wait."""
    runs = MemoryRuns()
    host = DurableLocalHost(runs)
    execution = DurableExecution(code, Trigger("start", "trigger.manual", {}), host)
    await execution.start()
    await execution.finish()
    return runs.claim(execution.id)


async def test_the_same_code_fits() -> None:
    code = made(FIRST, SECOND, PAUSE, LAST)
    assert await check(code, await waiting(code), {}) is None


async def test_code_that_goes_on_otherwise_fits() -> None:
    kept = await waiting(made(FIRST, SECOND, PAUSE, LAST))
    assert await check(made(FIRST, SECOND, OTHER), kept, {}) is None


async def test_another_step_in_between_does_not() -> None:
    kept = await waiting(made(FIRST, SECOND, PAUSE, LAST))
    found = await check(made(FIRST, OTHER, SECOND, PAUSE), kept, {})
    assert found == "The code runs `other` after `first`, where the journal has `second`"


async def test_another_input_does_not() -> None:
    kept = await waiting(made(FIRST, PAUSE))
    found = await check(made(FIRST, PAUSE, value=2), kept, {})
    assert found is not None
    assert found.startswith("The input of `first` is not what the journal has")


async def test_code_that_ends_before_does_not() -> None:
    kept = await waiting(made(FIRST, SECOND, PAUSE))
    found = await check(made(FIRST), kept, {})
    assert found == "The code does not come to `second`, which the journal has"


async def test_nothing_happens() -> None:
    called: list[Any] = []

    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        await run.step(FIRST, called.append, 1)
        await run.wait(PAUSE, seconds=3600)
        await run.step(LAST, called.append, 2)

    kept = await waiting(handler)
    for wait in kept.state.waits:
        kept.entries[-1].value = "0.0"  # it is over
        assert wait.kind == "time"
    assert await check(handler, kept, {}) is None
    assert called == [1]
