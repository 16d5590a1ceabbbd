"""TryRejoin

Compiled by nodegx from golden/try-rejoin.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

GUARD = Node("guard", "logic.try")
A = Node("a", "data.set")
B = Node("b", "data.set")
BOTH = Node("both", "data.set")


@workflow("/#__cloud__/TryRejoin")
async def try_rejoin(run: Run) -> None:
    try:
        await run.step(A, data.set, {"step": "a"})
    except Exception as exc:
        run.caught(GUARD, exc)
        await run.step(B, data.set, {"step": "b"})
    await run.step(BOTH, data.set, {"step": "both"})
