"""Functions whose executions outlive their invocations."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.aws.durable import durable
from nodegx.runtime.aws.entry import queue
from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.state import RunState, RunStatus, Wait
from nodegx.runtime.durable.store import Fail, Suspend
from nodegx.runtime.errors import FatalError, NodegxError
from nodegx.runtime.history.record import Status

from tests.support.durable_function import (
    ANSWER,
    CALL,
    FUNCTION,
    NAME,
    URL,
    WAIT,
    DurableFunction,
    durable_function,
)
from tests.support.lambda_events import http_event, queue_event
from tests.support.moto import Moto

pytestmark = pytest.mark.slow

ONE, TWO = Node("one", "data.set"), Node("two", "data.set")
VERSION = f"{FUNCTION}:7"


@pytest.fixture
def function(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[DurableFunction]:
    with durable_function(moto, monkeypatch) as made:
        yield made


def resume(id: str) -> dict[str, Any]:
    return {"nodegx": {"resume": {"execution": id}}}


# --- waits ----------------------------------------------------------------------------------------


def pausing(function: DurableFunction, seconds: float) -> Any:
    async def flow(run: Run) -> None:
        await run.step(ONE, function.step("one"))
        await run.wait(WAIT, seconds=seconds)
        await run.step(TWO, function.step("two"))

    return flow


def test_a_wait_leaves_the_function_and_a_schedule_wakes_it(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 90))
    begun = time.time()
    ended = function.call()
    id = ended["execution"]
    assert ended["status"] == "waiting"
    [(name, schedule)] = function.aws.schedules.items()
    assert name == f"flow.{id}-1"
    moment = datetime.strptime(
        f"{schedule['ScheduleExpression']}+0000", "at(%Y-%m-%dT%H:%M:%S)%z"
    ).timestamp()
    assert begun + 90 <= moment <= time.time() + 91  # never before it is due
    target = schedule["Target"]
    assert (schedule["GroupName"], schedule["ActionAfterCompletion"]) == ("group", "DELETE")
    assert (target["Arn"], target["RoleArn"]) == (VERSION, "arn:role")
    assert target["DeadLetterConfig"] == {"Arn": "arn:dlq"}
    assert json.loads(target["Input"]) == resume(id)
    [record] = function.records
    assert (record.status, record.durable) == (Status.WAITING, True)


def test_it_goes_on_where_it_was(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0.3))
    id = function.call()["execution"]
    assert function.aws.schedules == {}  # not worth one
    time.sleep(0.3)
    assert function.deliver() == [{"execution": id, "status": "success"}]
    assert function.done == ["one", "two"]
    assert function.kept == []
    [record] = function.records
    assert (record.status, record.revision) == (Status.SUCCESS, "r1")
    assert [step.id for step in record.steps] == ["one", "wait", "two"]


def test_who_is_woken_in_vain_does_nothing(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 90))
    id = function.call()["execution"]
    before = function.kept
    assert function.resume(id) == {"execution": id, "status": None}
    assert function.kept == before
    assert list(function.aws.schedules) == [f"flow.{id}-1"]
    function.aws.schedules.clear()  # as if it had fired: the time is a year away
    function.resume(id)
    assert list(function.aws.schedules) == [f"flow.{id}-1"]
    assert function.resume("nobody") == {"execution": "nobody", "status": None}
    assert function.done == ["one"]


def test_of_two_who_are_woken_one_goes_on(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0.1))
    id = function.call()["execution"]
    time.sleep(0.1)
    results = [function.resume(id)["status"] for _ in range(2)]
    assert results == ["success", None]
    assert function.done == ["one", "two"]


def test_a_time_that_is_years_away_is_reached_in_steps(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 3 * 365 * 86_400))
    function.call()
    [schedule] = function.aws.schedules.values()
    moment = datetime.strptime(schedule["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)")
    assert moment - datetime.now() < timedelta(days=367)


def test_short_waits_stay_in_memory(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0.2), hold=5)
    assert function.call()["status"] == "success"
    assert function.aws.invoked == []


def test_what_cannot_be_scheduled_is_left_to_the_sweep(
    function: DurableFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodegx.runtime.aws.resuming.TARDY", 0.0)
    function.is_durable(pausing(function, 0.2))
    function.aws.broken = True
    id = function.call()["execution"]
    function.aws.broken = False
    time.sleep(0.3)
    assert function.sweep() == {"woken": 1}
    [invocation] = function.aws.invoked
    assert (invocation.target, invocation.payload) == (VERSION, resume(id))
    function.deliver()
    assert function.done == ["one", "two"]


# --- answers --------------------------------------------------------------------------------------


def asking(function: DurableFunction) -> Any:
    async def flow(run: Run) -> None:
        function.done.append(run.resume_url(WAIT))
        answer = await run.wait(WAIT, webhook={"method": "POST"}, timeout=600)
        await run.step(TWO, function.step("two"), answer.body)
        await run.respond(ANSWER, body=answer.body)

    return flow


def post(function: DurableFunction, url: str, body: Any) -> int:
    path = url.removeprefix("https://api.example.com")
    event = http_event(path=path, body=body, route="ANY /_nodegx/flow/{rest+}")
    return function.invoke(event)["statusCode"]


def test_a_request_to_the_resume_url_ends_a_wait(function: DurableFunction) -> None:
    function.is_durable(asking(function))
    id = function.call()["execution"]
    url: str = function.done[0]
    assert url.startswith(f"{URL}/_nodegx/resume/{id}/wait/")
    assert list(function.aws.schedules) == [f"flow.{id}-1"]  # of the timeout
    assert post(function, f"{url[:-1]}!", {"ok": 1}) == 404
    assert post(function, url, {"ok": True}) == 200
    assert post(function, url, {"ok": False}) == 410
    [invocation] = function.aws.invoked
    assert (invocation.target, invocation.payload) == (VERSION, resume(id))
    assert function.deliver() == [{"execution": id, "status": "success"}]
    assert function.aws.removed == [f"flow.{id}-1"]
    [record] = function.records
    assert json.loads(record.output or "")["body"] == {"ok": True}
    assert post(function, url, {"ok": 1}) == 404


def test_other_requests_below_that_start_nothing(function: DurableFunction) -> None:
    function.is_durable(asking(function))  # by hand: an event without marks would be its input
    for path in ("/_nodegx/flow", "/_nodegx/flow/_nodegx/resume", "/_nodegx/x/y"):
        assert post(function, f"https://api.example.com{path}", {}) == 404
    assert function.kept == []
    assert function.done == []


def test_an_answer_that_comes_while_it_runs_is_not_lost(function: DurableFunction) -> None:
    async def flow(run: Run) -> None:
        id = run.execution.id
        text = Codec({}, {}).encode({"body": 1, "query": {}, "headers": {}, "action": None})

        def answer() -> None:
            assert function.runs().answer(id, "wait!answer", text)

        await run.step(ONE, answer)
        await run.wait(WAIT, webhook={"method": "POST"})
        await run.step(TWO, function.step("two"))

    function.is_durable(flow)
    assert function.call()["status"] == "waiting"
    assert [result["status"] for result in function.deliver()] == ["success"]
    assert function.done == ["two"]


def test_a_function_without_an_address_has_no_resume_urls(
    function: DurableFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODEGX_URL")
    function.is_durable(asking(function))
    ended = function.call()
    assert (ended["status"], ended["error"]["code"]) == ("error", "wait.unsupported")


# --- work after answers ---------------------------------------------------------------------------


def answering(function: DurableFunction) -> Any:
    async def flow(run: Run) -> None:
        await run.step(ONE, function.step("one"))
        await run.respond(ANSWER, status=202, body={"soon": True})
        await run.step(TWO, function.step(f"two after {len(function.kept)}"))

    return flow


def test_work_after_an_answer_is_done_in_another_invocation(function: DurableFunction) -> None:
    function.is_continued(answering(function))
    assert function.request({"n": 1}) == (202, {"soon": True})
    assert function.done == ["one"]
    [kept] = function.kept
    assert [entry.key for entry in kept.entries] == ["one", "answer"]
    assert kept.state.replied
    assert [result["status"] for result in function.deliver()] == ["success"]
    assert function.done == ["one", "two after 1"]
    assert function.kept == []
    [record] = function.records
    assert [step.id for step in record.steps] == ["one", "answer", "two"]
    assert json.loads(record.output or "")["body"] == {"soon": True}


def test_nothing_is_kept_of_what_ends_with_its_answer(function: DurableFunction) -> None:
    async def flow(run: Run) -> None:
        await run.step(ONE, lambda: function.done.append(len(function.kept)))
        await run.respond(ANSWER, body=1)

    function.is_continued(flow)
    assert function.request() == (200, 1)
    assert function.done == [0]
    assert function.kept == []
    assert function.aws.invoked == []
    [record] = function.records
    assert (record.status, record.durable) == (Status.SUCCESS, False)


def test_what_fails_before_its_answer_is_no_dead_letter(function: DurableFunction) -> None:
    async def flow(run: Run) -> None:
        raise FatalError("the till is shut")

    function.is_continued(flow)
    assert function.request()[0] == 500
    assert function.kept == []
    [record] = function.records
    assert (record.status, record.durable) == (Status.ERROR, False)


def test_what_fails_after_its_answer_is_a_dead_letter(function: DurableFunction) -> None:
    async def flow(run: Run) -> None:
        await run.respond(ANSWER, body=1)
        await run.step(ONE, function.step("one"))
        raise FatalError("the till is shut")

    function.is_continued(flow)
    assert function.request() == (200, 1)
    assert [result["status"] for result in function.deliver()] == ["error"]
    [kept] = function.kept
    assert kept.state.status is RunStatus.FAILED
    assert "the till is shut" in (kept.state.error or "")


def test_callers_that_wait_for_the_end_get_it(function: DurableFunction) -> None:
    function.is_continued(answering(function), "http", "manual")
    ended = function.call()
    assert (ended["status"], ended["output"]) == ("success", {"soon": True})
    assert function.done == ["one", "two after 0"]


def test_durable_workflows_answer_at_once_too(function: DurableFunction) -> None:
    function.is_durable(answering(function), "http")
    assert function.request({"n": 1}) == (202, {"soon": True})
    assert function.done == ["one"]
    function.deliver()
    assert function.done == ["one", "two after 1"]


def test_a_request_whose_workflow_waits_is_told_so(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 90), "http")
    status, body = function.request()
    assert (status, body["status"]) == (202, "waiting")


# --- calls ----------------------------------------------------------------------------------------


def calling(function: DurableFunction, workflow: str, **options: Any) -> Any:
    async def flow(run: Run) -> None:
        result = await run.call(CALL, workflow, {"n": 1}, **options)
        await run.respond(ANSWER, body=result)

    return flow


def test_a_durable_callee_tells_of_its_end_later(function: DurableFunction) -> None:
    function.is_durable(calling(function, "/Child"))
    id = function.call()["execution"]
    kept = {each.state.workflow: each for each in function.kept}
    child, parent = kept["/Child"].state, kept[NAME].state
    assert (child.status, child.parent, child.parent_step) == (RunStatus.QUEUED, id, "call!answer")
    assert (child.depth, child.input) == (1, '{"n":1}')
    assert [wait.kind for wait in parent.waits] == ["call"]
    [invocation] = function.aws.invoked
    assert invocation == ("arn:child:live", resume(child.id), False)
    function.aws.events()
    outcome = {"status": "success", "output": 42, "error": None, "execution": child.id}
    assert function.runs().answer(id, "call!answer", Codec({}, {}).encode(outcome))
    assert function.resume(id)["status"] == "success"
    [record] = function.records
    assert json.loads(record.output or "")["body"] == 42


def test_a_callee_brings_its_end_to_the_version_that_waits(function: DurableFunction) -> None:
    parents = function.runs("parent")
    parents.target = "arn:parent:3"
    state = RunState("01PARENT", "/Parent", "r9", "start", "trigger.manual", "null", time.time())
    state.status, state.owner, state.fence = RunStatus.RUNNING, "parent", 1
    assert parents.create([state]) == [True]
    assert parents.change([Suspend("01PARENT", 1, (Wait("call!answer", "call"),))]) == [True]

    async def flow(run: Run) -> None:
        await run.respond(ANSWER, body={"n": run.trigger})

    function.is_durable(flow)
    called(function, 7)
    assert function.resume("01CHILD")["status"] == "success"
    [invocation] = function.aws.invoked
    assert (invocation.target, invocation.payload) == ("arn:parent:3", resume("01PARENT"))
    [kept] = function.kept
    [answer] = kept.entries
    assert Codec({}, {}).decode(answer.value) == {
        "status": "success",
        "output": {"n": 7},
        "error": None,
        "execution": "01CHILD",
    }


def called(function: DurableFunction, input: Any) -> None:
    """A caller has asked for an execution."""
    state = RunState("01CHILD", NAME, "", "", "", Codec({}, {}).encode(input), time.time())
    state.parent, state.parent_step, state.depth = "01PARENT", "call!answer", 1
    assert function.runs().create([state]) == [True]


def test_an_input_that_does_not_fit_is_the_callers_error(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0), inputs=[{"name": "n", "type": "integer"}])
    parents = function.runs("01PARENT")
    assert parents.create([RunState("01PARENT", "/P", "r", "t", "trigger.manual", "1", 1.0)])
    called(function, {"n": "many"})
    assert function.resume("01CHILD") == {"execution": "01CHILD", "status": "error"}
    kept = {each.state.id: each for each in function.kept}
    assert kept["01CHILD"].state.status is RunStatus.FAILED
    [answer] = kept["01PARENT"].entries
    outcome = Codec({}, {}).decode(answer.value)
    assert (outcome["status"], outcome["execution"]) == ("error", "01CHILD")
    assert "n" in outcome["error"]["message"]


def test_an_execution_that_is_asked_for_twice_is_made_once(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 90))
    call = {"execution": "01CHILD", "parent": "01P", "depth": 1}
    first, again = function.call(None, **call), function.call(None, **call)
    assert (first["status"], again["status"]) == ("waiting", "waiting")
    assert function.done == ["one"]
    assert len(function.kept) == 1


def test_other_callees_are_waited_for(function: DurableFunction) -> None:
    function.is_durable(calling(function, "/Plain"))
    function.aws.answer = lambda payload: {
        "status": "success",
        "output": payload["input"],
        "error": None,
        "execution": payload["nodegx"]["call"]["execution"],
    }
    ended = function.call()
    assert (ended["status"], ended["output"]) == ("success", {"n": 1})
    [invocation] = function.aws.invoked
    assert (invocation.target, invocation.waits) == ("arn:plain:live", True)


def test_a_callee_that_still_runs_is_not_called_beside_itself(
    function: DurableFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function has died while it waited for it, and the next one calls it again."""
    monkeypatch.setattr("nodegx.runtime.aws.surroundings.PAUSE", 0.05)
    function.is_durable(calling(function, "/Plain"))
    statuses = iter(["running", "running", "error"])
    asked: list[str] = []

    def recorded(execution: str) -> dict[str, Any]:
        asked.append(execution)
        return {"status": {"S": next(statuses)}, "deadline": {"N": str(time.time() + 60)}}

    monkeypatch.setattr(function.surroundings, "_recorded", recorded)
    assert function.call()["status"] == "success"
    assert len(asked) == 3
    [invocation] = function.aws.invoked
    assert invocation.payload["nodegx"]["call"]["execution"] == asked[0]


