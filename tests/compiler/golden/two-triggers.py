"""TwoTriggers

Compiled by nodegx from golden/two-triggers.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

ORDER = Node("order", "trigger.webhook")
LOAD = Node("load", "data.set")
STORE = Node("store", "data.set")


@workflow("/#__cloud__/TwoTriggers")
async def two_triggers(run: Run) -> None:
    order = nightly = None
    if run.started_by(ORDER):
        order = run.trigger
    else:
        nightly = run.trigger
    await run.step(LOAD, data.set, order.body if order else nightly.time)
    await run.step(STORE, data.set, {"step": "store"})
