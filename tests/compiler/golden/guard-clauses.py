"""GuardClauses

Compiled by nodegx from golden/guard-clauses.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

KNOWN = Node("known", "logic.if")
STRANGER = Node("stranger", "cloud.response")
FUNDED = Node("funded", "logic.if")
POOR = Node("poor", "cloud.response")
STEP1 = Node("step1", "data.set")
STEP2 = Node("step2", "data.set")
STEP3 = Node("step3", "data.set")
STEP4 = Node("step4", "data.set")
STEP5 = Node("step5", "data.set")
STEP6 = Node("step6", "data.set")
STEP7 = Node("step7", "data.set")
STEP8 = Node("step8", "data.set")
STEP9 = Node("step9", "data.set")
DONE = Node("done", "cloud.response")


@workflow("/#__cloud__/GuardClauses")
async def guard_clauses(run: Run) -> None:
    order = run.trigger
    if not run.branch(KNOWN, order.body["user"] is not None):
        await run.respond(STRANGER, status=401)
        return
    if not run.branch(FUNDED, order.body["balance"] > 0):
        await run.respond(POOR, status=402)
        return
    await run.step(STEP1, data.set, {"step": "step1"})
    await run.step(STEP2, data.set, {"step": "step2"})
    await run.step(STEP3, data.set, {"step": "step3"})
    await run.step(STEP4, data.set, {"step": "step4"})
    await run.step(STEP5, data.set, {"step": "step5"})
    await run.step(STEP6, data.set, {"step": "step6"})
    await run.step(STEP7, data.set, {"step": "step7"})
    await run.step(STEP8, data.set, {"step": "step8"})
    await run.step(STEP9, data.set, {"step": "step9"})
    await run.respond(DONE)