def test_calls_that_nobody_waits_for(function: DurableFunction) -> None:
    function.is_durable(calling(function, "/Plain", wait=False))
    ended = function.call()
    [invocation] = function.aws.invoked
    assert not invocation.waits
    id = invocation.payload["nodegx"]["call"]["execution"]
    assert ended["output"] == {"execution": id}


# --- crashes --------------------------------------------------------------------------------------


def orphan(function: DurableFunction, **fields: Any) -> RunState:
    """An execution whose function has died."""
    dead = function.runs("dead")
    dead.target = VERSION
    dead.beat(-10)
    values: dict[str, Any] = {
        "id": "01ORPHAN",
        "workflow": NAME,
        "revision": "r1",
        "trigger": "start",
        "trigger_type": "trigger.manual",
        "input": "null",
        "started": time.time(),
        "status": RunStatus.RUNNING,
        "owner": "dead",
        "fence": 1,
        **fields,
    }
    state = RunState(**values)
    assert dead.create([state]) == [True]
    return state


def test_a_sweep_has_orphans_go_on(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0.01), hold=5)
    orphan(function)
    orphan(function, id="01OTHER", workflow="/Other")
    assert function.sweep() == {"woken": 1}
    assert function.deliver() == [{"execution": "01ORPHAN", "status": "success"}]
    assert function.done == ["one", "two"]
    assert function.sweep() == {"woken": 0}


