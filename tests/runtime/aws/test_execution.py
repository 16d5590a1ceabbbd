"""When a function's executions are written, in moto's DynamoDB."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime import Node, Run, Workflow, workflow
from nodegx.runtime.aws import adapter as adapters
from nodegx.runtime.aws import client as clients
from nodegx.runtime.aws.adapter import Process
from nodegx.runtime.aws.client import AwsClient, AwsError
from nodegx.runtime.aws.entry import http, manual, queue, schedule
from nodegx.runtime.aws.notes import left_behind
from nodegx.runtime.catalog import CATALOG
from nodegx.runtime.errors import NodegxError, RetriableError
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.history.record import Status
from nodegx.runtime.history.store import Query
from nodegx.runtime.steps import _HARMLESS

from tests.support.lambda_events import call_event, http_event, queue_event, schedule_event
from tests.support.moto import Moto

COMPUTE = Node("compute", "data.set")
ACT = Node("act", "code.python")
ANSWER = Node("answer", "cloud.response")


class Function:
    """A function's process, and what it asks DynamoDB for."""

    def __init__(self, process: Process, history: DynamoHistory) -> None:
        self.process = process
        self.history = history
        self.calls: list[str] = []
        self.away = False

    @property
    def notes(self) -> list[str]:
        """Ids of executions that would be found if the process were killed now."""
        return [each.id for each in left_behind(self.process.host.environment.notes)]

    def statuses(self) -> list[Status]:
        """How its executions stand."""
        return [each.status for each in self.history.list(Query()).records]

    def warm_up(self) -> None:
        """Two invocations, of which nothing counts."""
        handler = http(workflow("/Warm")(answering), "start", {"path": "/"})
        for _ in range(2):
            assert handler(http_event(path="/"), None)["statusCode"] == 200
        self.history.delete([each.id for each in self.history.list(Query()).records])
        self.calls.clear()


async def answering(run: Run) -> None:
    value = await run.step(COMPUTE, lambda: {"n": 1})
    await run.respond(ANSWER, status=200, body=value)


@pytest.fixture
def function(moto: Moto, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Function]:
    name = f"x-{os.urandom(6).hex()}"
    moto.client("dynamodb").call("CreateTable", table_definition(name))
    variables = {"NODEGX_HISTORY_TABLE": name, "TMPDIR": str(tmp_path)}
    for key, value in {**moto.environment, **variables}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(adapters.Process, "_only", None)
    monkeypatch.setattr(clients, "BASE_DELAY", 0.001)
    history = DynamoHistory(name, dynamodb=moto.client("dynamodb"))
    found = Function(Process.get(), history)
    begin = AwsClient.begin

    def seen(client: AwsClient, operation: str, payload: Any) -> Any:
        if client is not history.dynamodb:
            found.calls.append(operation)
            if found.away:
                raise AwsError("dynamodb", "InternalServerError", "away", 500)
        return begin(client, operation, payload)

    monkeypatch.setattr(AwsClient, "begin", seen)
    yield found
    found.process.loop.close()
    asyncio.set_event_loop(None)


def test_what_only_computes_is_written_once(function: Function) -> None:
    function.warm_up()
    noted: list[list[str]] = []

    async def body(run: Run) -> None:
        await run.step(COMPUTE, lambda: noted.append(function.notes))
        await answering(run)

    answer = http(workflow("/A")(body), "start", {"path": "/"})(http_event(path="/"), None)
    assert answer["statusCode"] == 200
    assert function.calls == ["PutItem", "UpdateItem"]
    (record,) = function.history.export(Query())
    assert record.status is Status.SUCCESS
    assert [step.id for step in record.steps] == ["compute", "compute", "answer"]
    assert [row.count for row in function.history.metrics(workflow="/A")] == [1]
    assert noted == [[]]  # its process lives
    assert function.notes == []


def test_nothing_but_nodes_that_exist_is_harmless() -> None:
    assert set(CATALOG) >= _HARMLESS


def test_the_first_invocation_writes_its_start(function: Function) -> None:
    handler = http(workflow("/A")(answering), "start", {"path": "/"})
    for expected in (3, 2):
        function.calls.clear()
        assert handler(http_event(path="/"), None)["statusCode"] == 200
        assert len(function.calls) == expected


def test_the_start_is_on_record_when_something_happens(function: Function) -> None:
    function.warm_up()
    seen: list[list[Status]] = []

    async def body(run: Run) -> None:
        await run.step(COMPUTE, lambda: seen.append(function.statuses()))
        await run.step(ACT, lambda: seen.append(function.statuses()))

    schedule(workflow("/A")(body), "nightly")(schedule_event("nightly"), None)
    assert seen == [[], [Status.RUNNING]]
    assert function.calls == ["PutItem", "PutItem", "UpdateItem"]
    assert function.statuses() == [Status.SUCCESS]


def test_an_execution_that_may_have_been_there_is_written_first(function: Function) -> None:
    function.warm_up()
    handler = manual(workflow("/A")(answering), "start")
    event = call_event(None, execution="01KB0000000000000000000000")
    for _ in range(2):  # Lambda may deliver an event twice
        assert handler(event, None)["status"] == "success"
    assert [row.count for row in function.history.metrics(workflow="/A")] == [1]


def test_a_failure_that_only_computed_is_written_and_told(function: Function) -> None:
    function.warm_up()

    async def body(run: Run) -> None:
        def fail() -> None:
            raise RetriableError("no", code="till")

        await run.step(COMPUTE, fail)

    with pytest.raises(NodegxError, match="no"):
        schedule(workflow("/A")(body), "nightly")(schedule_event("nightly"), None)
    (record,) = function.history.export(Query())
    assert (record.status, record.steps[0].status) == (Status.ERROR, Status.ERROR)


def gone(function: Function, flow: Workflow) -> tuple[Any, Any]:
    """What a request and a batch of messages come to while DynamoDB is away."""
    function.warm_up()
    function.away = True
    answer = http(flow, "start", {"path": "/"})(http_event(path="/"), None)
    batch = queue(flow, "message")(queue_event({"n": 1}), None)
    return answer, batch


def test_what_cannot_be_written_has_not_been(function: Function) -> None:
    answer, batch = gone(function, workflow("/A")(answering))
    assert answer["statusCode"] == 503
    assert "history cannot be written" in answer["body"]
    assert len(batch["batchItemFailures"]) == 1
    with pytest.raises(AwsError, match="away"):
        schedule(workflow("/A")(answering), "nightly")(schedule_event("nightly"), None)
    assert function.statuses() == []
    assert function.notes == []


def test_nothing_happens_that_is_not_on_record(function: Function) -> None:
    happened: list[str] = []

    async def body(run: Run) -> None:
        try:
            await run.step(COMPUTE, lambda: happened.append("computed"))
            await run.step(ACT, lambda: happened.append("acted"))
        except Exception:  # as a workflow does that handles every failure
            happened.append("handled")
        finally:
            happened.append("cleaned")

    answer, batch = gone(function, workflow("/A")(body))
    assert happened == ["computed", "cleaned"] * 2
    assert answer["statusCode"] == 503
    assert len(batch["batchItemFailures"]) == 1


def test_a_folder_that_cannot_be_written_costs_time_only(
    function: Function, tmp_path: Path
) -> None:
    Path(function.process.host.environment.notes).write_text("in the way")
    handler = http(workflow("/A")(answering), "start", {"path": "/"})
    for _ in range(3):
        assert handler(http_event(path="/"), None)["statusCode"] == 200
    assert function.statuses() == [Status.SUCCESS] * 3
    assert function.calls.count("PutItem") == 6
