"""Code

Compiled by nodegx from golden/code.json. Edit the workflow, not this file.
"""

from typing import Any

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, python

SCORE = Node("score", "code.python")
FETCH = Node("fetch", "code.python")
END = Node("end", "data.set")


def score_code(items: Any) -> Any:
    # Longest name wins.
    best = max(items, key=len)
    return f"""
{best}
  wins"""


async def fetch_code() -> Any:
    import asyncio

    await asyncio.sleep(0)
    return {"ok": True}


@workflow("/#__cloud__/Code")
async def code(run: Run) -> None:
    start = run.trigger
    score = await run.step(SCORE, python.in_thread(score_code), items=start["items"])
    fetch = await run.step(FETCH, fetch_code)
    await run.step(END, data.set, [score, fetch["ok"]])
