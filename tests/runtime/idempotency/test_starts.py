from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from nodegx.runtime import Run, Trigger, Workflow
from nodegx.runtime.errors import FatalError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import Status
from nodegx.runtime.idempotency.fate import Fate
from nodegx.runtime.idempotency.settings import Settings
from nodegx.runtime.idempotency.starts import Repeat, Starts
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log
from nodegx.runtime.node import Settings as WorkflowSettings
from nodegx.runtime.values import Reply

from tests.runtime.idempotency.conftest import RESPOND, Process

MakeProcess = Callable[..., Process]


class Shop:
    """A workflow that starts once for each `id`."""

    def __init__(self, process: Process, handler: Callable[[Run], Any]) -> None:
        self.process = process
        self.starts = Starts(process.guard)
        key: Callable[[Any], Any] = lambda value: value["id"]  # noqa: E731
        self.workflow = Workflow("/Shop", handler, WorkflowSettings(), keys={"start": key})

    async def start(self, key: Any, *, waits: bool = False, id: str | None = None) -> Any:
        trigger = Trigger("start", "trigger.manual", {"id": key})

        async def begin(id: str) -> Execution:
            execution = Execution(self.workflow, trigger, LocalHost(), id=id, log=Log("error"))
            await execution.start()
            self.process.executions.append(execution)
            return execution

        return await self.starts.start(
            self.workflow, trigger, Settings(), begin, waits=waits, id=id
        )

    async def run(self, key: Any, **options: Any) -> Any:
        """Starts it, and waits until that is over and known."""
        started = await self.start(key, **options)
        if isinstance(started, Execution):
            await started.finish()
        await self.process.guard.drain()
        return started


async def answer(run: Run) -> None:
    await run.respond(RESPOND, status=201, headers={"a": "b"}, body={"id": run.trigger["id"]})


async def test_a_repeat_starts_nothing_and_tells_of_the_first(process: Process) -> None:
    shop = Shop(process, answer)
    first = await shop.run(1)
    again = await shop.run(1)
    other = await shop.run("1")
    assert isinstance(again, Repeat)
    assert again.done
    assert again.id == first.id
    assert again.record.status is Status.SUCCESS
    assert again.answer == Reply(201, {"a": "b"}, {"id": 1})
    assert await again.finish() is again.record
    assert isinstance(other, Execution)
    assert len(process.executions) == 2


async def test_without_an_answer_there_is_none(process: Process) -> None:
    async def handler(run: Run) -> None:
        pass

    shop = Shop(process, handler)
    await shop.run(1)
    again = await shop.run(1)
    assert isinstance(again, Repeat)
    assert again.answer is None
    assert (await again.finish()).status is Status.SUCCESS


async def test_while_it_is_under_way_here_a_repeat_is_the_first(process: Process) -> None:
    opened = asyncio.Event()

    async def handler(run: Run) -> None:
        await opened.wait()
        await answer(run)

    shop = Shop(process, handler)
    first = await shop.start(1)
    dropped = await shop.start(1)
    with pytest.raises(FatalError) as caught:
        await dropped.finish()
    assert caught.value.code == "idempotency.conflict"
    waiting = await shop.start(1, waits=True)
    assert waiting.id == dropped.id == first.id
    end = asyncio.create_task(waiting.finish())
    waiting.cancel()  # it is not its own
    opened.set()
    assert (await end).status is Status.SUCCESS
    assert waiting.answer == first.answer
    assert first.answer is not None


async def test_whoever_waits_for_a_failure_gets_it(process: Process) -> None:
    opened = asyncio.Event()

    async def handler(run: Run) -> None:
        await opened.wait()
        raise ValueError("broken")

    shop = Shop(process, handler)
    first = await shop.start(1)
    waiting = await shop.start(1, waits=True)
    opened.set()
    assert (await waiting.finish()).status is Status.ERROR
    assert waiting.failure == first.failure
    assert waiting.failure.message == "ValueError: broken"


