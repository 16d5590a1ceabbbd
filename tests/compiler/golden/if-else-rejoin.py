"""IfElseRejoin

Compiled by nodegx from golden/if-else-rejoin.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

BIG = Node("big", "logic.if")
A = Node("a", "data.set")
B = Node("b", "data.set")
AFTER = Node("after", "data.set")


@workflow("/#__cloud__/IfElseRejoin")
async def if_else_rejoin(run: Run) -> None:
    start = run.trigger
    a = b = None
    if run.branch(BIG, start["n"] > 10):
        a = await run.step(A, data.set, start["n"])
    else:
        b = await run.step(B, data.set, 0)
    await run.step(AFTER, data.set, a if a is not None else b)
