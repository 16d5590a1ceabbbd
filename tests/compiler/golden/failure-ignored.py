"""FailureIgnored

Compiled by nodegx from golden/failure-ignored.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

PING = Node("ping", "http.request")
AFTER = Node("after", "data.set")


@workflow("/#__cloud__/FailureIgnored")
async def failure_ignored(run: Run) -> None:
    try:
        await run.step(PING, http.request, "GET", "https://api.example.com/x")
    except Exception as exc:
        run.caught(PING, exc)
    await run.step(AFTER, data.set, {"step": "after"})
