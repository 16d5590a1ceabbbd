"""Going on now: waits are ended, or given the answer they wait for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable.operations import Given, Refusal, go_on
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.errors import RetriableError
from nodegx.runtime.history.record import Status
from nodegx.runtime.node import Retry
from nodegx.runtime.nodes import data

from tests.support.loopback import Answer, loopback
from tests.support.operated import CODEC, Works, works

REST = Node("rest", "logic.wait")
APPROVE = Node("approve", "logic.wait")
PAY = Node("pay", "code.python", retry=Retry(attempts=3, delay=3600.0))
CALL = Node("call", "workflow.call")
BOTH = Node("both", "logic.merge")
ANSWER = Node("answer", "cloud.response")


@workflow("/Rest", durable=True)
async def rest(run: Run) -> None:
    await run.wait(REST, seconds=3600)
    await run.respond(ANSWER, body="rested")


@workflow("/Approve", durable=True)
async def approve(run: Run) -> None:
    found = await run.wait(APPROVE, webhook={"method": "POST"})
    await run.respond(ANSWER, body=[found.body, found.query, found.action])


@workflow("/Child", durable=True)
async def child(run: Run) -> None:
    await run.wait(REST, seconds=3600)


@workflow("/Caller", durable=True)
async def caller(run: Run) -> None:
    await run.call(CALL, "/Child")


@workflow("/Both", durable=True)
async def both(run: Run) -> None:
    async def one() -> bool:
        await run.wait(REST, seconds=3600)
        return True

    async def other() -> bool:
        await run.wait(APPROVE, webhook={"method": "POST"})
        return True

    await run.all(BOTH, one(), other())
    await run.respond(ANSWER, body="both")


async def test_a_wait_for_a_time_ends_now(tmp_path: Path) -> None:
    async with works(tmp_path, rest) as host:
        id = await host.start(rest)
        await host.drive()
        assert host.state(id).status is RunStatus.WAITING
        assert go_on(host.operator(), id).state == "waiting"
        assert host.woken == [id]
        await host.drive()
        assert host.answer_of(id) == "rested"
        (entry,) = host.audit(id)
        assert (entry["action"], entry["now"], entry["steps"]) == ("resume", True, ["rest"])


async def test_the_next_attempt_comes_now(tmp_path: Path) -> None:
    tries: list[int] = []

    async def ask() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise RetriableError("busy")
        return "paid"

    @workflow("/Pay", durable=True)
    async def pay(run: Run) -> None:
        await run.step(PAY, ask)

    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        for _ in range(2):
            go_on(host.operator(), id, step="pay")
            await host.drive()
        assert host.record(id).status is Status.SUCCESS
        assert len(tries) == 3


async def test_a_condition_is_asked_for_now(tmp_path: Path) -> None:
    with loopback() as site:
        state = site.at("/state", Answer(200, {"ready": False}), Answer(200, {"ready": True}))

        @workflow("/Poll", durable=True)
        async def poll(run: Run) -> None:
            asked = {"url": state, "interval": 3600}
            await run.wait(REST, condition=lambda found, _: found.body["ready"], poll=asked)
            await run.respond(ANSWER, body="ready")

        async with works(tmp_path, poll) as host:
            id = await host.start(poll)
            assert host.state(id).waits[0].kind == "condition"
            go_on(host.operator(), id)
            await host.drive()
            assert host.answer_of(id) == "ready"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"amount": 1}, [{"amount": 1}, {}, None]),
        (None, [None, {}, None]),
        ({"body": 1, "query": {"a": "b"}}, [1, {"a": "b"}, None]),
        ({"action": "approve"}, [None, {}, "approve"]),
        ({"query": {}}, [{"query": {}}, {}, None]),
    ],
)
async def test_an_answer_in_place_of_a_request(tmp_path: Path, given: Any, expected: Any) -> None:
    async with works(tmp_path, approve) as host:
        id = await host.start(approve)
        await host.drive()
        go_on(host.operator(), id, answer=Given(given))
        await host.drive()
        assert host.answer_of(id) == expected
        assert host.audit(id)[0]["answered"] == "approve"
        assert "amount" not in str(host.audit(id))


async def test_of_several_waits_those_that_end_by_themselves(tmp_path: Path) -> None:
    async with works(tmp_path, both) as host:
        id = await host.start(both)
        go_on(host.operator(), id)
        await host.drive()
        assert [wait.key for wait in host.state(id).waits] == ["approve!answer"]
        go_on(host.operator(), id, answer=Given("yes"))
        await host.drive()
        assert host.answer_of(id) == "both"


async def test_an_answer_that_comes_first_counts(tmp_path: Path) -> None:
    async with works(tmp_path, approve) as host:
        id = await host.start(approve)
        given = {"body": "mail", "query": {}, "headers": {}, "action": None}
        assert host.store.answer(id, "approve!answer", CODEC.encode(given))
        with pytest.raises(Refusal, match="The wait at `approve` has its answer already"):
            go_on(host.operator(), id, answer=Given("desk"))
        await host.drive()
        assert host.answer_of(id)[0] == "mail", "and it is still found, once it is given back"


async def test_refusals(tmp_path: Path) -> None:
    @workflow("/Done", durable=True)
    async def done(run: Run) -> None:
        await run.step(Node("save", "data.set"), data.set, 1)

    async with works(tmp_path, rest, approve, both, caller, child, done) as host:
        resting, approving = await host.start(rest), await host.start(approve)
        calling, ended = await host.start(caller), await host.start(done)
        await _refused(host, approving, "`approve` waits for a request, so it needs the answer")
        await _refused(host, calling, "`call` waits for the end of another execution")
        await _refused(host, resting, "does not wait at `save`; it waits at `rest`", step="save")
        await _refused(
            host, resting, "`rest` waits for a time, and takes no answer", answer=Given(1)
        )
        await _refused(host, ended, r"It has ended \(success\), so it cannot go on now")
        await _refused(host, "nothing", "There is no execution nothing")
        taken = host.store.claim_one(resting, statuses=[RunStatus.WAITING])
        assert taken is not None
        await _refused(host, resting, "It is running, not waiting")
        for id in (approving, calling):
            assert host.state(id).status is RunStatus.WAITING
            assert host.state(id).audit == ()


async def test_two_that_want_an_answer(tmp_path: Path) -> None:
    @workflow("/Two", durable=True)
    async def two(run: Run) -> None:
        async def body(run: Run, item: int, index: int) -> Any:
            return (await run.wait(APPROVE, webhook={})).body

        loop = Node("loop", "logic.forEach")
        result = await run.for_each(loop, [1, 2], body, concurrency=2)
        await run.respond(ANSWER, body=result.results)

    async with works(tmp_path, two) as host:
        id = await host.start(two)
        wanted = r"Several waits want an answer: `approve\[0\]`, `approve\[1\]`; name the step"
        await _refused(host, id, wanted, answer=Given(1))
        for step in ("approve[1]", "approve[0]"):
            go_on(host.operator(), id, step=step, answer=Given(step))
            await host.drive()
        assert host.answer_of(id) == ["approve[0]", "approve[1]"]


async def _refused(host: Works, id: str, message: str, **options: Any) -> None:
    with pytest.raises(Refusal, match=message):
        go_on(host.operator(), id, **options)
