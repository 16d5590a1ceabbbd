"""Stop

Compiled by nodegx from golden/stop.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data

EMPTY = Node("empty", "logic.if")
NOTHING = Node("nothing", "logic.stop")
BAD = Node("bad", "logic.if")
BROKEN = Node("broken", "logic.stop")
WORK = Node("work", "data.set")


@workflow("/#__cloud__/Stop")
async def stop(run: Run) -> None:
    start = run.trigger
    if run.branch(EMPTY, len(start["items"]) == 0):
        raise run.stop(NOTHING, message="nothing to do")
    if run.branch(BAD, start["items"][0] is None):
        raise run.stop(BROKEN, status="error", message=f"{fx.text(start['name'])} is broken")
    await run.step(WORK, data.set, {"step": "work"})
