"""SwitchValues

Compiled by nodegx from golden/switch-values.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

TIER = Node("tier", "logic.switch")
LOUNGE = Node("lounge", "data.set")
QUEUE = Node("queue", "data.set")
WELCOME = Node("welcome", "cloud.response")


@workflow("/#__cloud__/SwitchValues")
async def switch_values(run: Run) -> None:
    order = run.trigger
    match run.match(TIER, order.body["tier"], {"gold": "G", "silver": "S", "bronze": "B"}):
        case "gold":
            await run.step(LOUNGE, data.set, {"step": "lounge"})
        case "silver" | "bronze":
            await run.step(QUEUE, data.set, {"step": "queue"})
    await run.respond(WELCOME, body="hello")
