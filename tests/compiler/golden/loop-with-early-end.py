"""LoopWithEarlyEnd

Compiled by nodegx from golden/loop-with-early-end.json. Edit the workflow, not this file.
"""

from typing import Any

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data, http

JOBS = Node("jobs", "logic.forEach")
SKIP = Node("skip", "logic.if")
WORK = Node("work", "http.request")
AFTER = Node("after", "data.set")


@workflow("/#__cloud__/LoopWithEarlyEnd")
async def loop_with_early_end(run: Run) -> None:
    start = run.trigger

    async def jobs_item(run: Run, item: Any, index: int) -> Any:
        work = None
        if not run.branch(SKIP, item["done"]):
            work = await run.step(
                WORK, http.request, "GET", f"https://work.example.com/{fx.text(item['id'])}"
            )
        return work.body

    jobs = await run.for_each(JOBS, start["jobs"], jobs_item)
    await run.step(AFTER, data.set, jobs.results)
