"""ParallelAll

Compiled by nodegx from golden/parallel-all.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

STOCK = Node("stock", "http.request")
PRICE = Node("price", "http.request")
SUM = Node("sum", "data.set")


@workflow("/#__cloud__/ParallelAll")
async def parallel_all(run: Run) -> None:
    stock = price = None

    async def stock_branch() -> None:
        nonlocal stock
        stock = await run.step(STOCK, http.request, "GET", "https://api.example.com/x")

    async def price_branch() -> None:
        nonlocal price
        price = await run.step(PRICE, http.request, "GET", "https://api.example.com/x")

    await run.all(stock_branch(), price_branch())
    await run.step(SUM, data.set, {"stock": stock.body, "price": price.body})
