"""Messages, files and changes, with the shop on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.history.record import Status
from nodegx.server.testing import workbench

from tests.support.loopback import Answer, loopback

PROJECT = Path(__file__).parents[1]
SECRETS = {"SHOP_TOKEN": "letmein"}


def sample(name: str) -> Any:
    return json.loads((PROJECT / "samples" / f"{name}.json").read_text("utf-8"))


async def test_a_delivery_is_booked_and_announced() -> None:
    with loopback() as shop:
        shop.at("/deliveries", Answer(201, {}))
        async with workbench(PROJECT, vars={"shopUrl": shop.url}, secrets=SECRETS) as bench:
            run = await bench.run("TakeDelivery", sample("delivery"))
        [booked] = shop.seen
    assert booked.headers["idempotency-key"] == "D-7"
    assert booked.headers["authorization"] == "Bearer letmein"
    assert "letmein" not in str(run.record)
    assert run.input("tell")["data"] == {"id": "D-7", "supplier": "acme", "count": 100}


@pytest.mark.parametrize("body", ["not json", {"id": "D-8", "supplier": "acme", "items": []}])
async def test_a_note_that_is_wrong_fails_so_that_it_becomes_a_dead_letter(body: Any) -> None:
    with loopback() as shop:
        async with workbench(PROJECT, vars={"shopUrl": shop.url}, secrets=SECRETS) as bench:
            run = await bench.run("TakeDelivery", {"body": body})
        assert not shop.seen
    assert run.status == Status.ERROR
    assert run.error["node"] == "note"


async def test_a_price_list_is_imported_from_its_supplier() -> None:
    with loopback() as shop:
        shop.at("/imports", Answer(503), Answer(202, {}))
        async with workbench(PROJECT, vars={"shopUrl": shop.url}) as bench:
            run = await bench.run("ImportPrices", sample("price-list"))
        assert json.loads(shop.seen[-1].body)["supplier"] == "acme"
    assert run.step("import").attempts == 2


async def test_an_empty_price_list_is_refused() -> None:
    async with workbench(PROJECT) as bench:
        run = await bench.run("ImportPrices", {**sample("price-list"), "size": 0})
    assert run.status == Status.ERROR
    assert "prices/acme/2026-11.csv is empty" in run.error["message"]


@pytest.mark.parametrize(
    ("before", "after", "ordered"), [(12, 8, 12), (8, 7, None), (12, 11, None), (None, 3, 17)]
)
async def test_stock_is_ordered_once_when_it_falls_below_its_minimum(
    before: int | None, after: int, ordered: int | None
) -> None:
    def item(count: int) -> dict[str, Any]:
        return {"id": "bolt", "count": count, "minimum": 10}

    change = {
        "event": "modify",
        "keys": {"id": "bolt"},
        "old": None if before is None else item(before),
        "new": item(after),
    }
    with loopback() as shop:
        shop.at("/purchases", Answer(201, {}))
        async with workbench(PROJECT, vars={"shopUrl": shop.url}) as bench:
            run = await bench.run("WatchStock", change)
        bodies = [json.loads(seen.body) for seen in shop.seen]
    assert run.status == Status.SUCCESS
    assert bodies == ([] if ordered is None else [{"sku": "bolt", "count": ordered}])
