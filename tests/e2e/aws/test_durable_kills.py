"""Functions are killed right before and right after each of their writes, to the table, to Lambda
and to Scheduler; others go on. Then everything is as it is without that.

The processes are Lambda's own runtime client with the bundles that are deployed, the table is
moto's. Lambda and Scheduler are played: they do what was asked of them, once each.
"""

from __future__ import annotations

import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
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
from nodegx.runtime.history.store import Query
from nodegx.runtime.ids import new_id

from tests.support.killing_proxy import Kill, KillingProxy, killing_proxy
from tests.support.lambda_events import http_event
from tests.support.loopback import Answer, Loopback, loopback
from tests.support.moto import Moto, moto_server
from tests.support.played_aws import PlayedAws, played_aws
from tests.support.projects import chain, node, write_project
from tests.support.runtime_api import Function, function

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:{}".format
DATE = re.compile(r'"date":"[^"]*"')
STEPS = ("a", "b", "c", "d", "e")


def tell(name: str) -> dict[str, Any]:
    url = f"{{{{ vars.outsideUrl }}}}/{name}"
    return node(name, "http.request", method="POST", url=url, json=name)


PAUSE = node("pause", "logic.wait", duration="2200ms")
START = node("start", "trigger.manual")
WORKFLOWS = (
    chain("/Pausing", START, tell("a"), PAUSE, tell("b"), durable=True),
    chain(
        "/Early",
        node("start", "trigger.webhook", method="POST", path="/early"),
        node("answer", "cloud.response", status=202),
        tell("a"),
        tell("b"),
    ),
    chain(
        "/Parent",
        START,
        tell("a"),
        node("child", "workflow.call", workflow="/Child"),
        tell("d"),
    ),
    chain(
        "/Child",
        START,
        tell("b"),
        PAUSE,
        node("answer", "cloud.response", body="{{ execution.workflow }}"),
        durable=True,
    ),
)


