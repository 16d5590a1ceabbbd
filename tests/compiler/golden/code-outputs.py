"""CodeOutputs

Compiled by nodegx from golden/code-outputs.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from typing import Any

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, python

ROUTE = Node("route", "code.python")
UP = Node("up", "data.set")
DOWN = Node("down", "data.set")
ODD = Node("odd", "data.set")


def route_code(n: Any) -> Any:
    return ("high" if n > 5 else "low", n * 2)


@workflow("/#__cloud__/CodeOutputs")
async def code_outputs(run: Run) -> None:
    start = run.trigger
    try:
        route = await run.step(
            ROUTE, python.routed(python.in_thread(route_code), "high", "low"), n=start["n"]
        )
    except Exception as exc:
        route_error = run.caught(ROUTE, exc)
        await run.step(ODD, data.set, route_error.message)
        return
    match run.switch(ROUTE, route.port):
        case "high":
            await run.step(UP, data.set, route.value)
        case "low":
            await run.step(DOWN, data.set, {"step": "down"})
