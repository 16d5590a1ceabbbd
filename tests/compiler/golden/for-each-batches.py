"""ForEachBatches

Compiled by nodegx from golden/for-each-batches.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from typing import Any

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

USERS = Node("users", "logic.forEach")
SEND = Node("send", "http.request")
REPORT = Node("report", "data.set")
OOPS = Node("oops", "data.set")


@workflow("/#__cloud__/ForEachBatches")
async def for_each_batches(run: Run) -> None:
    start = run.trigger

    async def send_item(run: Run, item: Any, index: int) -> Any:
        send = await run.step(SEND, http.request, "POST", "https://mail.example.com", json=item)
        return send._asdict()

    try:
        users = await run.for_each(
            USERS,
            start["users"],
            send_item,
            batch_size=100,
            concurrency=4,
            on_item_error="continue",
        )
    except Exception as exc:
        users_error = run.caught(USERS, exc)
        await run.step(OOPS, data.set, users_error.message)
        return
    await run.step(REPORT, data.set, {"sent": len(users.results), "errors": users.errors})
