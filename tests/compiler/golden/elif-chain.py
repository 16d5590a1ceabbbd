"""ElifChain

Compiled by nodegx from golden/elif-chain.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

LOW = Node("low", "logic.if")
MID = Node("mid", "logic.if")
HIGH = Node("high", "logic.if")
A = Node("a", "data.set")
B = Node("b", "data.set")
C = Node("c", "data.set")
D = Node("d", "data.set")
AFTER = Node("after", "data.set")


@workflow("/#__cloud__/ElifChain")
async def elif_chain(run: Run) -> None:
    start = run.trigger
    if run.branch(LOW, start["n"] < 10):
        await run.step(A, data.set, {"step": "a"})
    elif run.branch(MID, start["n"] < 100):
        await run.step(B, data.set, {"step": "b"})
    elif run.branch(HIGH, start["n"] < 1000):
        await run.step(C, data.set, {"step": "c"})
    else:
        await run.step(D, data.set, {"step": "d"})
    await run.step(AFTER, data.set, {"step": "after"})
