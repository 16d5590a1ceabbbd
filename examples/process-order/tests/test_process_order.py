"""Orders of all kinds against a payment service on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.history.record import Status
from nodegx.server.testing import workbench

from tests.support.loopback import Answer, loopback

PROJECT = Path(__file__).parents[1]
LARGE = {"id": "A-18", "total": 250, "card": "4242 4242 4242 4242"}


async def test_small_orders_go_on_the_invoice() -> None:
    async with workbench(PROJECT, vars={"paymentsUrl": "http://127.0.0.1:1"}) as bench:
        run = await bench.run("ProcessOrder", {**LARGE, "total": 42.5})
        assert run.answer is not None
        assert run.answer.status == 200
        assert run.answer.body == {"order": "A-18", "total": 42.5, "terms": "net 30"}
        assert [step.id for step in run.record.steps] == ["validate", "large", "invoice", "confirm"]


async def test_large_orders_are_charged_and_overload_is_retried() -> None:
    with loopback() as payments:
        payments.at("/charges", Answer(503), Answer(429), Answer(201, {"id": "ch_1"}))
        async with workbench(PROJECT, vars={"paymentsUrl": payments.url}) as bench:
            run = await bench.run("ProcessOrder", LARGE)
            assert run.answer is not None
            assert (run.answer.status, run.answer.body) == (
                201,
                {"order": "A-18", "charge": "ch_1"},
            )
            assert run.step("charge").attempts == 3
            assert LARGE["card"] not in str(run.record)
    assert len(payments.seen) == 3


async def test_a_refused_card_is_not_tried_again() -> None:
    with loopback() as payments:
        payments.at("/charges", Answer(402, {"error": "card refused"}))
        async with workbench(PROJECT, vars={"paymentsUrl": payments.url}) as bench:
            run = await bench.run("ProcessOrder", LARGE)
            assert run.answer is not None
            assert run.answer.status == 502
            assert run.step("charge").status == Status.ERROR
    assert len(payments.seen) == 1


@pytest.mark.parametrize("body", [{}, {"id": "", "total": 1, "card": ""}, [], None])
async def test_invalid_orders_are_told_what_is_wrong(body: Any) -> None:
    async with workbench(PROJECT) as bench:
        run = await bench.run("ProcessOrder", {"body": body})
        assert run.answer is not None
        assert run.answer.status == 422
        assert run.answer.body["problems"]["errors"]


async def test_ops_hear_of_failures() -> None:
    async with workbench(PROJECT) as bench:
        failure = {"workflow": "X", "execution": "1", "error": {"message": "boom"}}
        run = await bench.run("NotifyOps", failure)
        assert run.output("alert") == {"title": "X failed", "text": "boom", "execution": "1"}
