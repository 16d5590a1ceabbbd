"""Migrate: executions go on with other code, if that fits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable.operations import (
    Given,
    Operator,
    Outcome,
    Refusal,
    Target,
    go_on,
    migrate,
    rehearsal,
    resume,
)
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import Kept
from nodegx.runtime.errors import FatalError
from nodegx.runtime.history.record import Status
from nodegx.runtime.workflow import Workflow

from tests.support.operated import CODEC, Works, works

APPROVE = Node("approve", "logic.wait")
PAY = Node("pay", "code.python")
ANSWER = Node("answer", "cloud.response")


async def _down() -> None:
    raise FatalError("down")


@workflow("/Approve", durable=True)
async def approve(run: Run) -> None:
    found = await run.wait(APPROVE, webhook={})
    await run.respond(ANSWER, body=found.body)


@workflow("/Pay", durable=True)
async def pay(run: Run) -> None:
    await run.step(PAY, _down)


@workflow("/Plain")
async def plain(run: Run) -> None:
    await run.step(PAY, _down)


@pytest.fixture(autouse=True)
def revisions() -> None:
    for each in (approve, pay, plain):
        each.revision = "abc1"


class Comparison:
    """Stands for the comparison of handlers with journals, which has tests of its own."""

    def __init__(self, mismatch: str | None = None) -> None:
        self.mismatch = mismatch
        self.asked: list[tuple[str, str]] = []

    def __call__(self, target: Target, kept: Kept) -> str | None:
        self.asked.append((target.revision, kept.state.id))
        return self.mismatch


def moved(host: Works, id: str, *, to: str | None = None, **changes: Any) -> Outcome:
    operator = host.operator(**{"replay": Comparison(), **changes})
    return migrate(operator, id, to=to)


async def test_what_waits_goes_on_with_the_new_code(tmp_path: Path) -> None:
    async with works(tmp_path, approve) as host:
        id = await host.start(approve)
        approve.revision = "def2"
        comparison = Comparison()
        outcome = moved(host, id, to="de", replay=comparison)
        assert comparison.asked == [("def2", id)]
        assert (outcome.state, host.woken) == ("waiting", [id])
        state = host.state(id)
        assert (state.revision, state.status, state.owner) == ("def2", RunStatus.WAITING, None)
        assert [wait.key for wait in state.waits] == ["approve!answer"]
        record = host.record(id)
        assert (record.revision, record.status) == ("def2", Status.WAITING)
        (entry,) = host.audit(id)
        assert (entry["action"], entry["of"], entry["to"]) == ("migrate", "abc1", "def2")
        go_on(host.operator(), id, answer=Given("yes"))
        await host.drive()
        assert host.answer_of(id) == "yes"
        assert [each["action"] for each in host.audit(id)] == ["migrate", "resume"]


async def test_code_is_led_through_the_journal_first(tmp_path: Path) -> None:
    asked: list[str] = []

    async def ask(name: str) -> str:
        asked.append(name)
        return name

    def code(*steps: str) -> Workflow:
        @workflow("/Steps", durable=True, concurrency=1)
        async def handler(run: Run) -> None:
            for step in steps:
                await run.step(Node(step, "code.python"), ask, step)
            found = await run.wait(APPROVE, webhook={})
            await run.respond(ANSWER, body=[*steps, found.body])

        handler.revision = "-".join(steps)
        return handler

    old, fits, other = code("a", "b"), code("a", "b", "c"), code("x", "b")
    async with works(tmp_path, old) as host:
        id = await host.start(old)
        await fits.gate.enter()  # another execution has its only place

        def to(new: Workflow) -> Outcome:
            host.workflows = {"/Steps": new}
            replay = rehearsal(lambda _: new, {})
            return migrate(host.operator(replay=replay), id)

        message = "Revision x-b does not fit: The code runs `x` at the start, where the journal has"
        with pytest.raises(Refusal, match=message):
            await asyncio.to_thread(to, other)
        await asyncio.to_thread(to, fits)
        assert asked == ["a", "b"], "nothing is done by comparing"
        fits.gate.leave()
        go_on(host.operator(), id, answer=Given("yes"))
        await host.drive()
        assert host.answer_of(id) == ["a", "b", "c", "yes"]
        assert asked == ["a", "b", "c"]


async def test_what_made_it_fail_may_be_mended(tmp_path: Path) -> None:
    async def charge(amount: Any) -> str:
        return f"{amount + 1} charged"

    def code(amount: Any) -> Workflow:
        @workflow("/Charge", durable=True)
        async def handler(run: Run) -> None:
            await run.respond(ANSWER, body=await run.step(PAY, charge, amount))

        handler.revision = f"amount-{amount}"
        return handler

    wrong, right = code("seven"), code(7)
    async with works(tmp_path, wrong) as host:
        id = await host.start(wrong)
        host.workflows = {"/Charge": right}
        replay = rehearsal(lambda _: right, {})
        await asyncio.to_thread(migrate, host.operator(replay=replay), id)
        resume(host.operator(), id)
        await host.drive()
        assert host.answer_of(id) == "8 charged"


async def test_it_can_go_back(tmp_path: Path) -> None:
    def targets(name: str, revision: str | None) -> Target | None:
        found = {None: "def2", "abc": "abc1"}.get(revision)
        return None if found is None else Target(name, found, True, {})

    async with works(tmp_path, approve) as host:
        id = await host.start(approve)
        for to, expected in ((None, "def2"), ("abc", "abc1")):
            moved(host, id, to=to, target=targets)
            assert host.state(id).revision == expected
        _refused(host, id, "Revision x of /Approve is not there", to="x", target=targets)


async def test_what_has_failed_stays_a_dead_letter(tmp_path: Path) -> None:
    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        pay.revision = "def2"
        assert moved(host, id).state == "failed"
        state = host.state(id)
        assert (state.revision, state.status, state.owner) == ("def2", RunStatus.FAILED, None)
        assert state.failures == 1
        assert host.record(id).status is Status.ERROR
        resume(host.operator(), id)
        assert host.state(id).revision == "def2"


async def test_an_answer_that_comes_meanwhile_is_not_lost(tmp_path: Path) -> None:
    async with works(tmp_path, approve) as host:
        id = await host.start(approve)
        approve.revision = "def2"
        given = {"body": "mail", "query": {}, "headers": {}, "action": None}
        write = host.history_store.write

        def answered(*arguments: Any) -> None:
            """The history is written while the operator has the execution."""
            host.store.answer(id, "approve!answer", CODEC.encode(given))
            write(*arguments)

        host.history_store.write = answered  # type: ignore[method-assign]
        moved(host, id)
        host.history_store.write = write  # type: ignore[method-assign]
        await host.drive()
        assert host.answer_of(id) == "mail"


async def test_refusals(tmp_path: Path) -> None:
    async with works(tmp_path, approve, pay, plain) as host:
        waiting, failed = await host.start(approve), await host.start(plain)
        assert moved(host, waiting).note == "it is on that revision already"
        _refused(host, failed, "It is not durable; a retry starts it on the current revision")
        _refused(host, "nothing", "There is no execution nothing")
        approve.revision = "def2"
        message = "Revision ab of /Approve is not there; the current one is def2"
        _refused(host, waiting, message, to="ab")
        _refused(host, waiting, "Revision  of /Approve is not there", to="")
        message = "Revision def2 does not fit: The code runs `x` at the start"
        _refused(host, waiting, message, replay=Comparison("The code runs `x` at the start"))
        _refused(host, waiting, "cannot be compared with the journal from here", replay=None)
        gone = {"target": lambda *_: None}
        _refused(host, waiting, "The workflow /Approve is not there any more", **gone)
        now = {"target": lambda name, _: Target(name, "def2", False, {})}
        _refused(host, waiting, "Revision def2 of /Approve is not durable", **now)
        assert host.state(waiting).audit == ()
        assert host.store.claim_one(waiting, statuses=[RunStatus.WAITING]) is not None
        _refused(host, waiting, "It is running; only what waits or has failed can be migrated")


def _refused(host: Works, id: str, message: str, **options: Any) -> None:
    with pytest.raises(Refusal, match=message):
        moved(host, id, **options)


async def test_what_moved_on_during_the_comparison_is_left_alone(tmp_path: Path) -> None:
    async with works(tmp_path, approve) as host:
        id = await host.start(approve)
        approve.revision = "def2"

        def slow(target: Target, kept: Kept) -> str | None:
            """Somebody answers meanwhile, and the execution waits again."""
            claimed = host.store.claim_one(id, statuses=[RunStatus.WAITING])
            assert claimed is not None
            host.store.change([Operator.suspension(host.operator(), claimed)])
            return None

        _refused(host, id, "It has moved on meanwhile", replay=slow)
        state = host.state(id)
        assert (state.status, state.revision, state.owner) == (RunStatus.WAITING, "abc1", None)
        assert [wait.key for wait in state.waits] == ["approve!answer"]
