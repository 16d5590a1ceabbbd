"""Functions as they are deployed, in Lambda's own runtime client: their zips unpacked, nothing else
to import, a history in moto's DynamoDB."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.project import load_project
from nodegx.providers.aws.prepare import prepare
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import Query

from tests.support.lambda_events import (
    bucket_event,
    bus_event,
    call_event,
    http_event,
    queue_event,
    schedule_event,
    stream_event,
)
from tests.support.moto import moto_server
from tests.support.projects import EXAMPLES, chain, node, write_project
from tests.support.runtime_api import Function, InitFailed, TimedOut, function

pytestmark = pytest.mark.e2e

CHECK = node(
    "check",
    "data.json",
    operation="validate",
    value="{{ message.body }}",
    schema={"type": "object", "required": ["ok"]},
)

WORKFLOWS: tuple[dict[str, Any], ...] = (
    chain(
        "/Early",
        node("order", "trigger.webhook", method="POST", path="/early"),
        node("answer", "cloud.response", status=202, body={"soon": True}),
        node("pause", "logic.wait", duration="100ms"),
        node("after", "data.set", value="{{ order.body }}"),
    ),
    chain(
        "/Broken",
        node("order", "trigger.webhook", method="POST", path="/broken"),
        node("boom", "data.set", value="{{ order.body.missing.deeper }}"),
        node("answer", "cloud.response"),
    ),
    chain("/Consume", node("message", "trigger.queue", queue="orders"), CHECK),
    chain(
        "/Mixed",
        node("nightly", "trigger.schedule", cron="0 6 * * *", timezone="Europe/Berlin"),
        node("heard", "trigger.event", event="order.*"),
        node("upload", "trigger.file", bucket="uploads"),
        node("change", "trigger.record", table="orders"),
        node("start", "trigger.manual", inputs=[{"name": "n", "type": "integer"}]),
        node("answer", "cloud.response", body={"done": True}),
    ),
    chain(
        "/Slow",
        node("start", "trigger.manual"),
        node("pause", "logic.wait", duration="1m"),
        timeout=120,
        durable=False,
    ),
    chain(
        "/Endless",
        node("start", "trigger.manual", inputs=[{"name": "text", "type": "string"}]),
        node(
            "check",
            "data.json",
            operation="validate",
            value="{{ start.text }}",
            schema={"type": "string", "pattern": "^(a|a)+$"},
        ),
    ),
    chain(
        "/Stuck",
        node("start", "trigger.manual"),
        node(
            "block",
            "code.python",
            code="import time\nasync def wait():\n    time.sleep(60)\nawait wait()",
        ),
        timeout=120,
    ),
)


@dataclass
class Deployed:
    """Unpacked bundles and the surroundings of their functions."""

    folder: Path
    environment: dict[str, str]
    history: DynamoHistory

    def latest(self, workflow: str) -> ExecutionRecord:
        """The latest execution of a workflow, with its steps."""
        listed = self.history.list(Query(workflow=workflow), limit=1).records
        found = self.history.get(listed[0].id)
        assert found is not None
        return found

    def function(self, slug: str, **environment: str) -> Any:
        """A function's process."""
        return function(
            self.folder / slug, {**self.environment, **environment}, write_bytecode=False
        )


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    vars = {"paymentsUrl": "http://127.0.0.1:9"}
    root = write_project(tmp_path_factory.mktemp("project"), *WORKFLOWS, vars=vars)
    for path in (EXAMPLES / "process-order" / "workflows").glob("*.json"):
        shutil.copy(path, root / "workflows")
    folder = tmp_path_factory.mktemp("functions")
    for slug, bundle in prepare(load_project(root)).bundles.items():
        with zipfile.ZipFile(bundle.path) as archive:
            archive.extractall(folder / slug)
    cloud = moto_server()
    name = f"fn-{os.urandom(6).hex()}"
    cloud.client("dynamodb").call("CreateTable", table_definition(name))
    cloud.make_bucket(name)
    environment = {
        **cloud.environment,
        "NODEGX_PROJECT": "shop",
        "NODEGX_STACK": "test",
        "NODEGX_HISTORY_TABLE": name,
        "NODEGX_DATA_BUCKET": name,
        "NODEGX_REVISION": "r42",
        "NODEGX_VARS": json.dumps(vars),
    }
    table, files = cloud.client("dynamodb"), cloud.client("s3")
    return Deployed(folder, environment, DynamoHistory(name, dynamodb=table, s3=files, bucket=name))


@pytest.fixture
def mixed(deployed: Deployed) -> Iterator[Function]:
    with deployed.function("mixed") as started:
        yield started


def test_process_order_answers_and_writes_its_history(deployed: Deployed) -> None:
    order = {"id": "A-1", "total": 12.5, "card": "4242424242424242"}
    with deployed.function("process_order") as started:
        answer = started.invoke(http_event(body=order))
        refused = started.invoke(http_event(body={"id": ""}))
        lines = started.lines
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"order": "A-1", "total": 12.5, "terms": "net 30"}
    assert refused["statusCode"] == 422

    first, last = (
        deployed.history.get(line["execution"])
        for line in lines
        if "execution ended" in line["message"]
    )
    assert first is not None
    assert last is not None
    assert (first.status, first.revision) == (Status.SUCCESS, "r42")
    assert first.host == "2026/01/01/[1]0123456789abcdef"
    assert order["card"] not in (first.input or "")
    assert [step.node for step in first.steps] == ["validate", "large", "invoice", "confirm"]
    assert [step.node for step in last.steps] == ["validate", "reject"]
    assert all(len(line["requestId"]) == 36 for line in lines)
    (hour,) = deployed.history.metrics(workflow="/#__cloud__/ProcessOrder")
    assert (hour.count, hour.success) == (2, 2)


