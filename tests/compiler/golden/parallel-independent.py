"""ParallelIndependent

Compiled by nodegx from golden/parallel-independent.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import http

REPLY = Node("reply", "cloud.response")
MAIL = Node("mail", "http.request")
AUDIT = Node("audit", "http.request")


@workflow("/#__cloud__/ParallelIndependent")
async def parallel_independent(run: Run) -> None:

    async def reply_branch() -> None:
        await run.respond(REPLY, status=202)

    async def mail_branch() -> None:
        await run.step(MAIL, http.request, "GET", "https://api.example.com/x")

    async def audit_branch() -> None:
        await run.step(AUDIT, http.request, "GET", "https://api.example.com/x")

    await run.all(reply_branch(), mail_branch(), audit_branch())
