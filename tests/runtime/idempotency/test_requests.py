from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from nodegx.runtime import Run
from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.idempotency.answers import LARGEST
from nodegx.runtime.idempotency.fate import Fate
from nodegx.runtime.idempotency.sqlite import SqliteKeys
from nodegx.runtime.idempotency.store import Claim, Held
from nodegx.runtime.triggers.webhook import WebhookApp

from tests.runtime.idempotency.conftest import RESPOND, Process, calling
from tests.support.until import until

KEY = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
REPLAYED = "idempotency-replayed"
MakeProcess = Callable[..., Process]


class Gate:
    """A handler that answers once it is opened, and tells that it has begun."""

    def __init__(self, **answer: Any) -> None:
        self.begun = 0
        self.opened = asyncio.Event()
        self.answer: dict[str, Any] = {"status": 201, "body": {"number": 1}, **answer}

    async def __call__(self, run: Run) -> None:
        self.begun += 1
        await self.opened.wait()
        await run.respond(RESPOND, **self.answer)


async def confirm(run: Run) -> None:
    body = {"execution": run.execution.id, "order": run.trigger.body}
    await run.respond(RESPOND, status=201, headers={"x-shop": ["a", "ä"]}, body=body)


def parts(answer: httpx.Response) -> tuple[Any, ...]:
    """What must be the same in a repeat."""
    headers = [pair for pair in answer.headers.raw if pair[0] != REPLAYED.encode()]
    return answer.status_code, headers, answer.content


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


# --- refusals -------------------------------------------------------------------------------------


async def test_a_key_is_for_one_request(process: Process) -> None:
    async with calling(process.app(confirm)) as client:
        first = await client.post("/orders?a=1", json={"id": 1}, headers=KEY)
        for method, url, body in (
            ("POST", "/orders?a=1", {"id": 2}),
            ("POST", "/orders?a=2", {"id": 1}),
            ("GET", "/orders?a=1", {"id": 1}),
        ):
            other = await client.request(method, url, json=body, headers=KEY)
            assert other.status_code == 422
            assert other.headers["content-type"] == "application/problem+json"
        again = await client.post("/orders?a=1", json={"id": 1}, headers=KEY)
    assert parts(again) == parts(first)
    assert len(process.executions) == 1


async def test_a_form_is_the_same_whatever_lies_between_its_parts(process: Process) -> None:
    async with calling(process.app(confirm)) as client:
        for boundary in ("one", "two"):
            body = f'--{boundary}\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--{boundary}--'
            media = f"multipart/form-data; boundary={boundary}"
            answer = await client.post(
                "/orders", content=body, headers={**KEY, "content-type": media}
            )
            assert answer.json()["order"] == {"a": "1"}
    assert len(process.executions) == 1


@pytest.mark.parametrize(
    "key", ["", '""', '"open', "a b", '"a", "b"', "a,b", "x" * 256, '"\\x"', "\x7f"]
)
async def test_what_is_no_key_is_refused(process: Process, key: str) -> None:
    async with calling(process.app(confirm)) as client:
        answer = await client.post("/orders", json=1, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]
    assert not process.executions


async def test_two_keys_are_none(process: Process) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    async with calling(process.app(confirm)) as client:
        assert (await client.post("/orders", json=1, headers=headers)).status_code == 400


async def test_a_key_may_be_required(process: Process) -> None:
    async with calling(process.app(confirm, {"required": True})) as client:
        refused = await client.post("/orders", json=1)
        assert refused.status_code == 400
        assert refused.json()["detail"] == "The header Idempotency-Key is required."
        assert (await client.post("/orders", json=1, headers=KEY)).status_code == 201


async def test_an_expression_finds_the_key(process: Process) -> None:
    app = process.app(confirm, key=lambda order: order.body["id"])
    async with calling(app) as client:
        first = await client.post("/orders", json={"id": 1})
        again = await client.post("/orders", json={"id": 1}, headers=KEY)
        text = await client.post("/orders", json={"id": "1"})
        changed = await client.post("/orders", json={"id": 1, "total": 5})
    assert parts(again) == parts(first), "the header means nothing here"
    assert text.status_code == 201, "1 is not '1'"
    assert changed.status_code == 422
    assert len(process.executions) == 2


@pytest.mark.parametrize("body", [None, {}, {"id": None}, {"id": ""}, "text"])
async def test_a_request_without_the_key_of_an_expression_is_refused(
    process: Process, body: Any
) -> None:
    app = process.app(confirm, key=lambda order: order.body["id"])
    async with calling(app) as client:
        answer = await client.post("/orders", json=body)
    assert answer.status_code == 400
    assert "There is no idempotency key" in answer.json()["detail"]
    assert not process.executions


# --- what comes before ----------------------------------------------------------------------------

SECRET = "s" * 40


def bearer(subject: str, seconds: int = 60) -> dict[str, str]:
    import time

    claims = {"sub": subject, "exp": int(time.time()) + seconds}
    return {**KEY, "authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"}


@pytest.fixture
def guarded(process: Process) -> WebhookApp:
    """An application that asks who calls."""
    auth = {"type": "jwt", "secret": {"$secret": "KEY"}}
    return process.app(confirm, auth=auth, secrets={"KEY": SECRET})


async def test_repeats_have_to_prove_who_they_are(guarded: WebhookApp, process: Process) -> None:
    async with calling(guarded) as client:
        first = await client.post("/orders", json=1, headers=bearer("ann"))
        assert (await client.post("/orders", json=1, headers=KEY)).status_code == 401
        again = await client.post("/orders", json=1, headers=bearer("ann", seconds=90))
    assert first.status_code == 201
    assert parts(again) == parts(first), "another token, but the same caller"


