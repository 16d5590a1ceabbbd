"""Resume: failed executions go on where they failed."""

from __future__ import annotations

import contextlib
from pathlib import Path
from time import time
from typing import Any

import pytest
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable import poison
from nodegx.runtime.durable.operations import Refusal, cancel, resume
from nodegx.runtime.durable.state import Entry, Kind, RunState, RunStatus
from nodegx.runtime.durable.store import Append, RunQuery
from nodegx.runtime.durable.tokens import answer_key
from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.history.record import Status
from nodegx.runtime.node import Retry
from nodegx.runtime.nodes import data

from tests.support.operated import CODEC, Works, works

SAVE = Node("save", "code.python")
PAY = Node("pay", "code.python")
LATER = Node("later", "code.python")
LOOP = Node("loop", "logic.forEach")
AGAIN = Node("again", "logic.retry")
WAIT = Node("wait", "logic.wait")
CALL = Node("call", "workflow.call")
ANSWER = Node("answer", "cloud.response")


class Services:
    """Services that workflows ask: how often each was, and which are down."""

    def __init__(self, *down: str) -> None:
        self.down = set(down)
        self.asked: list[Any] = []

    async def ask(self, name: str, value: Any = None) -> str:
        self.asked.append((name, value) if value is not None else name)
        if name in self.down:
            raise RetriableError(f"{name} is down", code="http.status")
        return f"{name} done"


