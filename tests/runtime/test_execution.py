from __future__ import annotations

import asyncio
import contextlib
import io
import json
from typing import Any

import pytest
from nodegx.runtime import Node, Retry, Run, Trigger, workflow
from nodegx.runtime import execution as execution_module
from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, StepRecord
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log

from tests.support.executions import Memory, execute

pytestmark = pytest.mark.filterwarnings("error")

WORK = Node("work", "data.set")
LATER = Node("later", "data.set")
ANSWER = Node("answer", "cloud.response")
PAUSE = Node("pause", "logic.wait")


def echo(value: Any) -> Any:
    return value


async def nothing(run: Run) -> None:
    await run.step(WORK, echo, run.trigger)


async def fails(run: Run) -> None:
    await run.step(WORK, echo, 1)
    raise FatalError("no luck")


async def test_a_run_is_on_record_before_it_begins() -> None:
    memory = Memory()

    async def handler(run: Run) -> None:
        assert memory.starts == [(run.execution.id, "running")]
        assert memory.records == []

    ran = await execute(handler, {"a": 1}, host=LocalHost(history=memory))
    assert ran.record.status == "success"
    assert memory.records == [ran.record]
    assert ran.record.finished is not None
    assert ran.record.finished >= ran.record.started
    assert ran.record.trigger == "start"


async def test_a_history_that_refuses_the_start_keeps_the_run_from_beginning() -> None:
    class Broken(Memory):
        async def started(self, record: ExecutionRecord) -> None:
            raise OSError("disk full")

    flow = workflow("/Test", concurrency=1)(nothing)
    run = Execution(flow, Trigger("t", "trigger.manual", 1), LocalHost(history=Broken()))
    with pytest.raises(OSError, match="disk full"):
        await run.start()
    assert flow.gate.active == 0


async def test_a_start_that_is_cancelled_is_recorded_as_that() -> None:
    class Slow(Memory):
        async def started(self, record: ExecutionRecord) -> None:
            await asyncio.sleep(5)

    memory = Slow()
    flow = workflow("/Test", concurrency=1)(nothing)
    run = Execution(flow, Trigger("t", "trigger.manual", 1), LocalHost(history=memory))
    task = asyncio.ensure_future(run.start())
    await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert [record.status for record in memory.records] == ["cancelled"]
    assert flow.gate.active == 0


async def test_a_history_that_refuses_the_end_does_not_break_the_run() -> None:
    class Broken(Memory):
        async def finished(self, record: ExecutionRecord) -> None:
            raise OSError("disk full")

    ran = await execute(nothing, host=LocalHost(history=Broken()))
    assert ran.record.status == "success"
    assert any("disk full" in line["message"] for line in ran.lines)


async def test_the_answer_comes_early_and_the_work_goes_on() -> None:
    order: list[str] = []

    async def handler(run: Run) -> None:
        await run.respond(ANSWER, status=202, body="started")
        await asyncio.sleep(0.02)
        await run.step(LATER, order.append, "work")

    async def caller(execution: Execution) -> None:
        reply = await execution.response
        assert reply == (202, {}, "started")
        order.append("answer")

    ran = await execute(handler, during=caller)
    assert order == ["answer", "work"]
    assert [step.id for step in ran.steps] == ["answer", "later"]


@pytest.mark.parametrize(
    ("handler", "status"), [(nothing, None), (fails, 500)], ids=["success", "failure"]
)
async def test_an_execution_without_an_answer_gets_one_in_the_end(
    handler: Any, status: int | None
) -> None:
    ran = await execute(handler)
    reply = await ran.execution.response
    if status is None:
        assert reply is None
    else:
        assert reply is not None
        assert reply.status == status
        assert reply.body["executionId"] == ran.record.id
        assert "no luck" not in json.dumps(reply.body)


async def test_an_answer_given_stays_whatever_happens_later() -> None:
    async def handler(run: Run) -> None:
        await run.respond(ANSWER, body="ok")
        raise FatalError("afterwards")

    ran = await execute(handler)
    assert ran.record.status == "error"
    reply = await ran.execution.response
    assert reply is not None
    assert reply.status == 200


