"""EarlyResponse

Compiled by nodegx from golden/early-response.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data, http

ACCEPTED = Node("accepted", "cloud.response")
WORK = Node("work", "http.request")
LOG = Node("log", "data.set")


@workflow("/#__cloud__/EarlyResponse")
async def early_response(run: Run) -> None:
    order = run.trigger
    await run.respond(ACCEPTED, status=202, body={"id": run.execution.id})
    work = await run.step(WORK, http.request, "GET", "https://api.example.com/x")
    await run.step(LOG, data.set, f"{work.status} for {fx.text(order.params['id'])}")