async def test_only_what_failed_is_done_again(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.step(SAVE, services.ask, "save")
        key = run.uuid()
        await run.step(PAY, services.ask, "pay", key)
        await run.respond(ANSWER, body=key)

    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        assert host.state(id).status is RunStatus.FAILED
        assert host.record(id).status is Status.ERROR
        outcome = resume(host.operator(), id)
        assert outcome == (id, "resume", id, "waiting", "")
        assert host.woken == [id]
        assert (host.record(id).status, host.record(id).finished) == (Status.WAITING, None)
        await host.drive()
        assert host.state(id).failures == 2, "the service is still down"
        services.down.clear()
        resume(host.operator("bob@desk"), id)
        await host.drive()
        assert host.record(id).status is Status.SUCCESS
        key = host.answer_of(id)
        assert services.asked == ["save", ("pay", key), ("pay", key), ("pay", key)]
        assert [(each["by"], each["action"], each["steps"]) for each in host.audit(id)] == [
            ("ann@desk", "resume", ["pay"]),
            ("bob@desk", "resume", ["pay"]),
        ]
        assert host.store.load(id) is None


async def test_failures_that_were_handled_stay(tmp_path: Path) -> None:
    services = Services("pay", "later")

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        try:
            await run.step(PAY, services.ask, "pay")
        except Exception as error:
            run.caught(PAY, error)
            await run.step(SAVE, services.ask, "save")
            await run.step(LATER, services.ask, "later")

    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        services.down.clear()
        resume(host.operator(), id)
        await host.drive()
        assert host.record(id).status is Status.SUCCESS
        assert services.asked == ["pay", "save", "later", "later"]


async def test_all_iterations_that_failed_together_are_done_again(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        async def body(run: Run, item: int, index: int) -> Any:
            return await run.step(PAY, services.ask, "pay", item)

        result = await run.for_each(LOOP, [1, 2, 3, 4], body, concurrency=4)
        await run.respond(ANSWER, body=result.results)

    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        services.down.clear()
        resume(host.operator(), id)
        await host.drive()
        assert host.answer_of(id) == ["pay done"] * 4


async def test_attempts_begin_anew(tmp_path: Path) -> None:
    services = Services("pay")
    retried = PAY._replace(retry=Retry(attempts=2, delay=0.0))

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        async def body(run: Run) -> None:
            await run.step(retried, services.ask, "pay")

        await run.retry(AGAIN, body, Retry(attempts=2, delay=0.0))

    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        await host.drive()
        assert host.state(id).status is RunStatus.FAILED
        asked = len(services.asked)
        resume(host.operator(), id)
        await host.drive()
        assert host.state(id).status is RunStatus.FAILED
        assert len(services.asked) == asked + 2, "the last attempt at the block has two again"
        services.down.clear()
        resume(host.operator(), id)
        await host.drive()
        assert host.record(id).status is Status.SUCCESS


async def test_a_wait_that_was_given_up_begins_anew(tmp_path: Path) -> None:
    @workflow("/Approve", durable=True)
    async def approve(run: Run) -> None:
        found = await run.wait(WAIT, webhook={"method": "POST"}, timeout=0)
        await run.respond(ANSWER, body=found.body)

    async with works(tmp_path, approve) as host:
        id = await host.start(approve)
        assert host.state(id).error is not None
        assert "wait.timeout" in host.state(id).error
        given = {"body": "late", "query": {}, "headers": {}, "action": None}
        assert host.store.answer(id, answer_key("wait"), CODEC.encode(given))
        resume(host.operator(), id)
        await host.drive()
        assert host.answer_of(id) == "late", "a link that was used late still counts"


def caller(callee: str) -> Any:
    @workflow("/Caller", durable=True)
    async def call(run: Run) -> None:
        await run.respond(ANSWER, body=await run.call(CALL, callee, 1))

    return call


async def test_a_durable_callee_is_resumed_with_its_caller(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.step(SAVE, services.ask, "save")
        await run.respond(ANSWER, body=await run.step(PAY, services.ask, "pay"))

    call = caller("/Pay")
    async with works(tmp_path, pay, call) as host:
        id = await host.start(call)
        await host.drive()
        (child,) = [state.id for state in _all(host) if state.id != id]
        assert host.state(child).status is RunStatus.FAILED
        assert host.state(id).status is RunStatus.FAILED
        services.down.clear()
        outcome = resume(host.operator(), id)
        assert outcome.note == f"with {child}, which it called"
        await host.drive()
        assert host.answer_of(id) == "pay done"
        assert services.asked == ["save", "pay", "pay"]
        assert [each["action"] for each in host.audit(child)] == ["resume"]


async def test_a_callee_that_has_succeeded_meanwhile_is_not_called_again(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.respond(ANSWER, body=await run.step(PAY, services.ask, "pay"))

    call = caller("/Pay")
    async with works(tmp_path, pay, call) as host:
        id = await host.start(call)
        await host.drive()
        (child,) = [state.id for state in _all(host) if state.id != id]
        services.down.clear()
        resume(host.operator(), child)
        await host.drive()
        assert host.record(child).status is Status.SUCCESS
        resume(host.operator(), id)
        await host.drive()
        assert host.answer_of(id) == "pay done"
        assert services.asked == ["pay", "pay"]


async def test_a_callee_that_is_not_durable_is_called_anew(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Pay")
    async def pay(run: Run) -> None:
        await run.respond(ANSWER, body=await run.step(PAY, services.ask, "pay"))

    call = caller("/Pay")
    async with works(tmp_path, pay, call) as host:
        id = await host.start(call)
        (child,) = [state.id for state in _all(host) if state.id != id]
        services.down.clear()
        resume(host.operator(), id)
        assert host.store.load(child) is None, "its dead letter is resolved by the new call"
        assert host.audit(child)[0]["action"] == "superseded"
        await host.drive()
        assert host.answer_of(id) == "pay done"


async def test_a_callee_whose_answer_is_not_known_is_not_guessed(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.step(PAY, services.ask, "pay")
        await run.respond(ANSWER, body={"password": "geheim"})

    call = caller("/Pay")
    async with works(tmp_path, pay, call) as host:
        id = await host.start(call)
        await host.drive()
        (child,) = [state.id for state in _all(host) if state.id != id]
        services.down.clear()
        resume(host.operator(), child)
        await host.drive()
        message = f"`call` called {child}, which has succeeded since; .* parts of it are secret"
        with pytest.raises(Refusal, match=message):
            resume(host.operator(), id)
        assert host.state(id).status is RunStatus.FAILED


async def test_a_callee_that_somebody_else_has_is_waited_for(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.respond(ANSWER, body=await run.step(PAY, services.ask, "pay"))

    call = caller("/Pay")
    async with works(tmp_path, pay, call) as host:
        id = await host.start(call)
        await host.drive()
        (child,) = [state.id for state in _all(host) if state.id != id]
        services.down.clear()
        bob = host.operator("bob@desk")

        def bob_resumes_it() -> float:
            """Called when ann has looked at the child, and before she claims it."""
            with contextlib.suppress(Refusal):
                resume(bob, child)
            return time()

        resume(host.operator(clock=bob_resumes_it), id)
        await host.drive()
        assert host.answer_of(id) == "pay done"
        assert services.asked == ["pay", "pay"]
        assert [each["by"] for each in host.audit(child)] == ["bob@desk"]


def _all(host: Works) -> list[RunState]:
    return host.store.list(RunQuery())


async def test_an_error_of_no_step_only_runs_again(tmp_path: Path) -> None:
    broken = [True]

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.step(SAVE, data.set, 1)
        if broken:
            raise FatalError("No such key")

    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        broken.clear()
        resume(host.operator(), id)
        await host.drive()
        assert host.record(id).status is Status.SUCCESS
        assert host.audit(id)[0]["steps"] == []


async def test_what_took_hosts_down_gets_new_chances(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.step(PAY, services.ask, "pay")

    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        state = host.state(id)
        passes = Entry(poison.KEY, Kind.DRAW, f"[{poison.MOST + 1}, 1, 1, false]")
        host.store.change([Append(id, state.fence, [passes])])
        resume(host.operator(), id)
        kept = host.store.load(id)
        assert kept is not None
        assert poison.suspicion(kept).reason is None


async def test_refusals(tmp_path: Path) -> None:
    services = Services("pay")

    @workflow("/Plain")
    async def plain(run: Run) -> None:
        await run.step(PAY, services.ask, "pay")

    @workflow("/Wait", durable=True)
    async def wait(run: Run) -> None:
        await run.wait(WAIT, seconds=3600)

    async with works(tmp_path, plain, wait) as host:
        operator = host.operator()
        failed, waiting = await host.start(plain), await host.start(wait)
        for id, message in (
            ("nothing", "There is no execution nothing"),
            (failed, "It is not durable, so it can only start anew: retry it"),
            (waiting, "It is waiting, not failed; it can be told to go on now"),
        ):
            with pytest.raises(Refusal, match=message):
                resume(operator, id)
        cancel(operator, waiting)
        with pytest.raises(Refusal, match=r"It has ended \(cancelled\), so it cannot be resumed"):
            resume(operator, waiting)
