"""Secrets

Compiled by nodegx from golden/secrets.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import http

CALL = Node("call", "http.request")


@workflow("/#__cloud__/Secrets")
async def secrets(run: Run) -> None:
    await run.step(
        CALL,
        http.request,
        "POST",
        "https://api.example.com",
        json={"env": run.env["REGION"], "when": run.now()},
        auth={"type": "bearer", "token": run.secrets["API_TOKEN"]},
        success_status=[200, 201],
    )
