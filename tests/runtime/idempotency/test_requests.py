from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from nodegx.runtime import Run
from nodegx.runtime.idempotency.answers import LARGEST

from tests.runtime.idempotency.conftest import (
    KEY,
    REPLAYED,
    RESPOND,
    Gate,
    Process,
    calling,
    confirm,
    parts,
)
from tests.support.until import until

MakeProcess = Callable[..., Process]


# --- repeats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 201, "headers": {"x-shop": ["a", "ä"]}, "body": {"é": [1, None]}},
        {"status": 200, "body": bytes(range(256)) * 100},
        {"status": 200, "body": "text " * 10_000},
        {"status": 422, "body": {"error": "no such article"}},
        {"status": 303, "headers": {"location": "/orders/1"}},
        {"status": 204},
    ],
)
async def test_a_repeat_gets_the_same_answer(process: Process, answer: dict[str, Any]) -> None:
    async def handler(run: Run) -> None:
        await run.respond(RESPOND, **answer)

    async with calling(process.app(handler)) as client:
        first = await client.post("/orders", json={"id": 1}, headers=KEY)
        again = await client.post("/orders", json={"id": 1}, headers=KEY)
    assert first.status_code == answer["status"]
    assert parts(again) == parts(first)
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert len(process.executions) == 1


async def test_answers_outlive_the_process(make_process: MakeProcess) -> None:
    first, second = make_process(), make_process()
    async with calling(first.app(confirm)) as client:
        answer = await client.post("/orders", json=1, headers=KEY)
    await first.close()
    async with calling(second.app(confirm)) as client:
        again = await client.post("/orders", json=1, headers=KEY)
    assert parts(again) == parts(answer)
    assert not second.executions


async def test_other_keys_and_none_start_anew(process: Process) -> None:
    async with calling(process.app(confirm)) as client:
        for headers in (KEY, {"Idempotency-Key": "other"}, {}, {}):
            answer = await client.post("/orders", json=1, headers=headers)
            assert answer.status_code == 201
            assert REPLAYED not in answer.headers
    assert len({execution.id for execution in process.executions}) == 4


async def test_keys_belong_to_a_workflow(process: Process) -> None:
    for name in ("/Orders", "/Refunds", "/Orders"):
        async with calling(process.app(confirm, name=name)) as client:
            await client.post("/orders", json=1, headers=KEY)
    assert [each.workflow.name for each in process.executions] == ["/Orders", "/Refunds"]


async def test_a_workflow_that_never_answers_is_accepted_once(process: Process) -> None:
    async def handler(run: Run) -> None:
        pass

    async with calling(process.app(handler, responds=False)) as client:
        answers = [await client.post("/orders", json=1, headers=KEY) for _ in range(3)]
    [execution] = process.executions
    assert {each.status_code for each in answers} == {202}
    assert [each.json() for each in answers] == [{"executionId": execution.id}] * 3


async def test_what_follows_an_answer_does_not_matter(process: Process) -> None:
    async def handler(run: Run) -> None:
        await run.respond(RESPOND, body="thanks")
        raise ValueError("too late")

    async with calling(process.app(handler)) as client:
        answers = [await client.post("/orders", json=1, headers=KEY) for _ in range(2)]
    assert [each.text for each in answers] == ["thanks"] * 2
    assert len(process.executions) == 1


async def test_the_window_limits_how_long_a_key_is_known(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_800_000_000.0]
    for module in ("guard", "writer"):
        monkeypatch.setattr(f"nodegx.runtime.idempotency.{module}.time", lambda: now[0])
    async with calling(process.app(confirm, {"window": 60})) as client:
        for seconds, count in ((0, 1), (59, 1), (60, 2), (119, 2), (120, 3)):
            now[0] = 1_800_000_000.0 + seconds
            await client.post("/orders", json=1, headers=KEY)
            assert len(process.executions) == count


# --- at the same time -----------------------------------------------------------------------------


async def test_fifty_requests_at_once_run_it_once(process: Process) -> None:
    gate = Gate()
    async with calling(process.app(gate)) as client:
        sent = [asyncio.create_task(client.post("/orders", json=1, headers=KEY)) for _ in range(50)]
        await until(lambda: gate.begun)
        gate.opened.set()
        answers = await asyncio.gather(*sent)
    assert gate.begun == 1
    assert len({(each.status_code, each.content) for each in answers}) == 1
    assert sorted(REPLAYED in each.headers for each in answers) == [False] + [True] * 49


async def test_two_processes_run_it_once(make_process: MakeProcess) -> None:
    first, second = make_process(), make_process()
    gate = Gate()
    async with calling(first.app(gate)) as client, calling(second.app(gate)) as other:
        sent = [asyncio.create_task(client.post("/orders", json=1, headers=KEY))]
        await until(lambda: gate.begun)
        sent += [asyncio.create_task(other.post("/orders", json=1, headers=KEY)) for _ in range(5)]
        held = await other.post("/orders", json=2, headers=KEY)
        assert held.status_code == 422, "that much is known before the first has ended"
        gate.opened.set()
        answers = await asyncio.gather(*sent)
    assert gate.begun == 1
    assert len({each.content for each in answers}) == 1
    assert not second.executions


