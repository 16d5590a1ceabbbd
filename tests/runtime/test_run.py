from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from nodegx.runtime import Node, Retry, Run
from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.local import LocalHost

from tests.support.executions import Memory, execute

pytestmark = pytest.mark.filterwarnings("error")

WORK = Node("work", "data.set")
OTHER = Node("other", "data.set")
LARGE = Node("large", "logic.if")
TIER = Node("tier", "logic.switch")
GUARD = Node("guard", "logic.try")
STOP = Node("stop", "logic.stop")
ANSWER = Node("answer", "cloud.response")
AGAIN = Node("again", "cloud.response")
PAUSE = Node("pause", "logic.wait")
CALL = Node("call", "workflow.call")
EMIT = Node("emit", "workflow.emit")
CODE = Node("code", "code.python")


class Response(NamedTuple):
    status: int
    body: Any


async def fetch(url: str, *, json: Any = None) -> Response:
    return Response(200, {"url": url, "json": json})


def same(value: Any) -> Any:
    return value


def double(number: int) -> int:
    return number * 2


async def fail(message: str = "no luck") -> None:
    raise FatalError(message, code="test.fatal", details={"why": message})


def loads(text: str | None) -> Any:
    return json.loads(text or "null")


async def test_a_step_returns_what_the_function_returns_and_records_both_sides() -> None:
    async def handler(run: Run) -> None:
        response = await run.step(WORK, fetch, "http://x", json={"a": 1})
        assert isinstance(response, Response)
        assert await run.step(OTHER, double, run.trigger) == 42

    ran = await execute(handler, 21)
    assert ran.trace == [("work", "success", "done"), ("other", "success", "done")]
    assert loads(ran.step("work").input) == {"url": "http://x", "json": {"a": 1}}
    output = {"status": 200, "body": {"url": "http://x", "json": {"a": 1}}}
    assert loads(ran.step("work").output) == output
    assert loads(ran.record.input) == 21
    assert ran.step("work").duration >= 0


@pytest.mark.parametrize("node", [WORK, Node("work", "data.set", timeout=5.0, retry=Retry())])
async def test_steps_run_the_same_without_a_history(node: Node) -> None:
    seen: list[Any] = []

    async def handler(run: Run) -> None:
        seen.append(await run.step(node, fetch, "http://x"))
        seen.append(await run.step(node, double, 4))
        try:
            await run.step(node, fail)
        except Exception as exc:
            seen.append(run.caught(node, exc))

    ran = await execute(handler, host=LocalHost())
    assert ran.record.steps == []
    assert seen[:2] == [Response(200, {"url": "http://x", "json": None}), 8]
    assert seen[2].message == "no luck"
    assert seen[2].node == "work"


async def test_a_later_change_of_a_value_does_not_reach_the_record() -> None:
    async def handler(run: Run) -> None:
        value = {"a": [1]}
        await run.step(WORK, same, value)
        value["a"].append(2)

    ran = await execute(handler)
    assert loads(ran.step("work").input) == {"value": {"a": [1]}}
    assert loads(ran.step("work").output) == {"a": [1]}


async def test_functions_among_the_arguments_are_named_not_called() -> None:
    def pick(items: list[int], key: Any) -> list[int]:
        return sorted(items, key=key)

    async def handler(run: Run) -> None:
        by_itself: Callable[[Any], Any] = lambda item: item  # noqa: E731
        await run.step(WORK, pick, [2, 1], key=by_itself)

    ran = await execute(handler)
    assert loads(ran.step("work").input)["key"] == "<expression of item>"


async def test_an_error_of_a_step_is_described_recorded_and_propagates() -> None:
    async def handler(run: Run) -> None:
        await run.step(WORK, fail, "gone")

    ran = await execute(handler)
    assert ran.record.status == "error"
    expected = {
        "message": "gone",
        "code": "test.fatal",
        "category": "fatal",
        "node": "work",
        "attempts": 1,
        "details": {"why": "gone"},
    }
    assert ran.error == expected
    assert loads(ran.step("work").error) == expected
    assert ran.trace == [("work", "error", None)]


async def test_a_handled_failure_gives_its_error_and_the_failure_port() -> None:
    async def handler(run: Run) -> None:
        try:
            await run.step(WORK, fail, "gone")
        except Exception as exc:
            error = run.caught(WORK, exc)
            await run.respond(ANSWER, status=502, body={"error": error.message})

    ran = await execute(handler)
    assert ran.record.status == "success"
    assert ran.trace == [("work", "error", "failure"), ("answer", "success", "done")]
    assert ran.execution.answer == (502, {}, {"error": "gone"})


async def test_a_parameter_that_fails_counts_as_its_node_failing() -> None:
    async def handler(run: Run) -> None:
        order = run.trigger
        try:
            await run.step(WORK, double, order["total"])
        except Exception as exc:
            error = run.caught(WORK, exc)
            assert error.node == "work"
            assert error.code == "python.KeyError"
            assert error.message == "`order` has no key 'total'"

    ran = await execute(handler, {})
    assert ran.record.status == "success"
    assert ran.trace == [("work", "error", "failure")]


