"""What durable executions wait for, and how they go on."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from time import time
from typing import Any

import pytest
from nodegx.runtime import Node, Retry, Run, Workflow, workflow
from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.resumption import Resumption
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.tokens import answer_key, is_token
from nodegx.runtime.errors import RetriableError
from nodegx.runtime.values import Trigger

from tests.support.durable_memory import DurableLocalHost, MemoryRuns, run_to_the_end
from tests.support.loopback import Answer, Loopback, Seen, loopback

START = Trigger("start", "trigger.manual", {"n": 1})
ASK = Node("ask", "data.set")
WAIT = Node("wait", "logic.wait")
WORK = Node("work", "data.set")
CALL = Node("call", "workflow.call")
EACH = Node("each", "logic.forEach")
NAME = "/#__cloud__/Waits"
PLAIN = Codec({}, {})


def echo(value: Any) -> Any:
    return value


@pytest.fixture
def runs() -> MemoryRuns:
    return MemoryRuns()


@pytest.fixture
def host(runs: MemoryRuns) -> DurableLocalHost:
    return DurableLocalHost(runs)


@pytest.fixture
async def site() -> AsyncIterator[Loopback]:
    with loopback() as server:
        yield server


async def begin(code: Workflow, host: DurableLocalHost) -> DurableExecution:
    execution = DurableExecution(code, START, host)
    await execution.start()
    await execution.finish()
    return execution


async def go_on(code: Workflow, host: DurableLocalHost, id: str) -> DurableExecution:
    execution = Resumption(code, host.runs.claim(id), host).durable()
    await execution.start()
    await execution.finish()
    return execution


def answered(**value: Any) -> str:
    full: Mapping[str, Any] = {"body": None, "query": {}, "headers": {}, "action": None, **value}
    return PLAIN.encode(full)


def output(execution: DurableExecution, step: str) -> Any:
    found = next(each for each in execution.record.steps if each.id == step)
    return None if found.output is None else json.loads(found.output)


def asking(**options: Any) -> Workflow:
    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        url = run.resume_url(WAIT)
        await run.step(ASK, echo, url)
        wait = await run.wait(WAIT, webhook={"method": "POST"}, **options)
        await run.step(WORK, echo, [wait.port, wait.body, wait.action])

    return handler


async def test_an_answer_ends_the_wait(host: DurableLocalHost, runs: MemoryRuns) -> None:
    code = asking()
    first = await begin(code, host)
    assert first.record.status == "waiting"
    [wait] = runs.states[first.id].waits
    assert (wait.kind, wait.due) == ("webhook", None)
    assert runs.states[first.id].due is None
    assert runs.answer(first.id, answer_key("wait"), answered(body={"ok": 1}, action="yes"))
    assert runs.states[first.id].due is not None
    second = await go_on(code, host, first.id)
    assert second.record.status == "success"
    assert output(second, "work") == ["done", {"ok": 1}, "yes"]
    assert output(second, "ask") == output(first, "ask")
    assert not runs.states


async def test_the_link_is_a_token_of_this_wait(host: DurableLocalHost, runs: MemoryRuns) -> None:
    execution = await begin(asking(), host)
    url = output(execution, "ask")
    place, token = url.rsplit("/", 1)
    assert place == f"{host.url}/_nodegx/resume/{execution.id}/wait"
    secret = runs.states[execution.id].secret
    assert is_token(secret, "wait", token)
    assert not is_token(secret, "wait[1]", token)
    assert not is_token("", "wait", token)
    assert secret not in json.dumps([step.input for step in execution.record.steps])


async def test_an_answer_that_comes_before_the_wait(
    host: DurableLocalHost, runs: MemoryRuns
) -> None:
    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        await run.wait(Node("before", "logic.wait"), seconds=3600)
        wait = await run.wait(WAIT, webhook={})
        await run.step(WORK, echo, wait.body)

    first = await begin(handler, host)
    assert runs.answer(first.id, answer_key("wait"), answered(body="early"))
    runs.entries[first.id]["before!wait"].value = "0.0"
    second = await go_on(handler, host, first.id)
    assert second.record.status == "success"
    assert output(second, "work") == "early"


async def test_nobody_answers_and_the_workflow_has_a_way_for_that(
    host: DurableLocalHost,
) -> None:
    execution = await run_to_the_end(asking(timeout=0.05, on_timeout="branch"), START, host)
    assert execution.record.status == "success"
    assert output(execution, "work") == ["timeout", None, None]


async def test_nobody_answers_and_it_has_none(host: DurableLocalHost, runs: MemoryRuns) -> None:
    execution = await run_to_the_end(asking(timeout="50ms"), START, host)
    assert execution.record.status == "error"
    assert execution.failure is not None
    assert execution.failure.code == "wait.timeout"
    assert runs.states[execution.id].status == RunStatus.FAILED


async def test_each_iteration_has_a_wait_of_its_own(
    host: DurableLocalHost, runs: MemoryRuns
) -> None:
    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        async def body(run: Run, item: Any, index: int) -> Any:
            await run.step(ASK, echo, run.resume_url(WAIT))
            return (await run.wait(WAIT, webhook={})).body

        each = await run.for_each(EACH, ["a", "b", "c"], body, concurrency=3)
        await run.step(WORK, echo, each.results)

    execution = await begin(handler, host)
    assert len({output(execution, f"ask[{index}]") for index in range(3)}) == 3
    waits = [wait.key for wait in runs.states[execution.id].waits]
    assert sorted(waits) == [answer_key(f"wait[{index}]") for index in range(3)]
    for index in (2, 0, 1):
        assert runs.answer(execution.id, answer_key(f"wait[{index}]"), answered(body=index))
        assert not runs.answer(execution.id, answer_key(f"wait[{index}]"), answered(body="again"))
        execution = await go_on(handler, host, execution.id)
    assert execution.record.status == "success"
    assert output(execution, "work") == [0, 1, 2]


async def test_a_condition_is_asked_for_until_it_holds(
    host: DurableLocalHost, site: Loopback
) -> None:
    answers = iter(
        [Answer(503, "busy"), Answer(200, {"done": False}), Answer(200, {"done": True, "n": 7})]
    )
    url = site.at("/job", lambda _: next(answers))

    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        wait = await run.wait(
            WAIT,
            condition=lambda response, attempt: response.body["done"] and attempt > 2,
            poll={"url": url, "interval": 0.02, "backoff": 2.0},
        )
        await run.step(WORK, echo, wait.response.body["n"])

    execution = await run_to_the_end(handler, START, host)
    assert execution.record.status == "success"
    assert output(execution, "work") == 7
    assert len(site.seen) == 3


async def test_a_condition_sees_the_time_of_each_question(host: DurableLocalHost) -> None:
    seen: list[str] = []

    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        def holds(response: Any, attempt: int) -> bool:
            seen.append(run.now())
            return attempt == 3

        await run.wait(WAIT, condition=holds, poll={"interval": 0.03, "backoff": 1})

    execution = await run_to_the_end(handler, START, host)
    assert execution.record.status == "success"
    assert len(set(seen)) == 3


async def test_a_condition_that_never_holds(host: DurableLocalHost) -> None:
    asked: list[int] = []

    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        wait = await run.wait(
            WAIT,
            condition=lambda response, attempt: bool(asked.append(attempt)),
            poll={"interval": 0.03, "maxInterval": 0.05},
            timeout=0.2,
            on_timeout="branch",
        )
        await run.step(WORK, echo, wait.port)

    begun = time()
    execution = await run_to_the_end(handler, START, host)
    assert output(execution, "work") == "timeout"
    assert time() - begun >= 0.2
    assert asked == list(range(1, len(asked) + 1))


async def test_a_long_pause_between_attempts_is_no_reason_to_stay(
    host: DurableLocalHost, runs: MemoryRuns
) -> None:
    tries: list[float] = []
    node = Node("work", "data.set", retry=Retry(attempts=3, delay=0.1, backoff=1, jitter=0))

    def work() -> int:
        tries.append(time())
        if len(tries) < 3:
            raise RetriableError("not yet")
        return len(tries)

    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        await run.step(node, work)

    first = await begin(handler, host)
    assert first.record.status == "waiting"
    [wait] = runs.states[first.id].waits
    assert wait.kind == "retry"
    assert wait.spec == {"step": "work", "attempt": 2}
    execution = await go_on_until_over(handler, host, first.id)
    assert execution.record.status == "success"
    assert execution.record.steps[0].attempts == 3
    assert all(later - earlier >= 0.1 for earlier, later in itertools.pairwise(tries))


async def go_on_until_over(code: Workflow, host: DurableLocalHost, id: str) -> DurableExecution:
    while True:
        due = host.runs.states[id].due
        assert due is not None
        await asyncio.sleep(max(0.0, due - time()))
        execution = await go_on(code, host, id)
        if execution.record.status.ended:
            return execution


async def test_a_whole_workflow_is_tried_again_later(host: DurableLocalHost) -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        if len(tries) < 2:
            raise RetriableError("not yet")

    @workflow(NAME, durable=True, retry=Retry(attempts=2, delay=0.05, jitter=0))
    async def handler(run: Run) -> None:
        await run.step(ASK, echo, run.execution.attempt)
        await run.step(WORK, work)

    execution = await run_to_the_end(handler, START, host)
    assert execution.record.status == "success"
    assert [step.id for step in execution.record.steps] == ["ask", "work", "ask#2", "work#2"]


async def test_the_history_shows_a_wait_from_its_begin_to_its_end(host: DurableLocalHost) -> None:
    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        await run.step(ASK, echo, 1)
        await run.wait(WAIT, seconds=0.2)
        await run.step(WORK, echo, 2)

    execution = await run_to_the_end(handler, START, host)
    ask, wait, work = execution.record.steps
    assert wait.duration >= 0.2
    assert ask.started <= wait.started <= work.started
    assert work.started >= wait.started + 0.2
    assert [each.status for each in host.memory.records] == ["waiting", "success"]
    assert [step.status for step in host.memory.records[0].steps] == ["success", "waiting"]


async def test_what_changes_meanwhile_does_not_change_what_it_reads(runs: MemoryRuns) -> None:
    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        await run.step(ASK, echo, [run.vars["limit"], run.env["MODE"]])
        await run.wait(WAIT, seconds=3600)
        await run.step(WORK, echo, [run.vars["limit"], run.env["MODE"]])

    before = DurableLocalHost(runs, vars={"limit": 1}, env={"MODE": "a"})
    first = await begin(handler, before)
    runs.entries[first.id]["wait!wait"].value = "0.0"
    after = DurableLocalHost(runs, vars={"limit": 2}, env={"MODE": "b"})
    second = await go_on(handler, after, first.id)
    assert second.record.status == "success"
    assert output(second, "work") == [1, "a"]


async def test_a_secret_that_is_renewed_meanwhile_is_no_mismatch(
    runs: MemoryRuns, site: Loopback
) -> None:
    tokens: list[str] = []

    def check(seen: Seen) -> Answer:
        tokens.append(seen.headers["authorization"])
        return Answer(200, {"token": seen.headers["authorization"]})

    url = site.at("/api", check)

    @workflow(NAME, durable=True)
    async def handler(run: Run) -> None:
        from nodegx.runtime.nodes import http

        headers = {"authorization": f"Bearer {run.secrets['KEY']}"}
        first = await run.step(ASK, http.request, "GET", url, headers=headers)
        await run.wait(WAIT, seconds=3600)
        await run.step(
            WORK, http.request, "GET", url, headers={"authorization": first.body["token"]}
        )

    first = await begin(handler, DurableLocalHost(runs, secrets={"KEY": "old-secret"}))
    kept = json.dumps([entry.value for entry in runs.entries[first.id].values()])
    assert "old-secret" not in kept
    runs.entries[first.id]["wait!wait"].value = "0.0"
    second = await go_on(handler, DurableLocalHost(runs, secrets={"KEY": "new-secret"}), first.id)
    assert second.record.status == "success"
    assert tokens == ["Bearer old-secret", "Bearer new-secret"]


async def test_code_that_does_something_else_is_stopped(
    host: DurableLocalHost, runs: MemoryRuns
) -> None:
    calls: list[int] = []

    def made(value: int) -> Workflow:
        @workflow(NAME, durable=True)
        async def handler(run: Run) -> None:
            try:
                await run.step(ASK, echo, value)
                await run.wait(WAIT, seconds=3600)
            except Exception:
                await run.step(WORK, calls.append, 1)

        return handler

    first = await begin(made(1), host)
    second = await go_on(made(2), host, first.id)
    assert second.record.status == "error"
    assert second.failure is not None
    assert second.failure.code == "journal.mismatch"
    assert "`ask`" in second.failure.message
    assert not calls
    assert runs.states[first.id].status == RunStatus.FAILED
