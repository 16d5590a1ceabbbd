"""SwitchSharedTail

Compiled by nodegx from golden/switch-shared-tail.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

KIND = Node("kind", "logic.switch")
PA = Node("pa", "data.set")
PB = Node("pb", "data.set")
PC = Node("pc", "data.set")
TAIL = Node("tail", "data.set")
END = Node("end", "data.set")


@workflow("/#__cloud__/SwitchSharedTail")
async def switch_shared_tail(run: Run) -> None:
    start = run.trigger

    async def then_tail() -> None:
        await run.step(TAIL, data.set, {"step": "tail"})

    match run.match(KIND, start["kind"], {"a": 1, "b": 2, "c": 3}):
        case "a":
            await run.step(PA, data.set, {"step": "pa"})
            await then_tail()
        case "b":
            await run.step(PB, data.set, {"step": "pb"})
            await then_tail()
        case "c":
            await run.step(PC, data.set, {"step": "pc"})
    await run.step(END, data.set, {"step": "end"})