async def test_a_try_records_itself_and_leaves_the_failed_node_its_own_record() -> None:
    async def handler(run: Run) -> None:
        try:
            await run.step(WORK, fail)
        except Exception as exc:
            error = run.caught(GUARD, exc)
            assert error.node == "work"
        finally:
            await run.step(OTHER, double, 1)

    ran = await execute(handler)
    assert ran.trace == [
        ("work", "error", None),
        ("guard", "success", "catch"),
        ("other", "success", "done"),
    ]
    assert loads(ran.step("guard").output)["message"] == "no luck"


async def test_exit_in_user_code_fails_its_node_only() -> None:
    for node in (CODE, Node("code", "code.python", timeout=3.0)):

        async def handler(run: Run, node: Node = node) -> None:
            await run.step(node, sys.exit, 3)

        for host in (LocalHost(), None):
            ran = await execute(handler, host=host)
            assert ran.record.status == "error"
            assert ran.execution.failure is not None
            assert ran.execution.failure.code == "exit"


async def test_branch_match_and_switch_say_where_they_go() -> None:
    async def handler(run: Run) -> None:
        assert run.branch(LARGE, run.trigger) is True
        cases = {"gold": "G", "one": 1, "yes": True, "list": [1]}
        assert run.match(TIER, "G", cases) == "gold"
        assert run.match(TIER, True, cases) == "yes"
        assert run.match(TIER, 1.0, cases) == "one"
        assert run.match(TIER, [1], cases) == "list"
        assert run.match(TIER, None, cases) == "default"
        assert run.switch(TIER, "big") == "big"

    ran = await execute(handler, ["not", "empty"])
    ports = [step.port for step in ran.steps]
    assert ports == ["true", "gold", "yes", "one", "list", "default", "big"]


async def test_switch_after_a_step_of_the_same_node_routes_that_step() -> None:
    async def handler(run: Run) -> None:
        await run.step(CODE, double, 1)
        run.switch(CODE, "retry")

    ran = await execute(handler)
    assert ran.trace == [("code", "success", "retry")]


async def test_started_by_tells_triggers_apart() -> None:
    async def handler(run: Run) -> None:
        assert run.started_by(Node("start", "trigger.manual"))
        assert not run.started_by(Node("nightly", "trigger.schedule"))

    assert (await execute(handler)).record.status == "success"


async def test_stop_ends_the_run_as_a_success_past_every_except() -> None:
    ended: list[str] = []

    async def handler(run: Run) -> None:
        try:
            raise run.stop(STOP, message="enough")
        except Exception:
            ended.append("caught")
        finally:
            ended.append("finally")

    ran = await execute(handler)
    assert ran.record.status == "success"
    assert ended == ["finally"]
    assert ran.trace == [("stop", "success", None)]


async def test_stop_as_an_error_is_a_failure_that_a_try_may_catch() -> None:
    async def handler(run: Run) -> None:
        try:
            raise run.stop(STOP, message="bad order", status="error")
        except Exception as exc:
            error = run.caught(GUARD, exc)
        assert (error.message, error.code, error.node) == ("bad order", "stopped", "stop")
        raise run.stop(STOP, status="error")

    ran = await execute(handler)
    assert ran.error["message"] == "The workflow was stopped"
    assert [step.status for step in ran.steps] == ["error", "success", "error"]


async def test_only_the_first_response_counts() -> None:
    async def handler(run: Run) -> None:
        await run.respond(ANSWER, status="201", headers={"x": 1}, body=Response(1, 2))
        await run.respond(AGAIN, body="second")

    ran = await execute(handler)
    assert ran.execution.answer == (201, {"x": "1"}, {"status": 1, "body": 2})
    assert ran.trace == [("answer", "success", "done"), ("again", "skipped", None)]
    assert loads(ran.record.output) == {
        "status": 201,
        "headers": {"x": "1"},
        "body": {"status": 1, "body": 2},
    }
    assert any(line["node"] == "again" for line in ran.lines if "node" in line)


@pytest.mark.parametrize("status", [99, 600, "x", None])
async def test_a_response_needs_a_status(status: Any) -> None:
    async def handler(run: Run) -> None:
        await run.respond(ANSWER, status=status)

    assert (await execute(handler)).error["code"] == "response.status"


async def test_wait_pauses_for_seconds_and_not_for_the_past() -> None:
    async def handler(run: Run) -> None:
        await run.wait(PAUSE, seconds=0.02)
        await run.wait(PAUSE, seconds="10ms")
        await run.wait(PAUSE, until="2020-01-01T00:00:00Z")

    ran = await execute(handler)
    assert 0.02 <= ran.steps[0].duration < 0.5
    assert 0.01 <= ran.steps[1].duration < 0.5
    assert ran.steps[2].duration < 0.01
    assert loads(ran.steps[2].input) == {"until": "2020-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"seconds": -1}, "time.duration"),
        ({"seconds": "soon"}, "time.duration"),
        ({"until": "tomorrow"}, "time.format"),
        ({"until": None}, "time.format"),
    ],
)
async def test_wait_refuses_what_is_no_time(options: dict[str, Any], code: str) -> None:
    async def handler(run: Run) -> None:
        await run.wait(PAUSE, **options)

    assert (await execute(handler)).error["code"] == code


