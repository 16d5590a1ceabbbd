"""SwitchConditions

Compiled by nodegx from golden/switch-conditions.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

SIZE = Node("size", "logic.switch")
CRATE = Node("crate", "data.set")
BOX = Node("box", "data.set")
BAG = Node("bag", "data.set")


@workflow("/#__cloud__/SwitchConditions")
async def switch_conditions(run: Run) -> None:
    order = run.trigger
    match run.switch(
        SIZE,
        "big"
        if order.body["total"] > 900
        else "medium"
        if order.body["total"] > 90 and order.body["rush"]
        else "default",
    ):
        case "big":
            await run.step(CRATE, data.set, {"step": "crate"})
        case "medium":
            await run.step(BOX, data.set, {"step": "box"})
        case _:
            await run.step(BAG, data.set, {"step": "bag"})
