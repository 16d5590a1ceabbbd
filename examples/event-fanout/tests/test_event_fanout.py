"""One sign-up, and everyone who cares, with the CRM on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nodegx.server.testing import workbench

from tests.support.loopback import Answer, loopback

PROJECT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("plan", "posts", "calls"),
    [
        ("business", ["/accounts", "/newsletter"], 1),
        ("personal", ["/accounts", "/newsletter"], 0),
        ("free", ["/newsletter"], 0),
    ],
)
async def test_a_sign_up_reaches_everyone(plan: str, posts: list[str], calls: int) -> None:
    with loopback() as crm:
        crm.at("/accounts", Answer(201, {}))
        crm.at("/newsletter", Answer(201, {}))
        async with workbench(PROJECT, vars={"crmUrl": crm.url}) as bench:
            run = await bench.run(
                "Signup", {"params": {"plan": plan}, "body": {"email": " Ada@Example.com "}}
            )
            await bench.settled()
            assert run.answer is not None
            assert run.answer.status == 202
            assert run.output("user")["email"] == "ada@example.com"
            [added] = bench.executions("AddToCrm")
            assert added.record.parent == run.record.id
            assert len(bench.executions("ScoreLead")) == (plan == "business")
            booked = bench.executions("CallSales")
            assert len(booked) == calls
    assert [seen.path for seen in crm.seen] == posts
    assert {json.loads(seen.body)["email"] for seen in crm.seen} == {"ada@example.com"}


async def test_free_mailers_are_cold_leads() -> None:
    async with workbench(PROJECT) as bench:
        data = {"email": "x@gmail.com", "plan": "business"}
        run = await bench.run("ScoreLead", {"name": "user.created", "data": data})
        assert run.output("score")["port"] == "cold"
        assert not bench.executions("CallSales")
