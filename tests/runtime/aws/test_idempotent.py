"""Functions that tell repeats, with keys in a table on moto."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from time import time
from typing import Any

import pytest
from nodegx.runtime import Node, Run, Workflow, workflow
from nodegx.runtime.aws import adapter as adapters
from nodegx.runtime.aws import entry, idempotent
from nodegx.runtime.aws.adapter import Handler, Process
from nodegx.runtime.aws.entry import bound
from nodegx.runtime.aws.idempotent import once
from nodegx.runtime.errors import NodegxError, RetriableError
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.idempotency.dynamodb import DynamoKeys
from nodegx.runtime.idempotency.keys import fingerprint, place
from nodegx.runtime.idempotency.store import Claim, Held, Settlement
from nodegx.runtime.triggers.request import Incoming

from tests.support.lambda_events import bus_event, call_event, http_event, queue_event
from tests.support.moto import Moto

pytestmark = pytest.mark.slow

ANSWER = Node("answer", "cloud.response")
KEY = {"idempotency-key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
NAME = "/#__cloud__/Test"


def http(*given: Any) -> Handler:
    return once(entry.http(*given))


def queue(*given: Any) -> Handler:
    return once(entry.queue(*given))


def event(*given: Any) -> Any:
    return once(entry.event(*given))


def manual(*given: Any) -> Any:
    return once(entry.manual(*given))


class Context:
    """What Lambda says about an invocation."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

    def __init__(self, seconds: float = 30.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def table(moto: Moto) -> Iterator[DynamoKeys]:
    """The keys as another process sees them."""
    name = f"k-{os.urandom(6).hex()}"
    moto.client("dynamodb").call("CreateTable", table_definition(name))
    yield DynamoKeys(name, dynamodb=moto.client("dynamodb"))
    moto.client("dynamodb").call("DeleteTable", {"TableName": name})


@pytest.fixture
def process(
    table: DynamoKeys, moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Process]]:
    """Makes a function's processes, each of which forgets the one before."""
    for name, value in {**moto.environment, "NODEGX_KEYS_TABLE": table._table}.items():
        monkeypatch.setenv(name, value)
    made: list[Process] = []

    def make() -> Process:
        monkeypatch.setattr(adapters.Process, "_only", None)
        made.append(Process.get())
        return made[-1]

    make()
    yield make
    for each in made:
        each.loop.close()
    asyncio.set_event_loop(None)


class Flow:
    """A workflow that counts its runs, and answers with the number."""

    def __init__(self, body: Callable[[Run, int], Awaitable[None]] | None = None) -> None:
        self.runs: list[str] = []
        self.body = body

    def __call__(self, key: Callable[[Any], Any] | None = None, **settings: Any) -> Workflow:
        async def handler(run: Run) -> None:
            self.runs.append(run.execution.id)
            if self.body is not None:
                await self.body(run, len(self.runs))
            await run.respond(ANSWER, status=201, body={"run": len(self.runs)})

        keys = {} if key is None else {"start": key}
        return workflow(NAME, keys=keys, **settings)(handler)


def invoke(handler: Handler, payload: Any, seconds: float = 30.0) -> Any:
    return handler(payload, Context(seconds))


def shown(answer: Any) -> tuple[int, Any]:
    return answer["statusCode"], json.loads(answer["body"])


# --- HTTP -----------------------------------------------------------------------------------------

REPEATS = {"path": "/orders", "idempotency": {"onRepeat": "wait"}}


def test_a_repeat_is_answered_by_any_process(process: Any) -> None:
    flow = Flow()
    answers = [
        invoke(http(flow(), "start", REPEATS), http_event(body={"id": 1}, headers=KEY))
        for _ in range(2)
        if process()
    ]
    assert [shown(each) for each in answers] == [(201, {"run": 1})] * 2
    assert answers[1]["headers"]["idempotency-replayed"] == "true"
    other = invoke(http(flow(), "start", REPEATS), http_event(body={"id": 2}, headers=KEY))
    assert other["statusCode"] == 422


