"""Waits of workflows that are not durable: they are sat through."""

from __future__ import annotations

from time import time
from typing import Any

import pytest
from nodegx.runtime import Node, Run
from nodegx.runtime.errors import RetriableError
from nodegx.runtime.local import LocalHost
from nodegx.runtime.waiting import Poll
from nodegx.runtime.workflow import workflow

from tests.support.executions import Memory, execute

WAIT = Node("wait", "logic.wait")


def test_intervals_grow_up_to_the_longest() -> None:
    poll = Poll({"interval": "1s", "backoff": 3, "maxInterval": "20s"})
    assert [poll.interval(attempt) for attempt in (1, 2, 3, 4, 5000)] == [1, 3, 9, 20, 20]
    assert [Poll(None).interval(attempt) for attempt in (1, 2, 9)] == [10, 20, 300]


async def test_a_condition_is_asked_for_in_this_process() -> None:
    answers = iter([1, 2, 3])

    class Host(LocalHost):
        async def call(self, workflow: str, payload: Any, **_: Any) -> Any:
            assert (workflow, payload) == ("/Check", {"id": 1})
            answer = next(answers)
            if answer == 1:
                raise RetriableError("not reachable")
            return answer

    async def handler(run: Run) -> None:
        wait = await run.wait(
            WAIT,
            condition=lambda response, attempt: response == 3,
            poll={"workflow": "/Check", "input": {"id": 1}, "interval": 0.01},
        )
        await run.step(Node("work", "data.set"), list, (wait.port, wait.response))

    ran = await execute(handler, host=Host(history=Memory()))
    assert ran.record.status == "success"
    assert ran.step("work").output == '["done",3]'


@pytest.mark.parametrize("on_timeout", ["fail", "branch"])
async def test_it_is_given_up_in_time(on_timeout: str) -> None:
    async def handler(run: Run) -> None:
        wait = await run.wait(
            WAIT,
            condition=lambda response, attempt: False,
            poll={"interval": 0.02},
            timeout="100ms",
            on_timeout=on_timeout,
        )
        run.switch(WAIT, wait.port)

    begun = time()
    ran = await execute(handler)
    assert time() - begun >= 0.1
    if on_timeout == "branch":
        assert ran.trace == [("wait", "success", "timeout")]
    else:
        assert ran.error["code"] == "wait.timeout"


async def test_no_request_reaches_a_process_without_a_server() -> None:
    async def waits(run: Run) -> None:
        await run.wait(WAIT, webhook={})

    async def links(run: Run) -> None:
        run.resume_url(WAIT)

    for handler in (waits, links):
        ran = await execute(handler)
        assert ran.error["code"] == "wait.unsupported"


def test_a_workflow_that_is_not_durable_says_so() -> None:
    @workflow("/w")
    async def handler(run: Run) -> None:
        """Nothing."""

    assert not handler.settings.durable
