"""Durable functions as they are deployed, in Lambda's own runtime client: their zips unpacked,
nothing else to import. Executions are kept in moto's DynamoDB; Lambda and Scheduler are played, so
that the test decides which process goes on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.project import load_project
from nodegx.providers.aws.prepare import prepare
from nodegx.runtime.durable.dynamodb import DynamoRuns
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import RunQuery
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import Query

from tests.support.lambda_events import call_event, http_event
from tests.support.loopback import Answer, Loopback, Seen, loopback
from tests.support.moto import moto_server
from tests.support.played_aws import PlayedAws, played_aws
from tests.support.projects import chain, copy_example, node, write_project
from tests.support.runtime_api import Function, function

pytestmark = pytest.mark.e2e

STEPS = ("a", "b", "c", "d")


def tell(name: str, url: str = "{{ vars.outsideUrl }}") -> dict[str, Any]:
    return node(name, "http.request", method="POST", url=f"{url}/{name}", json="{{ start }}")


@dataclass
class World:
    """Unpacked bundles, and what their functions see.

    Attributes:
        outside: the server that steps tell of themselves.
        aws: Lambda and Scheduler.
        bundles: the folder of the bundles.
    """

    outside: Loopback
    aws: PlayedAws
    bundles: Path
    environment: dict[str, str]
    table: str

    @contextmanager
    def function(self, slug: str, **environment: str) -> Iterator[Function]:
        """A process of a function."""
        variables = {**self.environment, "AWS_LAMBDA_FUNCTION_VERSION": "1", **environment}
        with function(self.bundles / slug, variables, write_bytecode=False) as started:
            yield started

    def runs(self) -> DynamoRuns:
        cloud = moto_server()
        clients = (cloud.client("dynamodb"), cloud.client("s3"))
        return DynamoRuns(
            self.table, dynamodb=clients[0], s3=clients[1], bucket=self.table, host="test"
        )

    def records(self, workflow: str) -> list[ExecutionRecord]:
        history = DynamoHistory(self.table, dynamodb=moto_server().client("dynamodb"))
        found = [history.get(each.id) for each in history.list(Query(workflow=workflow)).records]
        return [record for record in found if record is not None]

    def told(self) -> list[str]:
        """What steps have told, in order."""
        return [seen.path.strip("/") for seen in self.outside.seen]

    def expire(self) -> None:
        """Time passes: the leases of functions that have died are over."""
        runs = self.runs()
        for state in runs.list(RunQuery(statuses=(RunStatus.RUNNING,))):
            runs.host = state.owner or ""
            runs._held = {state.id: 0}
            runs.leave()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with loopback() as outside, played_aws() as aws:
        vars = {"outsideUrl": outside.url}
        frail = chain("/Frail", node("start", "trigger.manual"), *map(tell, STEPS), durable=True)
        early = chain(
            "/Early",
            node("start", "trigger.webhook", method="POST", path="/early"),
            node("answer", "cloud.response", status=202),
            *map(tell, STEPS),
        )
        root = write_project(tmp_path / "project", frail, early, vars=vars)
        bundles = tmp_path / "functions"
        for slug, bundle in prepare(load_project(root)).bundles.items():
            with zipfile.ZipFile(bundle.path) as archive:
                archive.extractall(bundles / slug)
        for step in STEPS:
            outside.at(f"/{step}", Answer(201, {}))
        cloud = moto_server()
        name = f"fn-{os.urandom(6).hex()}"
        cloud.client("dynamodb").call("CreateTable", table_definition(name))
        cloud.make_bucket(name)
        wakes = {"group": "group", "role": "arn:role", "prefix": "flow"}
        environment = {
            **cloud.environment,
            "AWS_ENDPOINT_URL_LAMBDA": aws.url,
            "AWS_ENDPOINT_URL_SCHEDULER": aws.url,
            "NODEGX_HISTORY_TABLE": name,
            "NODEGX_RUNS_TABLE": name,
            "NODEGX_DATA_BUCKET": name,
            "NODEGX_REVISION": "r1",
            "NODEGX_WAKES": json.dumps(wakes),
            "NODEGX_VARS": json.dumps(vars),
        }
        yield World(outside, aws, bundles, environment, name)


def kills(world: World, step: str) -> threading.Event:
    """Has the function die while it waits for the answer of a step; once."""
    reached = threading.Event()
    left = ["die"]

    def answer(_: Seen) -> Answer:
        if not left:
            return Answer(201, {})
        left.clear()
        reached.set()
        time.sleep(1.0)  # nobody is there any more to take the answer
        return Answer(raw=b"")

    world.outside.at(f"/{step}", answer)
    return reached


@pytest.mark.parametrize("step", STEPS)
def test_a_function_that_is_killed_in_a_step_is_gone_on_with_from_there(
    world: World, step: str
) -> None:
    reached = kills(world, step)
    with world.function("frail") as started:
        started.ready()
        sender = threading.Thread(target=lambda: _send(started, call_event(None)))
        sender.start()
        assert reached.wait(30)
        started.process.send_signal(signal.SIGKILL)
        sender.join(60)
    before = STEPS.index(step)
    assert world.told() == list(STEPS[: before + 1])
    [state] = world.runs().list(RunQuery())
    assert state.status is RunStatus.RUNNING
    world.expire()
    with world.function("frail") as started:
        assert started.invoke({"nodegx": {"sweep": {}}}) == {"woken": 1}
        [event] = world.aws.events()
        assert started.invoke(event)["status"] == "success"
    # The step that was under way is done again, nothing else is.
    assert world.told() == [*STEPS[: before + 1], *STEPS[before:]]
    [record] = world.records("/Frail")
    assert record.status is Status.SUCCESS
    assert [each.id for each in record.steps] == list(STEPS)
    assert world.runs().list(RunQuery()) == []


def _send(started: Function, event: Any) -> None:
    with pytest.raises(AssertionError):
        started.send(event)


@pytest.mark.parametrize("step", STEPS)
def test_what_follows_an_answer_survives_its_function_too(world: World, step: str) -> None:
    with world.function("early") as started:
        answer = started.invoke(http_event(path="/early", body={"n": 1}))
    assert answer["statusCode"] == 202
    assert world.told() == []
    reached = kills(world, step)
    [event] = world.aws.events()
    with world.function("early") as started:
        started.ready()
        sender = threading.Thread(target=lambda: _send(started, event))
        sender.start()
        assert reached.wait(30)
        started.process.send_signal(signal.SIGKILL)
        sender.join(60)
    world.expire()
    with world.function("early") as started:
        assert started.invoke(event)["status"] == "success"  # Lambda tries it again
    before = STEPS.index(step)
    assert world.told() == [*STEPS[: before + 1], *STEPS[before:]]
    [record] = world.records("/Early")
    assert [each.id for each in record.steps] == ["answer", *STEPS]


def test_what_waits_for_nothing_has_nothing_of_this(tmp_path: Path) -> None:
    """Neither in its bundle, nor among what it imports."""
    project = load_project(copy_example("process-order", tmp_path / "project"))
    bundle = prepare(project).bundles["process_order"]
    assert bundle.path.stat().st_size <= 200_000
    with zipfile.ZipFile(bundle.path) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "bundle")
    assert not [name for name in names if "/durable" in name or "waking" in name]