def test_what_kills_each_of_its_functions_is_given_up(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0))
    orphan(function)
    for number in range(6):
        dead = function.runs(f"dead-{number}")
        dead.beat(-10)
        assert dead.take("01ORPHAN", revision="r1") is not None
    assert function.resume("01ORPHAN") == {"execution": "01ORPHAN", "status": "error"}
    [kept] = function.kept
    assert kept.state.status is RunStatus.FAILED
    assert json.loads(kept.state.error or "")["code"] == "execution.poison"
    [record] = function.records
    assert record.status is Status.ERROR
    assert function.done == []


def test_code_that_is_gone_makes_dead_letters(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0))
    orphan(function)
    function.aws.gone = {VERSION}
    function.sweep()
    [kept] = function.kept
    assert kept.state.status is RunStatus.FAILED
    assert json.loads(kept.state.error or "")["code"] == "version.missing"


def test_other_code_leaves_it_alone(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0))
    orphan(function, revision="r0")
    assert function.resume("01ORPHAN")["status"] is None
    assert function.done == []


def test_what_cannot_be_read_any_more_is_a_dead_letter(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0))
    orphan(function, input='{"$":["record","nodegx.runtime.gone:Thing",[1]]}')
    assert function.resume("01ORPHAN")["status"] == "error"
    [kept] = function.kept
    assert json.loads(kept.state.error or "")["code"] == "journal.value"


