"""RetryBlock

Compiled by nodegx from golden/retry-block.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Retry, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data, http

UPLOAD = Node("upload", "logic.retry")
BEGIN = Node("begin", "http.request")
SEND = Node("send", "http.request")
STORED = Node("stored", "data.set")
LOST = Node("lost", "data.set")


@workflow("/#__cloud__/RetryBlock")
async def retry_block(run: Run) -> None:
    begin = None

    async def attempt_upload(run: Run) -> None:
        nonlocal begin
        begin = await run.step(BEGIN, http.request, "POST", "https://files.example.com")
        await run.step(
            SEND, http.request, "PUT", f"https://files.example.com/{fx.text(begin.body['id'])}"
        )

    try:
        await run.retry(UPLOAD, attempt_upload, Retry(attempts=5, delay=0.5, on=("http.status",)))
    except Exception as exc:
        upload_error = run.caught(UPLOAD, exc)
        await run.step(LOST, data.set, upload_error.message)
        return
    await run.step(STORED, data.set, begin.body["id"])