async def test_an_execution_with_an_id_may_begin_again(process: Process) -> None:
    opened = asyncio.Event()

    async def handler(run: Run) -> None:
        await opened.wait()

    shop = Shop(process, handler)
    first = await shop.start(1, id="x")
    again = await shop.start(1, id="x")
    assert [type(first), type(again)] == [Execution, Execution]
    assert first.id == again.id == "x"
    other = await shop.start(1, id="y")
    assert isinstance(other, Repeat)
    opened.set()


async def test_what_is_left_to_others_is_waiting(process: Process) -> None:
    shop = Shop(process, answer)

    async def enqueue(id: str) -> None:
        pass

    trigger = Trigger("start", "trigger.event", {"id": 1})
    assert await shop.starts.start(shop.workflow, trigger, Settings(), enqueue) is None
    again = await shop.run(1)
    assert isinstance(again, Repeat)
    assert (await again.finish()).status is Status.WAITING


async def test_a_failure_is_forgotten(process: Process) -> None:
    async def handler(run: Run) -> None:
        if len(process.executions) < 3:
            raise ValueError("broken")

    shop = Shop(process, handler)
    ends = [await shop.run(1) for _ in range(5)]
    assert [type(each) for each in ends] == [Execution, Execution, Execution, Repeat, Repeat]


async def test_what_cannot_be_started_leaves_no_key(process: Process) -> None:
    shop = Shop(process, answer)

    async def refuse(id: str) -> Execution:
        raise FatalError("overloaded")

    trigger = Trigger("start", "trigger.manual", {"id": 1})
    with pytest.raises(FatalError, match="overloaded"):
        await shop.starts.start(shop.workflow, trigger, Settings(), refuse)
    assert isinstance(await shop.run(1), Execution)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_repeat_may_wait_for_another_process(
    make_process: MakeProcess, fails: bool
) -> None:
    opened = asyncio.Event()

    async def handler(run: Run) -> None:
        await opened.wait()
        if fails:
            raise ValueError("broken")
        await answer(run)

    first, second = Shop(make_process(), handler), Shop(make_process(), answer)
    running = await first.start(1)
    at_once = await second.start(1)
    assert isinstance(at_once, Repeat)
    assert not at_once.done
    assert at_once.id == running.id
    with pytest.raises(FatalError) as caught:
        await at_once.finish()
    assert caught.value.code == "idempotency.conflict"
    waiting = asyncio.create_task(second.run(1, waits=True))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    opened.set()
    end = await waiting
    if fails:
        assert isinstance(end, Execution)
        assert end.record.status is Status.SUCCESS
    else:
        assert isinstance(end, Repeat)
        assert (end.id, end.answer) == (running.id, running.answer)


async def test_an_answer_that_is_no_json_is_not_kept(process: Process) -> None:
    async def handler(run: Run) -> None:
        await run.respond(RESPOND, body={"a": object()})

    shop = Shop(process, handler)
    first = await shop.run(1)
    assert first.record.status is Status.SUCCESS
    again = await shop.run(1)
    assert isinstance(again, Repeat)
    assert again.done
    with pytest.raises(FatalError) as caught:
        await again.finish()
    assert caught.value.code == "idempotency.lost"
    assert caught.value.details == {"execution": first.id}


async def test_a_value_without_a_key_is_told(process: Process) -> None:
    with pytest.raises(FatalError) as caught:
        await Shop(process, answer).start(None)
    assert caught.value.code == "idempotency.key"


async def test_what_another_process_goes_on_with_is_waiting(make_process: MakeProcess) -> None:
    never = asyncio.Event()

    async def handler(run: Run) -> None:
        await never.wait()

    dying = make_process()
    first = await Shop(dying, handler).start(1)
    dying.keys.close()
    dying.store.close()

    async def find(execution: str) -> Fate:
        return Fate.GOES_ON

    second = Shop(make_process(find_fate=find), answer)
    again = await second.run(1)
    assert isinstance(again, Repeat)
    assert (again.id, again.record.status) == (first.id, Status.WAITING)