def test_the_end_of_an_invocation_frees_its_keys(process: Any, table: DynamoKeys) -> None:
    flow = Flow()
    request = http_event(body={"id": 1}, headers=KEY)
    handler = http(flow(), "start", REPEATS)
    invoke(handler, request)
    [execution] = flow.runs
    key = place(NAME, "start", "", KEY["idempotency-key"].strip('"'))
    held = table.find(key, now=time())
    assert held is not None
    assert held.done
    # The same, as if that process had been stopped in the middle of it.
    table._dynamodb.call(
        "UpdateItem",
        {
            "TableName": table._table,
            "Key": {"pk": {"S": f"K#{key}"}},
            "UpdateExpression": "REMOVE #d, answer",
            "ExpressionAttributeNames": {"#d": "done"},
        },
    )
    held = table.find(key, now=time())
    assert held is not None
    assert (held.execution, held.done, held.dead) == (execution, False, False)
    late = table.find(key, now=time() + 30 + idempotent.LATE)
    assert late is not None
    assert late.dead
    refused = invoke(handler, request, seconds=1.5)
    assert refused["statusCode"] == 409, "it waits no longer than it can still answer"
    assert refused["headers"]["retry-after"] == "1"
    assert len(flow.runs) == 1


def test_a_dead_invocation_is_repeated(process: Any, table: DynamoKeys) -> None:
    flow = Flow()
    key = place(NAME, "start", "", KEY["idempotency-key"].strip('"'))
    table.claim([Claim(key, "dead", "", time() + 60, until=time() - 1)], now=time() - 2)
    answer = invoke(http(flow(), "start", REPEATS), http_event(body=1, headers=KEY))
    assert shown(answer) == (201, {"run": 1})


@pytest.mark.parametrize(
    ("status", "code"), [("waiting", 202), ("running", 202), ("success", 409), ("failed", 201)]
)
def test_what_goes_on_in_other_invocations_is_asked_for(
    process: Any, table: DynamoKeys, status: str, code: int
) -> None:
    key = place(NAME, "start", "", KEY["idempotency-key"].strip('"'))
    same = Incoming("POST", "/orders", {}, "")
    same.raw = b"1"
    claim = Claim(key, "x", fingerprint(same, 1), time() + 60, until=time() - 1)
    table.claim([claim], now=time() - 2)
    asked: list[str] = []

    async def status_of(execution: str) -> str:
        asked.append(execution)
        return status

    process().host.status_of = status_of
    handler = http(Flow()(), "start", REPEATS)
    first = invoke(handler, http_event(body=1, headers=KEY))
    assert asked == ["x"]
    assert first["statusCode"] == code
    if code == 202:
        assert json.loads(first["body"]) == {"executionId": "x", "status": "running"}


