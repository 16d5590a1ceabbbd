"""MaybeValues

Compiled by nodegx from golden/maybe-values.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

A = Node("a", "logic.if")
X = Node("x", "http.request")
Y = Node("y", "data.set")
END = Node("end", "data.set")
FAILED = Node("failed", "data.set")


@workflow("/#__cloud__/MaybeValues")
async def maybe_values(run: Run) -> None:
    start = run.trigger
    x = x_error = y = None
    if run.branch(A, start["a"]):
        try:
            x = await run.step(X, http.request, "GET", "https://api.example.com/x")
        except Exception as exc:
            x_error = run.caught(X, exc)
            await run.step(FAILED, data.set, {"step": "failed"})
    else:
        y = await run.step(Y, data.set, {"step": "y"})
    await run.step(
        END, data.set, {"x": x and x._asdict(), "y": y, "error": x_error and x_error._asdict()}
    )
