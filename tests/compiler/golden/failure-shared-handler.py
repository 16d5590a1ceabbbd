"""FailureSharedHandler

Compiled by nodegx from golden/failure-shared-handler.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import http

STOCK = Node("stock", "http.request")
PRICE = Node("price", "http.request")
SHIP = Node("ship", "http.request")
FINE = Node("fine", "cloud.response")
BROKEN = Node("broken", "cloud.response")


@workflow("/#__cloud__/FailureSharedHandler")
async def failure_shared_handler(run: Run) -> None:

    async def then_broken() -> None:
        await run.respond(BROKEN, status=502)

    try:
        await run.step(STOCK, http.request, "GET", "https://stock.example.com")
    except Exception as exc:
        run.caught(STOCK, exc)
        await then_broken()
        return
    try:
        price = await run.step(PRICE, http.request, "GET", "https://price.example.com")
    except Exception as exc:
        run.caught(PRICE, exc)
        await then_broken()
        return
    try:
        await run.step(SHIP, http.request, "GET", "https://ship.example.com")
    except Exception as exc:
        run.caught(SHIP, exc)
        await then_broken()
        return
    await run.respond(FINE, body={"price": price.body})