def test_without_a_table_repeats_cannot_be_told(
    process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODEGX_KEYS_TABLE")
    process()
    flow = Flow()
    answer = invoke(http(flow(), "start", REPEATS), http_event(body=1, headers=KEY))
    assert answer["statusCode"] == 501
    assert not flow.runs


# --- queues and events ----------------------------------------------------------------------------


def by_id(message: Any) -> Any:
    return message.body["id"]


def failures(answer: Any) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_a_message_that_was_done_is_acknowledged(process: Any) -> None:
    flow = Flow()
    handler = queue(flow(by_id), "start", {"idempotency": {}})
    assert failures(invoke(handler, queue_event({"id": 1}, {"id": 2}))) == []
    assert failures(invoke(handler, queue_event({"id": 2}, {"id": 3}, {"id": 3}))) == []
    assert len(flow.runs) == 3


def test_a_message_that_failed_may_come_again(process: Any) -> None:
    async def fails_first(run: Run, count: int) -> None:
        if count == 1:
            raise RetriableError("the till is shut")

    flow = Flow(fails_first)
    handler = queue(flow(by_id), "start", {"idempotency": {}})
    outcomes = [failures(invoke(handler, queue_event({"id": 1}))) for _ in range(3)]
    assert outcomes == [["m0"], [], []]
    assert len(flow.runs) == 2


def test_a_message_that_is_under_way_comes_again(process: Any, table: DynamoKeys) -> None:
    """If it were acknowledged and what is under way failed, it would be lost."""
    flow = Flow()
    key = place(NAME, "start", "1")
    table.claim([Claim(key, "other", "", time() + 60, until=time() + 60)], now=time())
    handler = queue(flow(by_id), "start", {"idempotency": {"onRepeat": "conflict"}})
    assert failures(invoke(handler, queue_event({"id": 1}, {"id": 2}))) == ["m0"]
    table.settle([Settlement(key, "other", None)])
    assert failures(invoke(handler, queue_event({"id": 1}))) == []
    assert len(flow.runs) == 1


def test_a_message_without_a_key_is_not_lost(
    process: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = Flow()
    handler = queue(flow(by_id), "start", {"idempotency": {}})
    assert failures(invoke(handler, queue_event({}, {}))) == []
    assert len(flow.runs) == 2
    assert "no idempotency key" in capsys.readouterr().err


def test_an_event_starts_it_once(process: Any, table: DynamoKeys) -> None:
    flow = Flow()
    handler = event(flow(lambda found: found.data["id"]), "start", {"idempotency": {}})
    ends = [
        invoke(handler, bus_event("paid", {"id": number}, trigger="start")) for number in (1, 1, 2)
    ]
    assert [each["execution"] for each in ends] == [flow.runs[0], flow.runs[0], flow.runs[1]]
    key = place(NAME, "start", "3")
    table.claim([Claim(key, "other", "", time() + 60, until=time() + 60)], now=time())
    with pytest.raises(NodegxError, match="is under way"):  # so that Lambda tries again
        invoke(handler, bus_event("paid", {"id": 3}, trigger="start"), seconds=1.2)


# --- calls ----------------------------------------------------------------------------------------


def test_a_call_gets_the_first_ones_answer(process: Any, table: DynamoKeys) -> None:
    flow = Flow()
    handler = manual(flow(lambda start: start["id"]), "start", {"idempotency": {}})
    first, again = (invoke(handler, call_event({"id": 1})) for _ in range(2))
    assert again == first
    assert first["output"] == {"run": 1}
    nameless = invoke(handler, call_event({}))
    assert nameless["error"]["code"] == "idempotency.key"
    key = place(NAME, "start", "2")
    table.claim([Claim(key, "other", "", time() + 60, until=time() + 60)], now=time())
    under_way = invoke(handler, call_event({"id": 2}), seconds=1.2)
    assert under_way["error"]["code"] == "idempotency.conflict"
    assert under_way["error"]["details"] == {"execution": "other"}
    table.settle([Settlement(key, "other", None)])
    assert invoke(handler, call_event({"id": 2}))["error"]["code"] == "idempotency.lost"
    assert len(flow.runs) == 1


def test_an_invocation_that_lambda_repeats_keeps_its_execution(
    process: Any, table: DynamoKeys
) -> None:
    flow = Flow()
    key = place(NAME, "start", "1")
    table.claim([Claim(key, "x", "", time() + 60, until=time() + 60)], now=time())
    handler = manual(flow(lambda start: start["id"]), "start", {"idempotency": {}})
    call = {"nodegx": {"call": {"execution": "x"}}, "input": {"id": 1}}
    assert invoke(handler, call)["execution"] == "x"
    assert flow.runs == ["x"]
    assert table.find(key, now=time()) == Held("x", "", True, ANY_ANSWER)


class _Any:
    def __eq__(self, other: object) -> bool:
        return other is not None

    __hash__ = None  # type: ignore[assignment]


ANY_ANSWER: Any = _Any()


def test_triggers_of_one_workflow_have_keys_of_their_own(process: Any) -> None:
    flow = Flow()
    made = flow(lambda found: "the same")
    made.keys = {"a": made.keys["start"], "b": made.keys["start"]}
    handler = bound(manual(made, "a", {"idempotency": {}}), event(made, "b", {"idempotency": {}}))
    for _ in range(2):
        invoke(handler, call_event({}))
        invoke(handler, bus_event("paid", {}, trigger="b"))
    assert len(flow.runs) == 2
