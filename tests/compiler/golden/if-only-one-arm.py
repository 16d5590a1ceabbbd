"""IfOnlyOneArm

Compiled by nodegx from golden/if-only-one-arm.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

BIG = Node("big", "logic.if")
A = Node("a", "data.set")
AFTER = Node("after", "data.set")


@workflow("/#__cloud__/IfOnlyOneArm")
async def if_only_one_arm(run: Run) -> None:
    start = run.trigger
    if run.branch(BIG, start["n"] > 10):
        await run.step(A, data.set, {"step": "a"})
    await run.step(AFTER, data.set, {"step": "after"})
