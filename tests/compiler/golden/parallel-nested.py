"""ParallelNested

Compiled by nodegx from golden/parallel-nested.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

B = Node("b", "data.set")
C = Node("c", "data.set")
D = Node("d", "data.set")
BC = Node("bc", "data.set")
END = Node("end", "data.set")


@workflow("/#__cloud__/ParallelNested")
async def parallel_nested(run: Run) -> None:
    bc = d = None

    async def m1_branch() -> None:
        nonlocal bc

        async def b_branch() -> None:
            await run.step(B, data.set, {"step": "b"})

        async def c_branch() -> None:
            await run.step(C, data.set, {"step": "c"})

        await run.all(b_branch(), c_branch())
        bc = await run.step(BC, data.set, {"step": "bc"})

    async def d_branch() -> None:
        nonlocal d
        d = await run.step(D, data.set, {"step": "d"})

    await run.all(m1_branch(), d_branch())
    await run.step(END, data.set, [bc, d])