async def test_a_repeat_may_be_refused_while_the_first_is_under_way(process: Process) -> None:
    gate = Gate()
    async with calling(process.app(gate, {"onRepeat": "conflict"})) as client:
        first = asyncio.create_task(client.post("/orders", json=1, headers=KEY))
        await until(lambda: gate.begun)
        refused = await client.post("/orders", json=1, headers=KEY)
        gate.opened.set()
        answer = await first
        again = await client.post("/orders", json=1, headers=KEY)
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["executionId"] == process.executions[0].id
    assert parts(again) == parts(answer)


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_repeat_waits_no_longer_than_a_workflow_may_take(
    make_process: MakeProcess, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_process()
    second = make_process() if elsewhere else first
    gate = Gate()
    settings = {"timeout": None}
    async with calling(first.app(gate, settings=settings)) as client:
        sent = asyncio.create_task(client.post("/orders", json=1, headers=KEY))
        await until(lambda: gate.begun)
        monkeypatch.setattr("nodegx.runtime.idempotency.guard.PATIENCE", 0.05)
        app = second.app(gate, settings=settings) if elsewhere else None
        async with calling(app) if app else calling(client._transport.app) as other:  # type: ignore
            refused = await other.post("/orders", json=1, headers=KEY)
        assert refused.status_code == 409
        assert refused.headers["retry-after"] == "1"
        gate.opened.set()
        assert (await sent).status_code == 201
    assert gate.begun == 1


async def test_a_caller_that_hangs_up_leaves_its_answer_to_the_next(process: Process) -> None:
    gate = Gate()
    async with calling(process.app(gate)) as client:
        first = asyncio.create_task(client.post("/orders", json=1, headers=KEY))
        await until(lambda: gate.begun)
        first.cancel()
        await asyncio.wait([first])
        gate.opened.set()
        again = await client.post("/orders", json=1, headers=KEY)
    assert again.json() == {"number": 1}
    assert gate.begun == 1


# --- failures -------------------------------------------------------------------------------------


async def test_a_failure_is_not_kept(process: Process) -> None:
    attempts = 0

    async def handler(run: Run) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise ValueError("broken")
        if attempts == 2:
            await run.respond(RESPOND, status=503)
        await run.respond(RESPOND, body="done")

    async with calling(process.app(handler)) as client:
        answers = [await client.post("/orders", json=1, headers=KEY) for _ in range(4)]
    assert [each.status_code for each in answers] == [500, 503, 200, 200]
    assert [REPLAYED in each.headers for each in answers] == [False, False, False, True]
    assert attempts == 3


async def test_whoever_waits_for_a_failure_gets_it(process: Process) -> None:
    gate = Gate(status=500)
    async with calling(process.app(gate)) as client:
        sent = [asyncio.create_task(client.post("/orders", json=1, headers=KEY)) for _ in range(9)]
        await until(lambda: gate.begun)
        gate.opened.set()
        answers = await asyncio.gather(*sent)
    assert {each.status_code for each in answers} == {500}
    assert gate.begun == 1


@pytest.mark.parametrize("end", ["timeout", "cancel"])
async def test_what_was_cut_short_may_be_repeated(process: Process, end: str) -> None:
    gate = Gate()
    settings = {"timeout": 0.05} if end == "timeout" else {}
    async with calling(process.app(gate, settings=settings)) as client:
        first = asyncio.create_task(client.post("/orders", json=1, headers=KEY))
        await until(lambda: process.executions)
        if end == "cancel":
            process.executions[0].cancel()
        assert (await first).status_code == {"timeout": 504, "cancel": 503}[end]
        gate.opened.set()
        assert (await client.post("/orders", json=1, headers=KEY)).status_code == 201
    assert len(process.executions) == 2


async def test_an_answer_that_cannot_be_sent_is_a_failure(process: Process) -> None:
    async def handler(run: Run) -> None:
        await run.respond(RESPOND, body={"a": object()})

    async with calling(process.app(handler)) as client:
        for _ in range(2):
            answer = await client.post("/orders", json=1, headers=KEY)
            assert answer.status_code == 500
    assert len(process.executions) == 2


async def test_an_answer_that_is_too_large_is_not_kept(process: Process) -> None:
    size = LARGEST + 1

    async def handler(run: Run) -> None:
        await run.respond(RESPOND, body=b"x" * size)

    async with calling(process.app(handler)) as client:
        first = await client.post("/orders", json=1, headers=KEY)
        again = await client.post("/orders", json=1, headers=KEY)
    assert len(first.content) == size
    assert again.status_code == 409
    assert "retry-after" not in again.headers, "it would not help"
    assert "its answer was not kept" in again.json()["detail"]
    assert again.json()["executionId"] == process.executions[0].id
    assert len(process.executions) == 1
