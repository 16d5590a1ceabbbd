"""Settings

Compiled by nodegx from golden/settings.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Retry, Run, workflow
from nodegx.runtime.nodes import data

A = Node("a", "data.set")


@workflow(
    "/#__cloud__/Settings",
    timeout=None,
    memory=512,
    concurrency=5,
    capture="errors",
    max_bytes=1024,
    retry=Retry(attempts=2, delay=60.0, backoff=3.0),
    timezone="Europe/Berlin",
)
async def settings(run: Run) -> None:
    await run.step(A, data.set, {"step": "a"})
