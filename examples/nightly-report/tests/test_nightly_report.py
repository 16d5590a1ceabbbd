"""The report against a shop on loopback."""

from __future__ import annotations

import json
from pathlib import Path

from nodegx.runtime.history.record import Status
from nodegx.server.testing import workbench

from tests.support.loopback import Answer, Seen, loopback

PROJECT = Path(__file__).parents[1]
TOTALS = {"north": [10, 20], "south": [100], "west": []}


def sales(seen: Seen) -> Answer:
    totals = TOTALS[seen.query["region"][0]]
    return Answer(200, {"orders": [{"total": total} for total in totals]})


async def test_one_report_with_the_best_region_first() -> None:
    with loopback() as shop:
        shop.at("/sales", sales)
        shop.at("/tickets", Answer(200, [{"id": 1}, {"id": 2}]))
        shop.at("/reports", Answer(201, {}))
        async with workbench(PROJECT, vars={"shopUrl": shop.url}) as bench:
            run = await bench.run("NightlyReport", {"scheduled": "2026-11-23T02:30:00+01:00"})
        assert run.status == Status.SUCCESS
        [posted] = [json.loads(seen.body) for seen in shop.seen if seen.path == "/reports"]
    assert posted == {
        "date": "2026-11-23T02:30:00+01:00",
        "revenue": 130,
        "regions": [
            {"region": "south", "orders": 1, "revenue": 100},
            {"region": "north", "orders": 2, "revenue": 30},
            {"region": "west", "orders": 0, "revenue": 0},
        ],
        "openTickets": 2,
    }
    assert run.input("sales[1]")["query"] == {"region": "south"}


async def test_no_report_where_a_region_is_missing() -> None:
    with loopback() as shop:
        shop.at("/sales", Answer(404))
        shop.at("/tickets", Answer(200, []))
        async with workbench(PROJECT, vars={"shopUrl": shop.url}) as bench:
            run = await bench.run("NightlyReport")
        assert run.status == Status.ERROR
        assert run.error["node"] == "sales"
        assert not [seen for seen in shop.seen if seen.path == "/reports"]
