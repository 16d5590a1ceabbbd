"""ResumeUrls

Compiled by nodegx from golden/resume-urls.json. Edit the workflow, not this file.
"""

from typing import Any

from nodegx.runtime import Node, Retry, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data

EACH = Node("each", "logic.forEach")
TELL = Node("tell", "workflow.emit")
ANSWER = Node("answer", "logic.wait")
TRY_HARD = Node("try-hard", "logic.retry")
INVITE = Node("invite", "workflow.call")
WITHDRAWN = Node("withdrawn", "logic.wait")
END = Node("end", "data.set")


@workflow("/#__cloud__/ResumeUrls", durable=True)
async def resume_urls(run: Run) -> None:
    start = run.trigger
    withdrawn_url = run.resume_url(WITHDRAWN)

    async def tell_item(run: Run, item: Any, index: int) -> Any:
        await run.emit(
            TELL,
            "offer.sent",
            {"offer": item["id"], "answer": run.resume_url(ANSWER), "withdraw": withdrawn_url},
        )
        answer = await run.wait(ANSWER, webhook={"method": ["GET", "POST"]}, timeout=259200.0)
        return answer._asdict()

    each = await run.for_each(EACH, start["offers"], tell_item, concurrency=3)

    async def attempt_try_hard(run: Run) -> None:
        await run.call(
            INVITE,
            "/#__cloud__/Mail",
            [withdrawn_url, [fx.counted(who + withdrawn_url) for who in fx.loop(start["readers"])]],
            wait=False,
        )

    await run.retry(TRY_HARD, attempt_try_hard, Retry(attempts=5))
    await run.wait(WITHDRAWN, webhook={})
    await run.step(END, data.set, each.results)