def test_an_execution_that_has_more_time_than_its_function_goes_on_in_another(
    function: DurableFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodegx.runtime.aws.passes.SHARE", 0.01)  # of half a minute

    async def flow(run: Run) -> None:
        for number in range(4):
            await run.step(Node(f"p{number}", "data.set"), asyncio.sleep, 0.3)
            await run.step(Node(f"s{number}", "data.set"), function.step(f"s{number}"))

    function.is_durable(flow, timeout=None)
    assert function.call()["status"] == "waiting"
    assert len(function.done) < 4
    assert function.deliver()[-1]["status"] == "success"
    assert function.done == ["s0", "s1", "s2", "s3"]


def test_one_that_has_not_is_stopped_by_its_own_limit(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0.01), timeout=20)
    assert function.call()["status"] == "waiting"

    async def flow(run: Run) -> None:
        await run.step(ONE, asyncio.sleep, 60)

    function.is_durable(flow, timeout=0.2)
    assert function.call()["status"] == "timeout"


# --- people ---------------------------------------------------------------------------------------


def test_a_running_execution_is_cancelled_when_it_next_writes(function: DurableFunction) -> None:
    async def flow(run: Run) -> None:
        assert function.runs().request_cancel(run.execution.id, "enough", {"by": "me"})
        await run.step(ONE, function.step("one"))
        await run.step(TWO, function.step("two"))

    function.is_durable(flow)
    assert function.call()["status"] == "cancelled"
    assert function.done == ["one"]
    assert function.kept == []


