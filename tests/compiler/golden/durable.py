"""Durable

Compiled by nodegx from golden/durable.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow

CHARGE = Node("charge", "workflow.call")


@workflow("/#__cloud__/Durable", timeout=None, durable=True)
async def durable(run: Run) -> None:
    await run.call(
        CHARGE,
        "/#__cloud__/Charge",
        {"key": run.uuid(), "at": run.now(), "lucky": run.random() < 0.01},
    )