@dataclass
class World:
    """Functions, and what they see."""

    outside: Loopback
    aws: PlayedAws
    proxy: KillingProxy
    bundles: Path
    environment: dict[str, str]
    table: str
    cloud: Moto
    running: dict[str, Function] = field(default_factory=dict[str, Function])
    stack: ExitStack = field(default_factory=ExitStack)

    def function(self, slug: str) -> Function:
        """The process of a function, a new one if it has died."""
        known = self.running.get(slug)
        if known is None or known.process.poll() is not None:
            made = function(
                self.bundles / slug,
                {**self.environment, "AWS_LAMBDA_FUNCTION_VERSION": "1"},
                write_bytecode=False,
                arn=f"{FUNCTION(slug)}:live",
            )
            known = self.running[slug] = self.stack.enter_context(made)
            known.ready()
        return known

    def invoke(self, slug: str, event: Any) -> Any:
        """Hands a function an event; None if it has died of that."""
        started = self.function(slug)
        self.proxy.victim = started.process.kill
        with suppress(AssertionError):
            return started.invoke(event, timeout=30)
        assert self.proxy.killed.wait(5), started.log  # told right after the kill
        started.process.wait(10)
        return None

    @property
    def runs(self) -> DynamoRuns:
        clients = (self.cloud.client("dynamodb"), self.cloud.client("s3"))
        return DynamoRuns(
            self.table, dynamodb=clients[0], s3=clients[1], bucket=self.table, host="test"
        )

    # --- what AWS does -------------------------------------------------------------------------

    def go_on(self) -> None:
        """Delivers what was asked for until nothing is left to do: invocations, schedules once they
        are due, and what sweeps find. Time passes where only that helps."""
        ends = time.monotonic() + 90
        while self.runs.list(RunQuery()) or self.aws.invoked:
            assert time.monotonic() < ends, self.runs.list(RunQuery())
            taken, self.aws.invoked = self.aws.invoked, []
            for each in taken:
                slug = each.target.split(":")[6]
                if self.invoke(slug, each.payload) is None:
                    self.invoke(slug, each.payload)  # Lambda tries it again
            if not self.aws.invoked and not self._fired():
                self._sweep()

    def _fired(self) -> bool:
        """Has the next schedule fire, when it is due. False if there is none."""
        if not self.aws.schedules:
            return False
        name = min(self.aws.schedules, key=lambda n: self.aws.schedules[n]["ScheduleExpression"])
        due = self.aws.schedules.pop(name)
        moment = time.strptime(due["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)")
        left = time.mktime(moment) - time.timezone - time.time()
        time.sleep(max(0.0, left))
        self.invoke(due["Target"]["Arn"].split(":")[6], json.loads(due["Target"]["Input"]))
        return True

    def _sweep(self) -> None:
        """Leases end, and each function looks after its own. What has just become due a sweep would
        find a minute later."""
        runs = self.runs
        for state in runs.list(RunQuery()):
            slug = state.workflow.strip("/").lower()
            if state.status is RunStatus.RUNNING:
                runs.host = state.owner or ""
                runs._held = {state.id: 0}
                runs.leave()
                self.invoke(slug, {"nodegx": {"sweep": {}}})
            elif state.due is not None:
                time.sleep(max(0.0, state.due - time.time()))
                self.invoke(slug, {"nodegx": {"resume": {"execution": state.id}}})

    # --- what came of it -----------------------------------------------------------------------

    def outcome(self) -> list[Any]:
        """What the history has, by workflow."""
        history = DynamoHistory(self.table, dynamodb=self.cloud.client("dynamodb"))
        found = [history.get(each.id) for each in history.list(Query()).records]
        return sorted(
            (
                record.workflow,
                record.status.value,
                record.output,
                [
                    (step.id, step.status.value, step.attempts, DATE.sub("", step.output or ""))
                    for step in record.steps
                ],
            )
            for record in found
            if record is not None
        )

    def told(self) -> list[str]:
        return [seen.path.strip("/") for seen in self.outside.seen]

    def forget(self) -> None:
        """Makes everything as it was at the beginning."""
        table = self.cloud.client("dynamodb")
        for item in table.call("Scan", {"TableName": self.table})["Items"]:
            table.call("DeleteItem", {"TableName": self.table, "Key": {"pk": item["pk"]}})
        self.outside.seen.clear()
        self.proxy.writes.clear()
        self.proxy.killed.clear()
        self.aws.invoked.clear()
        self.aws.schedules.clear()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("kills")
    with opened(folder) as made:
        yield made


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    cloud = moto_server()
    with ExitStack() as stack:
        outside = stack.enter_context(loopback())
        aws = stack.enter_context(played_aws())
        proxy = stack.enter_context(killing_proxy(cloud.url, aws.url))
        vars = {"outsideUrl": outside.url}
        root = write_project(folder / "project", *WORKFLOWS, vars=vars)
        for slug, bundle in prepare(load_project(root)).bundles.items():
            with zipfile.ZipFile(bundle.path) as archive:
                archive.extractall(folder / "functions" / slug)
        for step in STEPS:
            outside.at(f"/{step}", Answer(201, {}))
        name = f"k-{os.urandom(6).hex()}"
        cloud.client("dynamodb").call("CreateTable", table_definition(name))
        cloud.make_bucket(name)
        environment = {
            **cloud.environment,
            "AWS_ENDPOINT_URL": proxy.url,
            "NODEGX_HISTORY_TABLE": name,
            "NODEGX_RUNS_TABLE": name,
            "NODEGX_DATA_BUCKET": name,
            "NODEGX_REVISION": "r1",
            "NODEGX_WAKES": json.dumps({"group": "group", "role": "arn:role", "prefix": "flow"}),
            "NODEGX_FUNCTIONS": json.dumps({"/Child": f"{FUNCTION('child')}:live"}),
            "NODEGX_DURABLE": '["/Child"]',
            "NODEGX_VARS": json.dumps(vars),
        }
        made = World(outside, aws, proxy, folder / "functions", environment, name, cloud)
        stack.enter_context(made.stack)
        yield made


def begin(world: World, workflow: str) -> Any:
    """The event by which an execution is started; Lambda tries it again if it has failed."""
    if workflow != "early":
        return {"nodegx": {"call": {"execution": new_id()}}, "input": None}
    # Before its answer it is not durable: whoever has asked for it asks again.
    assert world.invoke("early", http_event(path="/early"))["statusCode"] == 202
    [event] = world.aws.events()
    world.proxy.writes.clear()
    return event


def run(world: World, workflow: str, kill: Kill | None) -> tuple[list[Any], list[str], int]:
    """Runs a workflow, killing a function at a write. What came of it, what was told outside, and
    how many writes there were."""
    world.forget()
    event = begin(world, workflow)
    world.proxy.kill = kill
    if world.invoke(workflow, event) is None:
        world.invoke(workflow, event)
    world.go_on()
    world.proxy.kill = None
    return world.outcome(), world.told(), len(world.proxy.writes)


@pytest.mark.parametrize("workflow", ["pausing", "early", "parent"])
def test_killed_at_any_write(
    world: World, workflow: str, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    undisturbed, told, writes = run(world, workflow, None)
    points = 0
    for write in range(1, writes + 1):
        for before in (True, False):
            found, heard, _ = run(world, workflow, Kill(write, before))
            where = f"{'before' if before else 'after'} write {write}"
            if not world.proxy.killed.is_set():
                continue  # a wait was over early
            points += 1
            assert found == undisturbed, where
            # What was done but not written down yet is done again, and nothing else.
            assert heard in repeats(told, 1 if before else 0), where
    record_property("kill points", points)
    with capsys.disabled():
        print(f"\n{workflow}: functions were killed at {points} points of {writes} writes")
    assert points >= 2 * writes - 2


def repeats(steps: list[str], most: int) -> list[list[str]]:
    """The steps as they are, and with one of them done twice."""
    found = [steps]
    if most:
        found += [[*steps[: at + 1], *steps[at:]] for at in range(len(steps))]
    return found
