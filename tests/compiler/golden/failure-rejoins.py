"""FailureRejoins

Compiled by nodegx from golden/failure-rejoins.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

PRIMARY = Node("primary", "http.request")
BACKUP = Node("backup", "http.request")
USE = Node("use", "data.set")


@workflow("/#__cloud__/FailureRejoins")
async def failure_rejoins(run: Run) -> None:
    primary = backup = None
    try:
        primary = await run.step(PRIMARY, http.request, "GET", "https://a.example.com")
    except Exception as exc:
        run.caught(PRIMARY, exc)
        backup = await run.step(BACKUP, http.request, "GET", "https://b.example.com")
    await run.step(USE, data.set, primary.body if primary else backup.body)
