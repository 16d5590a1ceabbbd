"""BranchLeavesForSharedSteps

Compiled by nodegx from golden/branch-leaves-for-shared-steps.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

STOCK = Node("stock", "http.request")
AUDIT = Node("audit", "data.set")
FINE = Node("fine", "cloud.response")
SORRY = Node("sorry", "cloud.response")
CHECK = Node("check", "http.request")


@workflow("/#__cloud__/BranchLeavesForSharedSteps")
async def branch_leaves_for_shared_steps(run: Run) -> None:

    async def then_sorry() -> None:
        await run.respond(SORRY, status=502)

    try:
        await run.step(CHECK, http.request, "GET", "https://api.example.com/x")
    except Exception as exc:
        run.caught(CHECK, exc)
        await then_sorry()
        return

    async def stock_branch() -> bool:
        try:
            await run.step(STOCK, http.request, "GET", "https://api.example.com/x")
        except Exception as exc:
            run.caught(STOCK, exc)
            await then_sorry()
            return False
        return True

    async def audit_branch() -> None:
        await run.step(AUDIT, data.set, {"step": "audit"})

    await run.all(stock_branch(), audit_branch())
    await run.respond(FINE)
