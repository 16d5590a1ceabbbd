"""ForEach

Compiled by nodegx from golden/for-each.json. Edit the workflow, not this file.
"""

from typing import Any

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import http

LINES = Node("lines", "logic.forEach")
RESERVE = Node("reserve", "http.request")
REPLY = Node("reply", "cloud.response")


@workflow("/#__cloud__/ForEach")
async def for_each(run: Run) -> None:
    order = run.trigger

    async def reserve_item(run: Run, item: Any, index: int) -> Any:
        await run.step(
            RESERVE, http.request, "POST", f"https://stock.example.com/{fx.text(item['sku'])}"
        )
        return fx.multiply(item["price"], item["quantity"])

    lines = await run.for_each(LINES, order.body["lines"], reserve_item)
    await run.respond(REPLY, body={"total": sum(lines.results)})