class Recording(LocalHost):
    """A host that notes calls and events."""

    def __init__(self) -> None:
        super().__init__(history=Memory(), vars={"limit": 3}, env={"HOME": "/h"})
        self.calls: list[Any] = []

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        self.calls.append((workflow, payload, depth, wait))
        return {"answer": 1} if wait else {"execution": "X"}

    async def emit(self, event: str, payload: Any, *, source: str, depth: int) -> str:
        self.calls.append((event, payload, depth))
        return "E1"


async def test_calls_and_events_go_to_the_host() -> None:
    host = Recording()

    async def handler(run: Run) -> None:
        assert await run.call(CALL, "/Other", {"a": 1}) == {"answer": 1}
        assert await run.call(CALL, "/Other", wait=False) == {"execution": "X"}
        assert await run.emit(EMIT, "order.created", {"b": 2}) == "E1"
        assert run.vars["limit"] == 3
        assert run.env["HOME"] == "/h"

    ran = await execute(handler, host=host)
    assert ran.record.status == "success"
    assert host.calls == [
        ("/Other", {"a": 1}, 1, True),
        ("/Other", None, 1, False),
        ("order.created", {"b": 2}, 1),
    ]
    assert loads(ran.steps[0].input) == {"workflow": "/Other", "input": {"a": 1}}


async def test_the_run_knows_its_execution() -> None:
    async def handler(run: Run) -> None:
        assert run.execution.workflow == "/Test"
        assert len(run.execution.id) == 26
        assert run.execution.attempt == 1
        assert run.execution.started.endswith("Z")
        assert run.now() >= run.execution.started
        assert run.uuid() != run.uuid()
        assert 0 <= run.random() < 1
        assert not run.halted

    assert (await execute(handler)).record.status == "success"


async def test_a_missing_secret_is_named_and_a_read_one_is_redacted_everywhere() -> None:
    host = LocalHost(history=Memory(), secrets={"key": 'sw"ordfish/1'})

    async def handler(run: Run) -> None:
        await run.step(OTHER, double, 1)
        await run.step(WORK, fetch, f"http://x/?q={run.secrets['key']}")
        try:
            await run.step(WORK, fail, f"refused: {run.secrets['key']}")
        except Exception as exc:
            error = run.caught(WORK, exc)
            assert error.message == "refused: [redacted]"
            assert error.details == {"why": "refused: [redacted]"}
        assert "sw" not in repr(run.secrets)
        assert "key" in run.secrets
        assert list(run.secrets) == ["key"]
        run.secrets["other"]

    ran = await execute(handler, {"early": 'sw"ordfish/1'}, host=host)
    assert ran.error["message"] == "There is no secret `other`"
    kept = json.dumps([[s.input, s.output, s.error] for s in ran.steps])
    assert "ordfish" not in kept + str(ran.record) + json.dumps(ran.lines)


async def test_retries_of_a_node_count_their_attempts() -> None:
    tries: list[int] = []

    async def flaky() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise RetriableError("busy")
        return len(tries)

    node = Node("work", "http.request", retry=Retry(attempts=3, delay=0.001))

    async def handler(run: Run) -> None:
        assert await run.step(node, flaky) == 3

    ran = await execute(handler)
    assert ran.step("work").attempts == 3
    warnings = [line for line in ran.lines if line["level"] == "warning"]
    assert [line["node"] for line in warnings] == ["work", "work"]
    assert warnings[0]["message"].startswith("attempt 1 of 3 failed, next in 0.00")


async def test_a_retry_that_gives_up_reports_every_attempt() -> None:
    node = Node("work", "http.request", retry=Retry(attempts=2, delay=0.001, on=("fatal",)))

    async def handler(run: Run) -> None:
        await run.step(node, fail)

    ran = await execute(handler)
    assert ran.error["attempts"] == 2
    assert ran.step("work").attempts == 2


async def test_a_time_limit_counts_per_attempt_and_can_be_retried() -> None:
    tries: list[int] = []

    async def slow() -> str:
        tries.append(1)
        await asyncio.sleep(5 if len(tries) == 1 else 0)
        return "ok"

    node = Node("work", "http.request", timeout=0.02, retry=Retry(attempts=2, delay=0.001))

    async def handler(run: Run) -> None:
        assert await run.step(node, slow) == "ok"
        tries.clear()
        await run.step(Node("once", "http.request", timeout=0.02), slow)

    ran = await execute(handler)
    assert ran.step("work").attempts == 2
    assert ran.error["code"] == "timeout"
    assert ran.error["message"] == "`once` took longer than 0.02 s"
    assert ran.error["category"] == "retriable"


async def test_a_time_out_of_the_work_itself_is_not_taken_for_the_limit() -> None:
    async def own() -> None:
        raise TimeoutError("theirs")

    async def handler(run: Run) -> None:
        await run.step(Node("once", "http.request", timeout=5.0), own)

    assert (await execute(handler)).error["code"] == "python.TimeoutError"
