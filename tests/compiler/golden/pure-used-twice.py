"""PureUsedTwice

Compiled by nodegx from golden/pure-used-twice.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data

BILL = Node("bill", "data.set")
LOG = Node("log", "data.set")
BIG = Node("big", "logic.if")
NOTE = Node("note", "data.set")


@workflow("/#__cloud__/PureUsedTwice")
async def pure_used_twice(run: Run) -> None:
    start = run.trigger
    net = sum([fx.multiply(line["price"], line["quantity"]) for line in start["lines"]])
    await run.step(BILL, data.set, {"net": net, "tax": net * 0.19})
    await run.step(LOG, data.set, net)
    if run.branch(BIG, net > 10):
        await run.step(NOTE, data.set, {"step": "note"})
