"""LoopInTryInBranch

Compiled by nodegx from golden/loop-in-try-in-branch.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from typing import Any

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data, http

MANY = Node("many", "logic.if")
GUARD = Node("guard", "logic.try")
LOOP = Node("loop", "logic.forEach")
CALL = Node("call", "http.request")
SAD = Node("sad", "data.set")
ONE = Node("one", "data.set")
END = Node("end", "data.set")


@workflow("/#__cloud__/LoopInTryInBranch")
async def loop_in_try_in_branch(run: Run) -> None:
    start = run.trigger
    if run.branch(MANY, len(start["items"]) > 1):
        try:

            async def call_item(run: Run, item: Any, index: int) -> Any:
                call = await run.step(
                    CALL, http.request, "GET", f"https://x.example.com/{fx.text(item)}"
                )
                return call._asdict()

            await run.for_each(LOOP, start["items"], call_item)
        except Exception as exc:
            guard_error = run.caught(GUARD, exc)
            await run.step(SAD, data.set, guard_error._asdict())
    else:
        await run.step(ONE, data.set, {"step": "one"})
    await run.step(END, data.set, {"step": "end"})
