"""DataWires

Compiled by nodegx from golden/data-wires.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data, http

LOAD = Node("load", "http.request")
STORE = Node("store", "data.set")
SEND = Node("send", "http.request")


@workflow("/#__cloud__/DataWires")
async def data_wires(run: Run) -> None:
    start = run.trigger
    load = await run.step(LOAD, http.request, "GET", "https://api.example.com/x")
    await run.step(STORE, data.set, load.body)
    await run.step(
        SEND, http.request, "POST", "https://x.example.com", json=f"Hello {fx.text(start['name'])}"
    )
