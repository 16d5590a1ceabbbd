"""Expenses that wait: somebody approves, refuses, or does not answer; mail and bank on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodegx.server.testing import Ran, Workbench, workbench

from tests.support.loopback import Answer, Loopback, loopback

PROJECT = Path(__file__).parents[1]
EXPENSE = {"body": {"employee": "ada@example.com", "amount": 99.5}}


@pytest.fixture
def outside() -> Iterator[Loopback]:
    with loopback() as server:
        server.at("/messages", Answer(202, {}))
        server.at("/transfers", Answer(201, {}))
        yield server


def bench(outside: Loopback) -> Any:
    return workbench(PROJECT, vars={"mailUrl": outside.url, "bankUrl": outside.url})


def sent(outside: Loopback, path: str) -> list[Any]:
    return [json.loads(seen.body) for seen in outside.seen if seen.path == path]


async def ask(bench: Workbench) -> Ran:
    run = await bench.run("PayExpense", EXPENSE)
    assert run.status == "waiting"
    assert run.answer is not None
    assert run.answer.status == 202
    return run


async def test_what_is_approved_is_paid_on_payday(outside: Loopback) -> None:
    async with bench(outside) as flows:
        run = await ask(flows)
        run = await flows.answer(run, "approval", {"note": None}, action="approve")
        assert run.status == "waiting"
        assert not sent(outside, "/transfers")
        run = await flows.skip(run)
        assert run.status == "success"
    [transfer] = sent(outside, "/transfers")
    assert (transfer["employee"], transfer["amount"]) == ("ada@example.com", 99.5)
    assert transfer["reference"] == run.record.id
    assert len(sent(outside, "/messages")) == 1


async def test_what_is_refused_is_not(outside: Loopback) -> None:
    async with bench(outside) as flows:
        run = await flows.answer(await ask(flows), "approval", {"note": "no"}, action="reject")
        assert run.status == "success"
    assert not sent(outside, "/transfers")
    assert sent(outside, "/messages")[-1] == {
        "to": "ada@example.com",
        "subject": "Your expense was not approved",
        "text": "no",
    }


async def test_somebody_is_told_if_nobody_answers(outside: Loopback) -> None:
    async with bench(outside) as flows:
        run = await flows.skip(await ask(flows))
        assert run.status == "success"
        assert run.step("approval").port == "timeout"
    assert sent(outside, "/messages")[-1]["to"] == "boss@example.com"


async def test_the_link_in_the_mail_is_one_that_nobody_can_guess(outside: Loopback) -> None:
    async with bench(outside) as flows:
        run = await ask(flows)
        link = httpx.URL(sent(outside, "/messages")[0]["link"])
        assert run.record.id in link.path
        assert len(link.path.rpartition("/")[2]) == 32
