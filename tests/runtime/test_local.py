from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nodegx.runtime import Node, Run, Trigger, Workflow, workflow
from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.execution import Execution
from nodegx.runtime.local import LocalHost

from tests.support.executions import Memory, execute

pytestmark = pytest.mark.filterwarnings("error")

CALL = Node("call", "workflow.call")
ANSWER = Node("answer", "cloud.response")
EMIT = Node("emit", "workflow.emit")


@workflow("/Double")
async def double(run: Run) -> None:
    await run.respond(ANSWER, body=run.trigger * 2)
    await asyncio.sleep(0.01)


@workflow("/Fails")
async def fails(run: Run) -> None:
    raise RetriableError("busy", code="x.busy")


@workflow("/Silent")
async def silent(run: Run) -> None:
    pass


@workflow("/Slow")
async def slow(run: Run) -> None:
    await asyncio.sleep(5)


@workflow("/Deep")
async def deep(run: Run) -> None:
    await run.call(CALL, "/Deep")


WORKFLOWS: dict[str, Workflow] = {flow.name: flow for flow in (double, fails, silent, slow, deep)}


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def host(memory: Memory) -> LocalHost:
    return LocalHost(WORKFLOWS, history=memory)


async def test_a_call_returns_the_answer_after_the_whole_run(
    host: LocalHost, memory: Memory
) -> None:
    async def handler(run: Run) -> None:
        assert await run.call(CALL, "/Double", 21) == 42
        assert await run.call(CALL, "/Silent") is None

    ran = await execute(handler, host=host)
    assert ran.record.status == "success"
    assert [record.parent for record in memory.records] == [ran.record.id, ran.record.id, None]
    assert [record.trigger for record in memory.records] == ["start"] * 3


async def test_a_failed_call_fails_the_node_with_the_reason(host: LocalHost) -> None:
    async def handler(run: Run) -> None:
        await run.call(CALL, "/Fails")

    ran = await execute(handler, host=host)
    assert ran.error["message"] == "/Fails failed: busy"
    assert (ran.error["code"], ran.error["category"]) == ("call.failed", "retriable")
    assert ran.error["details"]["code"] == "x.busy"


async def test_calls_into_nothing_are_refused(memory: Memory) -> None:
    async def handler(run: Run) -> None:
        await run.call(CALL, "/Gone")

    assert (await execute(handler, host=LocalHost(WORKFLOWS))).record.status == "error"
    unreachable = LocalHost(WORKFLOWS, manual=lambda _: None)
    with pytest.raises(FatalError, match="no workflow /Double"):
        await unreachable.call("/Double", 1, parent="x", depth=1)


async def test_endless_recursion_is_stopped(host: LocalHost, memory: Memory) -> None:
    async def handler(run: Run) -> None:
        await run.call(CALL, "/Deep")

    ran = await execute(handler, host=host)
    assert "16 levels deep" in ran.error["message"]
    assert len(memory.records) == 17


async def test_a_started_workflow_is_not_waited_for(host: LocalHost, memory: Memory) -> None:
    async def handler(run: Run) -> None:
        reply = await run.call(CALL, "/Double", 1, wait=False)
        assert set(reply) == {"execution"}

    flow = workflow("/Test")(handler)
    run = Execution(flow, Trigger("t", "trigger.manual", 1), host)
    await run.start()
    await run.finish()
    assert len(memory.records) == 1
    await host.drain()
    assert [record.workflow for record in memory.records] == ["/Test", "/Double"]


async def test_cancelling_the_caller_cancels_the_called(host: LocalHost, memory: Memory) -> None:
    async def handler(run: Run) -> None:
        await run.call(CALL, "/Slow")

    async def cancel(execution: Any) -> None:
        await asyncio.sleep(0.01)
        execution.cancel()

    ran = await execute(handler, host=host, during=cancel)
    assert ran.record.status == "cancelled"
    assert [(record.workflow, record.status) for record in memory.records] == [
        ("/Slow", "cancelled"),
        ("/Test", "cancelled"),
    ]


async def test_events_go_to_whoever_delivers_them() -> None:
    seen: list[Any] = []

    async def publish(name: str, data: Any, id: str, source: str, depth: int) -> None:
        seen.append((name, data, depth))

    async def handler(run: Run) -> None:
        assert len(await run.emit(EMIT, "a.b", {"x": 1})) == 26

    await execute(handler, host=LocalHost(publish=publish))
    await execute(handler, host=LocalHost())
    assert seen == [("a.b", {"x": 1}, 1)]