def test_a_large_order_meets_a_payment_service_that_is_down(deployed: Deployed) -> None:
    order = {"id": "A-2", "total": 500, "card": "4242424242424242"}
    with deployed.function("process_order") as started:
        answer = started.invoke(http_event(body=order))
    assert answer["statusCode"] == 502
    charge = next(
        s for s in deployed.latest("/#__cloud__/ProcessOrder").steps if s.node == "charge"
    )
    assert (charge.status, charge.attempts, charge.port) == (Status.ERROR, 4, "failure")


def test_a_failure_names_its_node_and_hides_internals(deployed: Deployed) -> None:
    with deployed.function("broken") as started:
        answer = started.invoke(http_event(path="/broken", body={"missing": 5}))
        lines = started.lines
    assert answer["statusCode"] == 500
    problem = json.loads(answer["body"])
    record = deployed.latest("/Broken")
    assert problem["executionId"] == record.id
    assert "deeper" not in answer["body"]
    error = json.loads(record.error or "")
    assert (error["node"], record.status) == ("boom", Status.ERROR)
    assert any(line["level"] == "error" and line.get("node") == "boom" for line in lines)


def test_one_message_of_a_batch_fails(deployed: Deployed) -> None:
    with deployed.function("consume") as started:
        answer = started.invoke(queue_event({"ok": 1}, {"bad": 1}, {"ok": 2}))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    found = deployed.history.list(Query(workflow="/Consume")).records
    assert sorted(record.status.value for record in found) == ["error", "success", "success"]


def test_every_kind_of_event_reaches_its_trigger(deployed: Deployed, mixed: Function) -> None:
    changes = stream_event({"event": "INSERT", "new": {"n": {"N": "1"}}})
    cases: tuple[tuple[dict[str, Any], str, Any], ...] = (
        (schedule_event("nightly"), "nightly", None),
        (bus_event("order.created", {"id": 1}), "heard", None),
        (bucket_event("in/a.csv"), "upload", {"batchItemFailures": []}),
        (changes, "change", {"batchItemFailures": []}),
        (call_event({"n": 3}, parent="01P", depth=1), "start", None),
    )
    for payload, trigger, expected in cases:
        result = mixed.invoke(payload)
        record = deployed.latest("/Mixed")
        assert record.trigger == trigger
        assert expected in (None, result)
        if trigger == "start":
            assert result["output"] == {"done": True}
            assert json.loads(record.input or "") == {"n": 3}
            assert record.parent == "01P"


def test_a_foreign_event_is_an_error(mixed: Function) -> None:
    sent = mixed.send({"surprise": 1})
    assert sent.error is not None
    assert "No trigger takes this event; its keys are ['surprise']" in sent.error["errorMessage"]
    assert mixed.invoke(schedule_event("nightly"))["execution"]


def test_a_run_is_ended_before_the_function_is_killed(deployed: Deployed) -> None:
    with deployed.function("slow") as started:
        started.ready()
        sent = started.send(call_event(None), timeout=1.5)
    assert sent.result["status"] == "timeout"
    assert sent.seconds < 1.5
    assert deployed.latest("/Slow").status == Status.TIMEOUT


def test_a_function_that_is_killed_shows_as_interrupted(deployed: Deployed) -> None:
    with deployed.function("stuck") as started:
        started.ready()
        with pytest.raises(TimedOut):
            started.send(call_event(None), timeout=1.2)
    time.sleep(0.2)
    assert deployed.latest("/Stuck").status == Status.INTERRUPTED


def test_a_function_that_is_killed_while_it_computes_is_found_by_the_next_process(
    deployed: Deployed, tmp_path: Path
) -> None:
    with deployed.function("endless", TMPDIR=str(tmp_path)) as started:
        for _ in range(2):
            assert started.invoke(call_event({"text": "aaa"}))["status"] == "success"
        with pytest.raises(TimedOut):
            started.send(call_event({"text": "a" * 60 + "!"}), timeout=1.2)
    assert deployed.latest("/Endless").status == Status.SUCCESS
    with deployed.function("endless", TMPDIR=str(tmp_path)) as started:
        assert started.invoke(call_event({"text": "aa"}))["status"] == "success"
    query = Query(workflow="/Endless", statuses=(Status.INTERRUPTED,))
    (found,) = deployed.history.list(query).records
    killed = deployed.history.get(found.id)
    assert killed is not None
    assert killed.input == '{"text":"' + "a" * 60 + '!"}'
    assert sum(row.count for row in deployed.history.metrics(workflow="/Endless")) == 4


def test_what_a_bundle_lacks_shows_when_it_starts(deployed: Deployed, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(deployed.folder / "early", tmp_path / "early"))
    shutil.rmtree(bundle / "mangum")
    with (
        function(bundle, deployed.environment) as started,
        pytest.raises(InitFailed, match="No module named 'mangum'"),
    ):
        started.ready()