async def test_the_time_limit_ends_a_run_after_its_cleanup() -> None:
    seen: list[str] = []

    async def handler(run: Run) -> None:
        try:
            await run.wait(PAUSE, seconds=5)
        finally:
            await run.step(LATER, seen.append, "cleaned up")

    ran = await execute(handler, timeout=0.02)
    assert ran.record.status == "timeout"
    assert seen == ["cleaned up"]
    assert ran.error["message"] == "The execution took longer than 0.02 s"
    assert ran.trace == [("pause", "cancelled", None), ("later", "success", "done")]
    reply = await ran.execution.response
    assert reply is not None
    assert reply.status == 504


async def test_a_cleanup_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_module, "GRACE", 0.02)
    seen: list[str] = []

    async def handler(run: Run) -> None:
        while True:
            try:
                await run.wait(PAUSE, seconds=5)
            except BaseException:
                seen.append("ignored")
                if run.halted:
                    raise

    ran = await execute(handler, timeout=0.02)
    assert ran.record.status == "timeout"
    assert 2 <= len(seen) <= 4


async def test_a_run_that_ignores_its_cancellation_still_counts_as_cancelled() -> None:
    async def handler(run: Run) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(5)
        await run.step(LATER, echo, 1)

    async def cancel(execution: Execution) -> None:
        await asyncio.sleep(0.01)
        execution.cancel()
        execution.cancel("again")

    ran = await execute(handler, during=cancel)
    assert ran.record.status == "cancelled"
    assert ran.error["message"] == "The execution was cancelled"
    reply = await ran.execution.response
    assert reply is not None
    assert reply.status == 503


async def test_a_run_can_be_cancelled_before_its_first_line() -> None:
    async def handler(run: Run) -> None:
        raise AssertionError

    async def cancel(execution: Execution) -> None:
        execution.cancel("at once")

    ran = await execute(handler, during=cancel, concurrency=1)
    assert ran.record.status == "cancelled"
    assert ran.execution.workflow.gate.active == 0


async def test_cancelling_what_has_ended_changes_nothing() -> None:
    ran = await execute(nothing)
    ran.execution.cancel()
    assert (await ran.execution.finish()).status == "success"


async def test_the_end_of_the_event_loop_is_recorded_as_a_cancellation() -> None:
    async def handler(run: Run) -> None:
        await asyncio.sleep(5)

    async def shut_down(execution: Execution) -> None:
        await asyncio.sleep(0.01)
        next(task for task in asyncio.all_tasks() if task.get_name() == execution.id).cancel()

    memory = Memory()
    ran = await execute(handler, during=shut_down, host=LocalHost(history=memory))
    assert ran.record.status == "cancelled"
    assert memory.records == [ran.record]


async def test_waiting_for_the_end_can_be_given_up_without_ending_the_run() -> None:
    async def handler(run: Run) -> None:
        await asyncio.sleep(0.05)

    async def impatient(execution: Execution) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await execution.finish()

    assert (await execute(handler, during=impatient)).record.status == "success"


async def test_finish_needs_a_start() -> None:
    run = Execution(workflow("/T")(nothing), Trigger("t", "m", 1), LocalHost())
    with pytest.raises(RuntimeError):
        await run.finish()


