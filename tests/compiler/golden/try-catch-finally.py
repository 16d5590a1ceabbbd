"""TryCatchFinally

Compiled by nodegx from golden/try-catch-finally.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, http

GUARD = Node("guard", "logic.try")
RISKY = Node("risky", "http.request")
USE = Node("use", "data.set")
SORRY = Node("sorry", "data.set")
CLEAN = Node("clean", "data.set")
AFTER = Node("after", "data.set")


@workflow("/#__cloud__/TryCatchFinally")
async def try_catch_finally(run: Run) -> None:
    risky = None
    try:
        risky = await run.step(RISKY, http.request, "GET", "https://api.example.com/x")
        await run.step(USE, data.set, risky.body)
    except Exception as exc:
        guard_error = run.caught(GUARD, exc)
        await run.step(SORRY, data.set, f"{guard_error.message} ({guard_error.code})")
    finally:
        await run.step(CLEAN, data.set, {"step": "clean"})
    await run.step(AFTER, data.set, risky.status if risky else 0)