async def test_nobody_gets_what_another_was_answered(guarded: WebhookApp, process: Process) -> None:
    async with calling(guarded) as client:
        first = await client.post("/orders", json=1, headers=bearer("ann"))
        other = await client.post("/orders", json=1, headers=bearer("bob"))
    assert other.status_code == 201
    assert other.json()["execution"] != first.json()["execution"]
    assert len(process.executions) == 2


async def test_repeats_count_for_the_rate_limit_and_get_its_headers(process: Process) -> None:
    page = "https://page.example"
    app = process.app(confirm, rateLimit={"requests": 2, "per": 60}, cors={"origins": [page]})
    headers = {**KEY, "origin": page}
    async with calling(app) as client:
        first = await client.post("/orders", json=1, headers=headers)
        again = await client.post("/orders", json=1, headers=KEY)
        refused = await client.post("/orders", json=1, headers=KEY)
    assert first.headers["access-control-allow-origin"] == page
    assert "access-control-allow-origin" not in again.headers, "these belong to the request"
    assert again.json() == first.json()
    assert refused.status_code == 429


async def test_preflights_need_no_key(process: Process) -> None:
    app = process.app(confirm, {"required": True}, cors={"origins": ["https://page.example"]})
    headers = {"origin": "https://page.example", "access-control-request-method": "POST"}
    async with calling(app) as client:
        assert (await client.options("/orders", headers=headers)).status_code == 204


# --- the dead -------------------------------------------------------------------------------------


async def left_behind(make_process: MakeProcess) -> str:
    """Leaves a request under way in a process that ends; returns the execution's id."""
    first, gate = make_process(), Gate()
    async with calling(first.app(gate)) as client:
        sent = asyncio.create_task(client.post("/orders", json=1, headers=KEY))
        await until(lambda: gate.begun)
        first.keys.close()
        first.store.close()  # as the system does for a process that is killed
        gate.opened.set()
        assert (await sent).status_code == 201
    return first.executions[0].id


async def test_the_key_of_a_dead_execution_is_free(make_process: MakeProcess) -> None:
    await left_behind(make_process)
    second = make_process()
    async with calling(second.app(confirm)) as client:
        answers = [await client.post("/orders", json=1, headers=KEY) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert len(second.executions) == 1


@pytest.mark.parametrize("fate", Fate)
async def test_other_stores_tell_what_became_of_it(make_process: MakeProcess, fate: Fate) -> None:
    dead = await left_behind(make_process)
    asked: list[str] = []

    def find(execution: str) -> Fate:
        asked.append(execution)
        return fate

    second = make_process(find_fate=find)
    async with calling(second.app(confirm)) as client:
        answers = [await client.post("/orders", json=1, headers=KEY) for _ in range(2)]
    assert asked == [dead], "once it is settled, nobody has to ask"
    statuses = [each.status_code for each in answers]
    if fate is Fate.DEAD:
        assert statuses == [201, 201]
        assert len(second.executions) == 1
    elif fate is Fate.GOES_ON:
        assert statuses == [202, 202]
        assert answers[0].json() == {"executionId": dead, "status": "running"}
        assert not second.executions
    else:
        assert statuses == [409, 409]
        assert answers[0].json()["executionId"] == dead
        assert not second.executions


async def test_a_repeat_that_waits_takes_over_from_the_dead(make_process: MakeProcess) -> None:
    first, second = make_process(), make_process()
    gate = Gate()
    async with calling(first.app(gate)) as client, calling(second.app(confirm)) as other:
        sent = asyncio.create_task(client.post("/orders", json=1, headers=KEY))
        await until(lambda: gate.begun)
        waiting = asyncio.create_task(other.post("/orders", json=1, headers=KEY))
        await asyncio.sleep(0.1)
        first.keys.close()
        first.store.close()
        answer = await waiting
        gate.opened.set()
        await sent
    assert answer.status_code == 201
    assert answer.json()["execution"] == second.executions[0].id


# --- the store ------------------------------------------------------------------------------------


async def test_without_the_store_nothing_is_started(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = process.store.claim

    def taken_and_lost(claims: list[Claim], *, now: float) -> list[Held | None]:
        claim(claims, now=now)
        raise StoreUnavailable("the connection was lost")

    async with calling(process.app(confirm)) as client:
        with monkeypatch.context() as patch:
            patch.setattr(process.store, "claim", taken_and_lost)
            answer = await client.post("/orders", json=1, headers=KEY)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert not process.executions
        await process.guard.drain()
        assert (await client.post("/orders", json=1, headers=KEY)).status_code == 201


async def test_an_answer_that_cannot_be_kept_at_once_is_kept_later(
    make_process: MakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, calls = SqliteKeys.settle, 0

    def unavailable_twice(store: SqliteKeys, settlements: Any) -> list[bool]:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise StoreUnavailable("locked")
        return settle(store, settlements)

    monkeypatch.setattr(SqliteKeys, "settle", unavailable_twice)
    process = make_process()
    async with calling(process.app(confirm)) as client:
        first = await client.post("/orders", json=1, headers=KEY)
        again = await client.post("/orders", json=1, headers=KEY)
    assert parts(first) == parts(again)
    assert calls == 3


async def test_a_server_without_a_store_does_not_pretend(process: Process) -> None:
    app = process.app(confirm)
    app._once = None
    async with calling(app) as client:
        assert (await client.post("/orders", json=1, headers=KEY)).status_code == 501
    assert not process.executions
