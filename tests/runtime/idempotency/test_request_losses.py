from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.idempotency.fate import Fate
from nodegx.runtime.idempotency.sqlite import SqliteKeys
from nodegx.runtime.idempotency.store import Claim, Held

from tests.runtime.idempotency.conftest import (
    KEY,
    Gate,
    Process,
    calling,
    confirm,
    parts,
)
from tests.support.until import until

MakeProcess = Callable[..., Process]


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

    async def find(execution: str) -> Fate:
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
