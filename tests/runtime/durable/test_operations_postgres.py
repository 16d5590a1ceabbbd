"""Operations over PostgreSQL, by several operators at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable.operations import (
    Given,
    Outcome,
    Refusal,
    cancel,
    discard,
    fork,
    go_on,
    resume,
    retry,
)
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.errors import FatalError
from nodegx.runtime.history.record import Status

from tests.support.operated import Works, works
from tests.support.postgres import postgres

SAVE = Node("save", "code.python")
PAY = Node("pay", "code.python")
WAIT = Node("wait", "logic.wait")
ANSWER = Node("answer", "cloud.response")


@pytest.fixture
def database() -> Iterator[str]:
    with postgres().schema() as url:
        yield url


def payment(down: list[bool], done: list[str]) -> Any:
    async def step(name: str) -> str:
        done.append(name)
        if down and name == "pay":
            raise FatalError("down")
        return name

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.step(SAVE, step, "save")
        await run.step(PAY, step, "pay")
        found = await run.wait(WAIT, webhook={})
        await run.respond(ANSWER, body=found.body)

    return pay


async def test_an_execution_is_operated_on_all_its_life(database: str) -> None:
    down, done = [True], list[str]()
    pay = payment(down, done)
    async with works(database, pay) as host:
        old = await host.start(pay)
        forked = fork(host.operator(), old, "pay").execution
        down.clear()
        resume(host.operator(), old)
        await host.drive()
        for id in (old, forked):
            assert host.state(id).status is RunStatus.WAITING
            go_on(host.operator(), id, answer=Given(id))
        await host.drive()
        assert (host.answer_of(old), host.answer_of(forked)) == (old, forked)
        assert done == ["save", "pay", "pay", "pay"]
        assert [each["action"] for each in host.audit(old)] == ["resume", "resume"]


@pytest.mark.parametrize("operation", [retry, resume, discard, cancel])
async def test_of_several_operators_one_wins(
    database: str, operation: Callable[..., Outcome]
) -> None:
    down = [True]
    pay = payment(down, [])
    async with works(database, pay) as host:
        if operation is cancel:
            down.clear()
        id = await host.start(pay)
        others = [Works(database, pay) for _ in range(3)]
        together = threading.Barrier(len(others))

        def operate(other: Works) -> Outcome | Refusal:
            together.wait()
            try:
                return operation(other.operator(), id)
            except Refusal as refusal:
                return refusal

        with ThreadPoolExecutor(len(others)) as threads:
            results = list(threads.map(operate, others))
        for other in others:
            other.close()
        # While one ends it, others may have been in time to ask for just that.
        done = [each for each in results if isinstance(each, Outcome)]
        (outcome,) = [
            each for each in done if operation is not cancel or each.state == Status.CANCELLED
        ]
        refused = {each.code for each in results if isinstance(each, Refusal)}
        assert refused <= {"execution.busy", "execution.state"}
        noted = [each for each in host.audit(id) if each["action"] == outcome.action]
        assert 1 <= len(noted) <= len(done)
        if operation is cancel:
            assert host.record(id).status is Status.CANCELLED
