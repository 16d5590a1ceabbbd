"""Adapters, with workflows written by hand and a history in memory."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from nodegx.runtime import Node, Run, Workflow, workflow
from nodegx.runtime.aws import adapter as adapters
from nodegx.runtime.aws import http as http_module
from nodegx.runtime.aws.adapter import Handler, Process
from nodegx.runtime.aws.entry import (
    bound,
    event,
    file,
    http,
    manual,
    queue,
    record,
    request,
    schedule,
)
from nodegx.runtime.errors import NodegxError, RetriableError
from nodegx.runtime.history.record import ExecutionRecord, Status

from tests.support.lambda_events import (
    bucket_event,
    bus_event,
    call_event,
    http_event,
    queue_event,
    schedule_event,
    stream_event,
)

ANSWER = Node("answer", "cloud.response")
WORK = Node("work", "data.set")
Body = Callable[[Run], Awaitable[None]]


class Context:
    """What Lambda says about an invocation."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

    def __init__(self, seconds: float = 30.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class Memory:
    """A history that keeps copies of what it is told."""

    def __init__(self) -> None:
        self.starts: list[ExecutionRecord] = []
        self.ends: list[ExecutionRecord] = []
        self.refuse = False

    async def started(self, record: ExecutionRecord) -> None:
        if self.refuse:
            raise RetriableError("no history", code="history.unavailable")
        self.starts.append(replace(record))

    async def finished(self, record: ExecutionRecord) -> None:
        self.ends.append(replace(record))


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """A function's process of its own."""
    monkeypatch.setenv("NODEGX_SOURCES", json.dumps({"b": "arn:aws:sqs:eu-central-1:1:b"}))
    monkeypatch.setenv("NODEGX_REVISION", "r7")
    monkeypatch.setattr(adapters.Process, "_only", None)
    found = Process.get()
    found.host.history = Memory()
    yield found
    found.loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def memory(process: Process) -> Memory:
    history = process.host.history
    assert isinstance(history, Memory)
    return history


def flow(body: Body, **settings: Any) -> Workflow:
    return workflow("/#__cloud__/Test", **settings)(body)


def invoke(handler: Handler, payload: Any, seconds: float = 30.0) -> Any:
    return handler(payload, Context(seconds))


async def echo(run: Run) -> None:
    """Answers with the trigger's value."""
    value = run.trigger
    plain = value._asdict() if hasattr(value, "_asdict") else value
    await run.respond(ANSWER, status=200, body=plain)


async def fail(run: Run) -> None:
    raise RetriableError("the till is shut", code="till")


# --- HTTP -----------------------------------------------------------------------------------------


def test_a_request_is_answered(memory: Memory) -> None:
    handler = http(flow(echo), "start", {"method": "POST", "path": "/orders/{id}"})
    given = http_event(
        path="/orders/a%2Fb",
        body={"total": 5},
        query="a=1&a=2&b=%C3%A9",
        headers={"x-kind": "test"},
        cookies=("one=1", "two=2"),
    )
    answer = invoke(handler, given)
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    value = json.loads(answer["body"])
    assert value["params"] == {"id": "a/b"}
    assert value["query"] == {"a": ["1", "2"], "b": "é"}
    assert value["headers"]["cookie"] == "one=1; two=2"
    assert (value["body"], value["client"]) == ({"total": 5}, "192.0.2.7")
    assert value["url"].startswith("https://abc.execute-api.eu-central-1.amazonaws.com/orders/")
    (end,) = memory.ends
    assert (end.status, end.trigger, end.revision) == (Status.SUCCESS, "start", "r7")


def test_bodies_come_as_base64_or_without_their_length(memory: Memory) -> None:
    handler = http(flow(echo), "start", {"path": "/orders", "bodyType": "raw"})
    answer = invoke(handler, http_event(body=b"\x00\xff"))
    assert json.loads(answer["body"])["body"] == base64.b64encode(b"\x00\xff").decode()
    small = http(flow(echo), "start", {"path": "/orders", "maxBodyBytes": 3})
    assert invoke(small, http_event(body="abcd"))["statusCode"] == 413
    assert invoke(small, http_event())["statusCode"] == 200


def test_answers_keep_cookies_bytes_and_characters(memory: Memory) -> None:
    async def body(run: Run) -> None:
        headers = {"Set-Cookie": ["a=1", "b=2"], "X-Name": "Zoë"}
        await run.respond(ANSWER, status=201, headers=headers, body=b"\x00\xff")

    answer = invoke(http(flow(body), "start", {"path": "/orders"}), http_event())
    assert answer["cookies"] == ["a=1", "b=2"]
    assert answer["headers"]["x-name"] == "Zoë"
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == b"\x00\xff"


def test_what_follows_the_answer_is_done_before_the_function_returns(memory: Memory) -> None:
    async def body(run: Run) -> None:
        await run.respond(ANSWER, status=202, body="soon")
        await asyncio.sleep(0.05)
        await run.step(WORK, lambda: 1)

    answer = invoke(http(flow(body), "start", {"path": "/orders"}), http_event())
    assert (answer["statusCode"], answer["body"]) == (202, "soon")
    assert [step.node for step in memory.ends[0].steps] == ["answer", "work"]


def test_workflows_without_an_answer_are_accepted(memory: Memory) -> None:
    async def body(run: Run) -> None:
        await asyncio.sleep(0)

    handler = http(flow(body), "start", {"path": "/orders"}, responds=False)
    answer = invoke(handler, http_event())
    assert answer["statusCode"] == 202
    assert json.loads(answer["body"]) == {"executionId": memory.ends[0].id}


def test_failures_are_problems_without_internals(memory: Memory) -> None:
    answer = invoke(http(flow(fail), "start", {"path": "/orders"}), http_event())
    assert answer["statusCode"] == 500
    assert answer["isBase64Encoded"] is False
    assert "till" not in answer["body"]
    assert memory.ends[0].status == Status.ERROR
    memory.refuse = True
    assert invoke(http(flow(echo), "start", {"path": "/orders"}), http_event())["statusCode"] == 500


def test_an_answer_that_lambda_would_refuse_is_a_problem(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(run: Run) -> None:
        await run.respond(ANSWER, status=200, body="x" * 100)

    monkeypatch.setattr(http_module, "MAX_RESPONSE", 50)
    answer = invoke(http(flow(body), "start", {"path": "/orders"}), http_event())
    assert answer["statusCode"] == 500
    assert "too large" in answer["body"]


def test_declared_parameters_of_functions_are_checked(memory: Memory) -> None:
    config = {"parameters": [{"name": "n", "type": "integer", "required": True}]}
    handler = request(flow(echo), "start", config)
    answer = invoke(handler, http_event(path="/functions/Test", body={"n": "3"}))
    assert json.loads(answer["body"])["parameters"] == {"n": 3}
    assert invoke(handler, http_event(path="/functions/Test", body={}))["statusCode"] == 400


def test_several_paths_are_told_apart_and_share_preflights(memory: Memory) -> None:
    cors = {"origins": ["https://shop.example"]}
    both = flow(echo)
    handler = bound(
        http(both, "read", {"method": "GET", "path": "/orders/{id}", "cors": cors}),
        http(both, "write", {"method": "PUT", "path": "/orders/{id}", "cors": cors}),
    )
    for method, node in (("GET", "read"), ("PUT", "write")):
        given = http_event(method, "/orders/7", route=f"{method} /orders/{{id}}")
        assert invoke(handler, given)["statusCode"] == 200
        assert memory.ends[-1].trigger == node
        preflight = http_event(
            "OPTIONS",
            "/orders/7",
            route="OPTIONS /orders/{proxy+}",
            headers={
                "origin": "https://shop.example",
                "access-control-request-method": method,
            },
        )
        allowed = invoke(handler, preflight)
        assert allowed["statusCode"] == 204
        assert allowed["headers"]["access-control-allow-methods"] == method
    assert invoke(handler, http_event("DELETE", "/orders/7"))["statusCode"] == 405


# --- time ------------------------------------------------------------------------------------------


def test_a_run_ends_before_the_functions_time_is_up(memory: Memory) -> None:
    async def body(run: Run) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(60)

    answer = invoke(http(flow(body), "start", {"path": "/orders"}), http_event(), seconds=0.6)
    assert answer["statusCode"] == 504
    (end,) = memory.ends
    assert end.status == Status.TIMEOUT
    assert end.finished is not None
    assert end.finished - end.started < 0.5


def test_the_workflows_own_limit_comes_first(memory: Memory) -> None:
    async def body(run: Run) -> None:
        await asyncio.sleep(60)

    limited = flow(body, timeout=0.05)
    with pytest.raises(NodegxError, match=r"took longer than 0\.05 s"):
        invoke(schedule(limited, "nightly"), schedule_event("nightly"))


# --- single events ---------------------------------------------------------------------------------


def test_schedules_tell_the_time_of_their_zone(memory: Memory) -> None:
    handler = schedule(flow(echo), "nightly", {"timezone": "Europe/Berlin"})
    result = invoke(handler, schedule_event("nightly"))
    assert result == {"execution": memory.ends[0].id}
    value = json.loads(memory.ends[0].input or "")
    assert value["scheduled"] == "2026-01-01T07:00:00+01:00"
    assert value["time"][-6:] in ("+01:00", "+02:00")


def test_events_of_the_bus_and_of_others(memory: Memory) -> None:
    handler = event(flow(echo), "heard", {"event": "order.*"})
    invoke(handler, bus_event("order.created", {"id": 1}))
    value = json.loads(memory.ends[0].input or "")
    assert (value["name"], value["data"], value["id"]) == ("order.created", {"id": 1}, "01EVENT")
    assert value["source"] == "01RUN"

    foreign = event(flow(echo), "heard")
    invoke(foreign, bus_event("EC2 State Change", {"state": "stopped"}, source="aws.ec2"))
    value = json.loads(memory.ends[1].input or "")
    assert (value["name"], value["source"]) == ("EC2 State Change", "aws.ec2")


def test_a_filter_leaves_events_out(memory: Memory) -> None:
    only_gold = {"event": "order.*", "filter": [{"path": "tier", "value": "gold"}]}
    handler = event(flow(echo), "heard", only_gold)
    assert invoke(handler, bus_event("order.created", {"tier": "tin"})) == {"execution": None}
    assert invoke(handler, bus_event("order.created", {"tier": "gold"}))["execution"]
    assert len(memory.ends) == 1


def test_a_failed_run_fails_the_invocation(memory: Memory) -> None:
    with pytest.raises(NodegxError, match="Test failed: the till is shut") as caught:
        invoke(schedule(flow(fail), "nightly"), schedule_event("nightly"))
    assert caught.value.code == "till"
    assert caught.value.retriable
    assert caught.value.details == {"execution": memory.ends[0].id}


# --- batches ---------------------------------------------------------------------------------------


async def picky(run: Run) -> None:
    """Fails for what is marked as bad."""
    value: Any = run.trigger
    content: Any = value.body if hasattr(value, "body") else value.new or {}
    if content.get("bad"):
        raise RetriableError("bad")


def failures(answer: Any) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_messages_fail_one_by_one(memory: Memory) -> None:
    handler = queue(flow(picky), "orders", {"queue": "orders"})
    answer = invoke(handler, queue_event({"n": 0}, {"bad": True}, {"n": 2}))
    assert failures(answer) == ["m1"]
    assert len(memory.ends) == 3
    value = json.loads(memory.ends[0].input or "")
    assert value == {"body": {"n": 0}, "id": "m0", "attributes": {"kind": "test"}, "attempt": 2}
    assert failures(invoke(handler, queue_event({"n": 1}))) == []


def test_messages_that_are_no_json_are_text(memory: Memory) -> None:
    invoke(queue(flow(echo), "orders"), queue_event("{half", '"text"'))
    bodies = {json.loads(end.input or "")["body"] for end in memory.ends}
    assert bodies == {"{half", "text"}


def test_messages_of_a_group_keep_their_order(memory: Memory) -> None:
    handler = queue(flow(picky), "orders")
    first = queue_event({"n": 0}, {"bad": True}, {"n": 2}, group="a")
    other = queue_event({"n": 3}, group="b")
    other["Records"][0]["messageId"] = "m3"
    answer = invoke(handler, {"Records": [*first["Records"], *other["Records"]]})
    assert failures(answer) == ["m1", "m2"]
    assert len(memory.ends) == 3


def test_changes_behind_a_failed_one_wait(memory: Memory) -> None:
    good, bad = {"n": {"N": "1.5"}}, {"bad": {"BOOL": True}}
    changes = stream_event(
        {"event": "INSERT", "new": good},
        {"event": "MODIFY", "new": bad, "old": good},
        {"event": "REMOVE", "old": good},
    )
    assert failures(invoke(record(flow(picky), "changes"), changes)) == ["1", "2"]
    value = json.loads(memory.ends[0].input or "")
    assert value == {"event": "insert", "keys": {"id": "r0"}, "new": {"n": 1.5}, "old": None}


def test_changes_are_filtered(memory: Memory) -> None:
    config = {"events": ["insert", "modify"], "filter": [{"path": "new.status", "value": "paid"}]}
    paid, due = {"status": {"S": "paid"}}, {"status": {"S": "due"}}
    changes = stream_event(
        {"event": "INSERT", "new": due},
        {"event": "MODIFY", "new": paid, "old": due},
        {"event": "REMOVE", "old": paid},
    )
    assert failures(invoke(record(flow(echo), "changes", config), changes)) == []
    assert [json.loads(end.input or "")["event"] for end in memory.ends] == ["modify"]


def test_files(memory: Memory) -> None:
    handler = file(flow(echo), "upload", {"events": "created"})
    invoke(handler, bucket_event("in/caf%C3%A9+menu.csv"))
    value = json.loads(memory.ends[0].input or "")
    assert value == {
        "bucket": "shop-test-uploads",
        "key": "in/café menu.csv",
        "size": 1024,
        "event": "created",
        "etag": "d41d8cd98f00b204e9800998ecf8427e",
    }
    invoke(handler, bucket_event("gone.csv", name="ObjectRemoved:Delete"))
    assert len(memory.ends) == 1
    both = file(flow(echo), "upload", {"events": ["created", "removed"]})
    invoke(both, bucket_event("gone.csv", name="ObjectRemoved:DeleteMarkerCreated"))
    assert json.loads(memory.ends[1].input or "")["event"] == "removed"
    with pytest.raises(NodegxError, match="failed for 1 of 1 records"):
        invoke(file(flow(fail), "upload"), bucket_event("a"))


def test_a_record_that_cannot_be_put_on_record_comes_again(memory: Memory) -> None:
    memory.refuse = True
    assert failures(invoke(queue(flow(echo), "orders"), queue_event({}, {}))) == ["m0", "m1"]


# --- direct invocations ----------------------------------------------------------------------------


def test_a_call_returns_the_answers_body(memory: Memory) -> None:
    handler = manual(flow(echo), "start", {"inputs": [{"name": "n", "type": "integer"}]})
    call = call_event({"n": "3"}, execution="01CALLED", parent="01CALLER", depth=2)
    expected = {"status": "success", "output": {"n": 3}, "error": None, "execution": "01CALLED"}
    assert invoke(handler, call) == expected
    assert (memory.ends[0].id, memory.ends[0].parent) == ("01CALLED", "01CALLER")
    assert invoke(handler, {"n": 4})["output"] == {"n": 4}


def test_a_call_that_fails_says_so(memory: Memory) -> None:
    answer = invoke(manual(flow(fail), "start"), call_event(None))
    assert answer["status"] == "error"
    assert (answer["error"]["code"], answer["error"]["category"]) == ("till", "retriable")
    declared = manual(flow(echo), "start", {"inputs": [{"name": "n", "required": True}]})
    refused = invoke(declared, call_event({}))
    assert (refused["status"], refused["execution"]) == ("error", None)
    assert refused["error"]["code"] == "input"
    assert refused["error"]["details"] == [{"input": "n", "message": "is required"}]


def test_every_trigger_can_be_started_by_hand(memory: Memory) -> None:
    handler = http(flow(echo), "order", {"method": "POST", "path": "/orders"})
    answer = invoke(handler, call_event({"total": 5}, trigger="order"))
    assert answer["output"]["body"] == {"total": 5}
    assert memory.ends[0].trigger == "order"
    with pytest.raises(NodegxError, match=r"has no trigger\.manual to call"):
        invoke(handler, call_event({"total": 5}))


def test_output_that_is_no_json_becomes_json(memory: Memory) -> None:
    async def body(run: Run) -> None:
        await run.respond(ANSWER, body={"raw": b"\x00", "odd": object()})

    output = invoke(manual(flow(body), "start"), call_event(None))["output"]
    json.dumps(output)


# --- several triggers ------------------------------------------------------------------------------


def test_triggers_are_told_apart_by_marks_only(memory: Memory) -> None:
    each = flow(echo)
    handler = bound(
        http(each, "web", {"path": "/orders"}),
        schedule(each, "nightly"),
        schedule(each, "hourly"),
        event(each, "heard", {"event": "done"}),
        queue(each, "b", {"queue": "b"}),
        queue(each, "orders", {"queue": "orders"}),
        record(each, "changes"),
        file(each, "upload"),
        manual(each, "start"),
    )
    for payload, node in (
        (http_event(), "web"),
        (schedule_event("hourly"), "hourly"),
        (schedule_event("nightly"), "nightly"),
        (bus_event("done", 1), "heard"),
        (queue_event({}), "orders"),
        (queue_event({}, queue="b"), "orders"),  # of another account
        (stream_event({"event": "INSERT", "new": {}}), "changes"),
        (bucket_event("a"), "upload"),
        (bucket_event("a", rule="test.upload"), "upload"),
        (call_event(1), "start"),
        (call_event({}, trigger="web"), "web"),
    ):
        invoke(handler, payload)
        assert memory.ends[-1].trigger == node
    mine = queue_event({})
    mine["Records"][0]["eventSourceARN"] = "arn:aws:sqs:eu-central-1:1:b"
    invoke(handler, mine)
    assert memory.ends[-1].trigger == "b"


@pytest.mark.parametrize(
    "payload",
    [{}, {"a": 1}, {"nodegx": {"trigger": "nobody"}}, {"Records": []}, bucket_event("a", rule="x")],
)
def test_foreign_events_are_refused(memory: Memory, payload: Any) -> None:
    each = flow(echo)
    handler = bound(http(each, "web", {"path": "/orders"}), file(each, "upload"))
    with pytest.raises(NodegxError, match="No trigger takes this event"):
        invoke(handler, payload)
    with pytest.raises(NodegxError, match="must be an object"):
        invoke(handler, [payload])


def test_a_mark_for_somebody_else_is_refused(memory: Memory) -> None:
    with pytest.raises(NodegxError, match="There is no trigger nightly here"):
        invoke(schedule(flow(echo), "hourly"), schedule_event("nightly"))


def test_log_lines_name_the_invocation(memory: Memory, capsys: pytest.CaptureFixture[str]) -> None:
    invoke(manual(flow(echo), "start"), call_event(1))
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert line["requestId"] == Context.aws_request_id
    assert line["execution"] == memory.ends[0].id