class Calls(LocalHost):
    """A host that notes which workflows are called."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(history=Memory())
        self.calls: list[Any] = []
        self.error = error

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        self.calls.append((workflow, payload, depth, wait))
        if self.error is not None:
            raise self.error
        return {"execution": "X"}


async def test_a_failure_is_handed_to_the_workflow_for_failures() -> None:
    host = Calls()
    ran = await execute(fails, {"order": 7}, host=host, on_error="/Notify")
    ((name, payload, depth, wait),) = host.calls
    assert (name, depth, wait) == ("/Notify", 1, False)
    assert payload["workflow"] == "/Test"
    assert payload["execution"] == ran.record.id
    assert payload["error"]["message"] == "no luck"
    assert payload["trigger"] == {"order": 7}


async def test_no_loop_of_failures_and_no_failure_through_them() -> None:
    host = Calls()
    await execute(fails, host=host, on_error="/Test")
    await execute(nothing, host=host, on_error="/Notify")
    assert host.calls == []
    ran = await execute(fails, host=Calls(FatalError("unknown")), on_error="/Notify")
    assert ran.error["message"] == "no luck"
    assert any("was not started: unknown" in line["message"] for line in ran.lines)


async def test_a_whole_run_is_retried_by_its_policy() -> None:
    attempts: list[int] = []

    async def handler(run: Run) -> None:
        attempts.append(run.execution.attempt)
        await run.step(WORK, echo, 1)
        if len(attempts) < 3:
            raise RetriableError("busy")

    ran = await execute(handler, retry=Retry(attempts=3, delay=0.001))
    assert ran.record.status == "success"
    assert attempts == [1, 2, 3]
    assert [step.id for step in ran.steps] == ["work", "work#2", "work#3"]


async def test_a_run_is_not_retried_once_it_has_answered() -> None:
    async def handler(run: Run) -> None:
        await run.respond(ANSWER)
        raise RetriableError("busy")

    ran = await execute(handler, retry=Retry(attempts=3, delay=0.001))
    assert ran.record.status == "error"
    assert len(ran.steps) == 1


async def test_the_concurrency_limit_holds_and_is_released() -> None:
    active = peak = 0

    async def handler(run: Run) -> None:
        nonlocal active, peak
        active += 1
        peak = max(peak, active)
        await asyncio.sleep(0.005)
        active -= 1
        if run.trigger % 3 == 0:
            raise FatalError("every third")

    flow = workflow("/Test", concurrency=2)(handler)
    log = Log("error", io.StringIO())

    async def one(number: int) -> str:
        run = Execution(flow, Trigger("t", "trigger.manual", number), LocalHost(), log=log)
        await run.start()
        return (await run.finish()).status

    ended = await asyncio.gather(*map(one, range(1, 8)))
    assert ended == ["success", "success", "error", "success", "success", "error", "success"]
    assert peak == 2
    assert flow.gate.active == 0


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("capture", ["full", "errors", "minimal", "off"])
async def test_capture_modes(capture: str, fail: bool) -> None:
    memory = Memory()

    async def handler(run: Run) -> None:
        await run.step(WORK, echo, {"a": 1})
        await run.respond(ANSWER, body="ok")
        if fail:
            raise FatalError("no luck", details={"private": 1})

    ran = await execute(handler, {"in": 1}, host=LocalHost(history=memory), capture=capture)
    record = ran.record
    data = capture == "full" or (capture == "errors" and fail)
    assert (record.input is not None) is data
    assert (record.output is not None) is data
    assert [step.input is not None for step in record.steps] == {
        "full": [True, True],
        "errors": [True, True] if fail else [],
        "minimal": [False, False],
        "off": [],
    }[capture]
    assert memory.records == ([] if capture == "off" else [record])
    assert len(memory.starts) == (0 if capture == "off" else 1)
    if fail and capture != "off":
        assert ran.error["message"] == "no luck"
        assert ran.error["details"] == ({"private": 1} if data else None)


async def test_paths_of_the_workflow_are_redacted_in_every_value() -> None:
    async def handler(run: Run) -> None:
        await run.step(WORK, echo, run.trigger)

    ran = await execute(handler, {"user": {"iban": "DE00"}, "n": 1}, redact=("$..iban",))
    step = ran.step("work")
    for text in (ran.record.input, step.input, step.output):
        assert text is not None
        assert "DE00" not in text
        assert '"n":1' in text


async def test_long_values_are_truncated_with_a_marker() -> None:
    ran = await execute(nothing, "x" * 5000, max_bytes=300)
    kept = json.loads(ran.step("work").output or "")
    assert kept["$truncated"] == 5002
    assert kept["preview"].startswith('"xxx')
    assert len(ran.step("work").output or "") <= 300


async def test_observers_see_each_step_start_and_end_without_a_history() -> None:
    seen: list[tuple[str, str, str]] = []

    def note(step: StepRecord, when: str) -> None:
        seen.append((step.id, when, step.status.value))

    run = Execution(
        workflow("/T")(fails), Trigger("t", "trigger.manual", 1), LocalHost(), on_step=note
    )
    await run.start()
    record = await run.finish()
    assert seen == [("work", "start", "running"), ("work", "end", "success")]
    assert record.input == "1"
    assert record.error is not None


async def test_log_lines_are_json_with_the_execution_and_the_node() -> None:
    async def handler(run: Run) -> None:
        data = run.trigger
        await run.step(WORK, echo, data["missing"])

    ran = await execute(handler, {})
    failure = next(line for line in ran.lines if line["level"] == "error")
    assert failure["execution"] == ran.record.id
    assert failure["workflow"] == "/Test"
    assert failure["message"] == "`data` has no key 'missing'"
    assert failure["code"] == "python.KeyError"
    assert [line.partition(") ")[2] for line in failure["trace"]] == [
        'await run.step(WORK, echo, data["missing"])'
    ]
    assert not any("steps.py" in line for line in failure["trace"])
