"""ParallelNoneArrives

Compiled by nodegx from golden/parallel-none-arrives.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

A = Node("a", "logic.if")
B = Node("b", "logic.if")
X = Node("x", "data.set")
END = Node("end", "data.set")


@workflow("/#__cloud__/ParallelNoneArrives")
async def parallel_none_arrives(run: Run) -> None:
    start = run.trigger

    async def a_branch() -> bool:
        if not run.branch(A, start["a"]):
            return False
        await run.step(X, data.set, {"step": "x"})
        return True

    async def b_branch() -> bool:
        return run.branch(B, start["b"])

    if not await run.all(a_branch(), b_branch()):
        return
    await run.step(END, data.set, {"step": "end"})
