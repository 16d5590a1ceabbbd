"""Idempotency

Compiled by nodegx from golden/idempotency.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data

ORDER = Node("order", "trigger.webhook")
HOOK = Node("hook", "trigger.webhook")
PAID = Node("paid event", "trigger.event")
TAKE = Node("take", "data.set")
NOTE = Node("note", "data.set")
BOOK = Node("book", "data.set")
KEEP = Node("keep", "data.set")


@workflow(
    "/#__cloud__/Idempotency",
    keys={
        "order": lambda order: f"{fx.text(order.headers['x-shop'])}/{fx.text(order.body['id'])}",
        "paid event": lambda paid: fx.sha256(fx.to_json([paid.data, paid.name])),
        "start": lambda start: start["id"],
    },
)
async def idempotency(run: Run) -> None:
    if run.started_by(ORDER):
        order = run.trigger
        await run.step(TAKE, data.set, order.body)
    elif run.started_by(HOOK):
        hook = run.trigger
        await run.step(NOTE, data.set, hook.body)
    elif run.started_by(PAID):
        paid = run.trigger
        await run.step(BOOK, data.set, paid.data)
    else:
        start = run.trigger
        await run.step(KEEP, data.set, start)
