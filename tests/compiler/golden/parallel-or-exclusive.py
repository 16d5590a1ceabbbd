"""ParallelOrExclusive

Compiled by nodegx from golden/parallel-or-exclusive.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

BOTH = Node("both", "logic.if")
X = Node("x", "data.set")
Y = Node("y", "data.set")
END = Node("end", "data.set")


@workflow("/#__cloud__/ParallelOrExclusive")
async def parallel_or_exclusive(run: Run) -> None:
    start = run.trigger
    if run.branch(BOTH, start["both"]):

        async def x_branch() -> None:
            await run.step(X, data.set, {"step": "x"})

        async def y_branch() -> None:
            await run.step(Y, data.set, {"step": "y"})

        await run.all(x_branch(), y_branch())
    await run.step(END, data.set, {"step": "end"})
