"""Resume URLs of real executions: the link goes out, the execution leaves its process, somebody
answers, and the handler goes on with what they said."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from nodegx.runtime import Node, Run, Trigger, workflow
from nodegx.runtime.durable import tokens
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.resumption import Resumption
from nodegx.runtime.history.record import Status
from nodegx.runtime.triggers.resume import Pending, ResumeApp, WaitState

from tests.support.durable_memory import DurableLocalHost, MemoryRuns

APPROVAL = Node("approval", "logic.wait")
RESULT = Node("result", "cloud.response")
FORM = {
    "title": "Refund",
    "fields": [{"name": "amount", "type": "number"}],
    "actions": [{"value": "approve", "label": "Approve"}, {"value": "reject"}],
}


class StoredWaits:
    """Waits as a store of executions has them."""

    def __init__(self, runs: MemoryRuns) -> None:
        self.runs = runs

    async def find(self, execution: str, step: str) -> Pending | None:
        state = self.runs.states.get(execution)
        if state is None:
            return None
        key = tokens.answer_key(step)
        wait = next((wait for wait in state.waits if wait.key == key), None)
        if key in self.runs.entries[execution]:
            stage = WaitState.ANSWERED
        else:
            stage = WaitState.EARLY if wait is None else WaitState.WAITING
        return Pending(state.secret, stage, state.workflow, wait and wait.spec)

    async def answer(self, execution: str, step: str, value: str) -> bool:
        return self.runs.answer(execution, tokens.answer_key(step), value)


async def test_an_execution_goes_on_with_what_was_entered() -> None:
    links: list[str] = []

    @workflow("/Approve", durable=True)
    async def approve(run: Run) -> None:
        links.append(run.resume_url(APPROVAL))
        wait = await run.wait(APPROVAL, webhook={"method": "POST", "form": FORM})
        await run.respond(RESULT, body={"action": wait.action, "body": wait.body, "by": wait.query})

    runs = MemoryRuns()
    host = DurableLocalHost(runs)
    first = DurableExecution(approve, Trigger("start", "trigger.manual", None), host)
    await first.start()
    assert (await first.finish()).status is Status.WAITING

    app: Any = ResumeApp(StoredWaits(runs), patience=0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        (link,) = links
        assert "Refund" in (await client.get(link)).text
        sent = {"amount": "3", "$action": "approve"}
        assert (await client.post(f"{link}?by=ada", data=sent)).status_code == 200
        assert (await client.post(link, data=sent)).status_code == 410

        second = Resumption(approve, runs.claim(first.id), host).durable()
        await second.start()
        assert (await second.finish()).status is Status.SUCCESS
        assert second.answer is not None
        assert second.answer.body == {
            "action": "approve",
            "body": {"amount": 3},
            "by": {"by": "ada"},
        }
        assert links == [link, link]
        assert (await client.post(link, data=sent)).status_code == 404  # nothing of it is kept


async def test_a_link_may_be_used_before_its_wait_begins() -> None:
    sent, go_on = asyncio.Event(), asyncio.Event()
    links: list[str] = []

    async def mail() -> None:
        sent.set()
        await go_on.wait()

    @workflow("/Approve", durable=True)
    async def approve(run: Run) -> None:
        links.append(run.resume_url(APPROVAL))
        await run.step(Node("mail", "code.python"), mail)
        wait = await run.wait(APPROVAL, webhook={})
        await run.respond(RESULT, body=wait.body)

    runs = MemoryRuns()
    host = DurableLocalHost(runs)
    execution = DurableExecution(approve, Trigger("start", "trigger.manual", None), host)
    await execution.start()
    end = asyncio.create_task(execution.finish())
    await sent.wait()
    app: Any = ResumeApp(StoredWaits(runs), patience=60)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        answering = asyncio.create_task(client.post(links[0], json="yes"))
        await asyncio.sleep(0.05)
        assert not answering.done()
        go_on.set()
        assert (await answering).status_code == 200
    assert (await end).status is Status.WAITING
    execution = Resumption(approve, runs.claim(execution.id), host).durable()
    await execution.start()
    await execution.finish()
    assert execution.answer is not None
    assert execution.answer.body == "yes"
