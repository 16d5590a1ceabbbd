"""ParallelStopsShort

Compiled by nodegx from golden/parallel-stops-short.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

WANTED = Node("wanted", "logic.if")
MAIL = Node("mail", "data.set")
AUDIT = Node("audit", "http.request")
END = Node("end", "data.set")


@workflow("/#__cloud__/ParallelStopsShort")
async def parallel_stops_short(run: Run) -> None:
    start = run.trigger
    mail = None

    async def wanted_branch() -> bool:
        nonlocal mail
        if not run.branch(WANTED, start["mail"]):
            return False
        mail = await run.step(MAIL, data.set, {"step": "mail"})
        return True

    async def audit_branch() -> None:
        await run.step(AUDIT, http.request, "GET", "https://api.example.com/x")

    await run.all(wanted_branch(), audit_branch())
    await run.step(END, data.set, mail is not None)
