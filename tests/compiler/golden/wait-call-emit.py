"""WaitCallEmit

Compiled by nodegx from golden/wait-call-emit.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow

PAUSE = Node("pause", "logic.wait")
UNTIL = Node("until", "logic.wait")
CHARGE = Node("charge", "workflow.call")
LOG = Node("log", "workflow.call")
TELL = Node("tell", "workflow.emit")


@workflow("/#__cloud__/WaitCallEmit", durable=True)
async def wait_call_emit(run: Run) -> None:
    start = run.trigger
    await run.wait(PAUSE, seconds=5.0)
    await run.wait(UNTIL, until=start["when"])
    charge = await run.call(CHARGE, "/#__cloud__/ChargeCard", {"amount": start["amount"]})
    await run.call(LOG, "/#__cloud__/Log", wait=False)
    await run.emit(TELL, "order.created", charge)
