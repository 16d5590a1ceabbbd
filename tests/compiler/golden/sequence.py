"""Sequence

Compiled by nodegx from golden/sequence.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data

FIRST = Node("first", "data.set")
SECOND = Node("second", "data.set")
THIRD = Node("third", "data.set")


@workflow("/#__cloud__/Sequence")
async def sequence(run: Run) -> None:
    start = run.trigger
    first = await run.step(FIRST, data.set, {"step": "first"})
    second = await run.step(SECOND, data.set, first["step"])
    await run.step(THIRD, data.set, f"{fx.text(second)} after {fx.text(start['name'])}")
