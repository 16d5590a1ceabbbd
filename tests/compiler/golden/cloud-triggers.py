"""Cloud Triggers

Compiled by nodegx from golden/cloud-triggers.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

MESSAGE = Node("message", "trigger.queue")
UPLOAD = Node("upload", "trigger.file")
TAKE = Node("take", "data.set")
FETCH = Node("fetch", "data.set")
SHIP = Node("ship", "data.set")
TELL = Node("tell", "workflow.emit")


@workflow("/#__cloud__/Cloud Triggers")
async def cloud_triggers(run: Run) -> None:
    if run.started_by(MESSAGE):
        message = run.trigger
        await run.step(TAKE, data.set, {"order": message.body["id"], "attempt": message.attempt})
    elif run.started_by(UPLOAD):
        upload = run.trigger
        await run.step(FETCH, data.set, f"{upload.bucket}/{upload.key}")
    else:
        change = run.trigger
        await run.step(SHIP, data.set, change.new["id"])
    await run.emit(TELL, "handled")
