"""ParallelAny

Compiled by nodegx from golden/parallel-any.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

NORTH = Node("north", "http.request")
SOUTH = Node("south", "http.request")
FIRST = Node("first", "logic.merge")
USE = Node("use", "data.set")


@workflow("/#__cloud__/ParallelAny")
async def parallel_any(run: Run) -> None:
    north = south = None

    async def north_branch() -> None:
        nonlocal north
        north = await run.step(NORTH, http.request, "GET", "https://api.example.com/x")

    async def south_branch() -> None:
        nonlocal south
        south = await run.step(SOUTH, http.request, "GET", "https://api.example.com/x")

    await run.any(FIRST, north_branch(), south_branch())
    await run.step(USE, data.set, north.body if north else south.body)
