"""Cancel and discard: executions end without going on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable.operations import Refusal, cancel, discard, retry
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import RunQuery
from nodegx.runtime.errors import FatalError
from nodegx.runtime.history.record import Status

from tests.support.operated import Works, works

REST = Node("rest", "logic.wait")
PAY = Node("pay", "code.python")
CALL = Node("call", "workflow.call")
ANSWER = Node("answer", "cloud.response")


@workflow("/Rest", durable=True)
async def rest(run: Run) -> None:
    await run.wait(REST, seconds=3600)


@workflow("/Caller", durable=True)
async def caller(run: Run) -> None:
    try:
        await run.call(CALL, "/Rest")
    except Exception as error:
        await run.respond(ANSWER, body=run.caught(CALL, error).message)


async def _down() -> None:
    raise FatalError("down", code="http.status")


@workflow("/Pay")
async def pay(run: Run) -> None:
    await run.step(PAY, _down)


async def test_what_waits_ends_at_once(tmp_path: Path) -> None:
    async with works(tmp_path, rest) as host:
        id = await host.start(rest)
        assert cancel(host.operator(), id, reason="A mistake").state == "cancelled"
        assert host.store.load(id) is None
        record = host.record(id)
        assert record.status is Status.CANCELLED
        assert record.finished is not None
        assert json.loads(record.error or "")["message"] == "A mistake"
        (step,) = record.steps
        assert step.status is Status.CANCELLED
        (entry,) = host.audit(id)
        assert (entry["action"], entry["reason"]) == ("cancel", "A mistake")
        hours = host.history_store.metrics(workflow="/Rest")
        assert [hour.count for hour in hours] == [1]


async def test_what_is_queued_ends_at_once(tmp_path: Path) -> None:
    async with works(tmp_path, pay) as host:
        new = retry(host.operator(), await host.start(pay)).execution
        cancel(host.operator(), new)
        assert host.record(new).status is Status.CANCELLED
        assert json.loads(host.record(new).error or "")["message"] == "It was cancelled by hand"
        assert [each["action"] for each in host.audit(new)] == ["retry", "cancel"]


async def test_its_caller_goes_on_with_the_failure(tmp_path: Path) -> None:
    async with works(tmp_path, rest, caller) as host:
        id = await host.start(caller)
        (child,) = [state.id for state in host.store.list(RunQuery(parent=id))]
        cancel(host.operator(), child, reason="No rest")
        assert host.woken == [id]
        await host.drive()
        assert host.answer_of(id) == "/Rest failed: No rest"


async def test_what_it_called_is_cancelled_too(tmp_path: Path) -> None:
    async with works(tmp_path, rest, caller) as host:
        id = await host.start(caller)
        (child,) = [state.id for state in host.store.list(RunQuery(parent=id))]
        cancel(host.operator(), id)
        assert host.record(child).status is Status.CANCELLED
        assert host.audit(child)[0]["reason"] == f"{id}, which called it, was cancelled"
        assert host.store.list(RunQuery()) == []


async def test_what_runs_is_ended_by_its_host(tmp_path: Path) -> None:
    async with works(tmp_path, rest) as host:
        id = await host.start(rest)
        elsewhere = Works(tmp_path, rest)
        assert elsewhere.store.claim_one(id, statuses=[RunStatus.WAITING]) is not None
        outcome = cancel(host.operator(), id, reason="Enough")
        assert (outcome.state, outcome.note) == ("running", "its host has been asked to end it")
        (asked,) = elsewhere.store.cancels()
        assert (asked.id, asked.cancel, asked.audit[-1]["action"]) == (id, "Enough", "cancel")
        elsewhere.close()


async def test_what_a_dead_host_left_is_ended_here(tmp_path: Path) -> None:
    async with works(tmp_path, rest) as host:
        id = await host.start(rest)
        dead = Works(tmp_path, rest)
        assert dead.store.claim_one(id, statuses=[RunStatus.WAITING]) is not None
        dead.store.leave()
        dead.close()
        assert cancel(host.operator(), id).state == "cancelled"
        assert host.record(id).status is Status.CANCELLED


async def test_a_dead_letter_is_discarded(tmp_path: Path) -> None:
    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        before = host.record(id)
        assert discard(host.operator(), id, reason="Known").state == "error"
        assert host.store.load(id) is None
        after = host.record(id)
        (entry,) = json.loads(after.audit or "")
        assert (entry["action"], entry["reason"], entry["by"]) == ("discard", "Known", "ann@desk")
        after.audit = before.audit
        assert after == before, "nothing else of its history has changed"
        assert sum(hour.count for hour in host.history_store.metrics(workflow="/Pay")) == 1


async def test_what_has_no_history_gets_a_bare_record(tmp_path: Path) -> None:
    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        host.history_store.delete([id])
        discard(host.operator(), id)
        record = host.record(id)
        assert (record.status, record.input) == (Status.ERROR, None)
        assert host.audit(id)[0]["action"] == "discard"


@pytest.mark.parametrize("operate", [cancel, discard])
async def test_refusals(tmp_path: Path, operate: Any) -> None:
    async with works(tmp_path, rest, pay) as host:
        waiting, failed = await host.start(rest), await host.start(pay)
        _refused(operate, host, "nothing", "There is no execution nothing")
        if operate is cancel:
            message = "It has failed already; discard it to resolve it"
            _refused(cancel, host, failed, message)
            discard(host.operator(), failed)
            _refused(cancel, host, failed, r"It has ended \(error\), so it cannot be cancelled")
        else:
            message = "It is waiting, not failed; cancel it to end it"
            _refused(discard, host, waiting, message)
        elsewhere = Works(tmp_path)

        def somebody_else() -> float:
            for status in (RunStatus.WAITING, RunStatus.FAILED):
                for id in (waiting, failed):
                    elsewhere.store.claim_one(id, statuses=[status])
            return 0.0

        mine = waiting if operate is cancel else failed
        with pytest.raises(Refusal, match="Somebody else has it now") as caught:
            operate(host.operator(clock=somebody_else), mine)
        assert caught.value.code == "execution.busy"
        elsewhere.close()


def _refused(operate: Any, host: Works, id: str, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        operate(host.operator(), id)


async def test_what_runs_inside_a_process_is_out_of_reach(tmp_path: Path) -> None:
    async with works(tmp_path, pay) as host:
        id = await host.start(pay)
        record = host.record(id)
        host.store.delete([id])
        record.status, record.finished = Status.RUNNING, None
        host.history_store.write([], [record])
        message = "It is running inside a process and not durable, so it cannot be cancelled from"
        _refused(cancel, host, id, message)