def test_what_is_queued_begins(function: DurableFunction) -> None:
    function.is_durable(pausing(function, 0))
    state = RunState("01Q", NAME, "r0", "start", "trigger.manual", "null", time.time())
    assert function.runs().create([state]) == [True]
    assert function.sweep() == {"woken": 0}  # it is not late yet
    assert function.resume("01Q")["status"] == "success"
    [record] = function.records
    assert (record.id, record.revision) == ("01Q", "r1")


def test_what_is_not_durable_begins_anew_from_the_queue(function: DurableFunction) -> None:
    function.is_continued(answering(function))
    state = RunState("01Q", NAME, "r1", "web", "trigger.webhook", '"x"', time.time(), durable=False)
    assert function.runs().create([state]) == [True]
    assert function.resume("01Q")["status"] == "success"
    assert function.kept == []


def test_dead_letters_go_in_time(
    function: DurableFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    function.is_durable(pausing(function, 0))
    orphan(function)
    runs = function.runs()
    assert runs.claim_one("01ORPHAN", statuses=[RunStatus.RUNNING]) is not None
    assert runs.change([Fail("01ORPHAN", 2, "{}")]) == [True]
    function.sweep()
    assert len(function.kept) == 1
    monkeypatch.setattr("nodegx.runtime.aws.resuming.DAY", 0.0)
    monkeypatch.setattr("nodegx.runtime.aws.resuming.HOUR", 0.0)
    function.sweep()
    assert function.kept == []


# --- events ---------------------------------------------------------------------------------------


def test_what_was_taken_over_need_not_come_again(function: DurableFunction) -> None:
    async def flow(run: Run) -> None:
        raise FatalError("the till is shut")

    flows = workflow(NAME, durable=True)(flow)
    handler = durable(queue(flows, "messages"))
    answer = handler(queue_event({"n": 1}, {"n": 2}), None)
    assert answer == {"batchItemFailures": []}
    assert {kept.state.status for kept in function.kept} == {RunStatus.FAILED}
    assert len(function.kept) == 2


def test_without_a_table_it_does_not_start(
    function: DurableFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODEGX_RUNS_TABLE")
    with pytest.raises(NodegxError, match="NODEGX_RUNS_TABLE"):
        function.is_durable(pausing(function, 0))
