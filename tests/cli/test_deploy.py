"""The commands for deployments, on moto. The engine is faked, as it needs the `pulumi` command: see
`tests/support/fake_engine.py`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nodegx.providers.aws.deployment import Deployment
from nodegx.providers.aws.steps import Step
from nodegx.providers.errors import ProviderError

from tests.support.by_hand import ByHand, new_name, write_stack
from tests.support.fake_engine import FUNCTION, URN, FakeEngine
from tests.support.moto import moto_server
from tests.support.projects import manual, node, write_project

Invoke = Callable[..., Any]
COMMANDS = ("deploy", "preview", "stacks", "drift", "destroy")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "PULUMI_")):
            monkeypatch.delenv(name)
    for name, value in moto_server().environment.items():
        monkeypatch.setenv(name, value)


class Shop:
    """A project with a stack, and the engine that its commands get."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = new_name()
        self.engine: FakeEngine | None = None
        self.write(manual("One"), manual("Two"))
        write_stack(root)

    def write(self, *workflows: dict[str, Any]) -> None:
        write_project(self.root, *workflows, name=self.name)

    def open(self, deployment: Deployment, **_: Any) -> FakeEngine:
        if self.engine is None:
            self.engine = FakeEngine(deployment)
        self.engine.deployment = deployment
        return self.engine

    @property
    def by_hand(self) -> ByHand:
        return ByHand(self.root)


@pytest.fixture
def shop(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        monkeypatch.setattr(f"nodegx.cli.commands.{command}.open_engine", made.open)
    return made


def data(result: Any) -> Any:
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


# --------------------------------------------------------------------------------------- deploy


def test_a_first_deployment(shop: Shop, nodegx: Invoke) -> None:
    shop.write(
        {
            "name": "/#__cloud__/Hello",
            "nodes": [
                node("order", "trigger.webhook", method="POST", path="/hello"),
                node("answer", "cloud.response", body="hi"),
            ],
            "connections": [
                {
                    "sourceId": "order",
                    "sourcePort": "received",
                    "targetId": "answer",
                    "targetPort": "run",
                }
            ],
        }
    )
    result = nodegx("deploy", "--yes", "--sizes")
    assert result.exit_code == 0, result.output
    assert "+ lambda.Function hello" in result.output
    assert "3 created" in result.output
    assert "Hello  POST https://api.example/hello" in result.output
    assert "✓ dev is up to date" in result.output
    assert "RUNTIME" in result.output
    assert shop.by_hand.alias("hello") == ("1", {})


def test_nobody_to_confirm(shop: Shop, nodegx: Invoke) -> None:
    result = nodegx("deploy")
    assert result.exit_code == 2
    assert "+ One" in result.output
    assert "2 created" in result.output
    assert "--yes goes on without asking" in result.output
    assert shop.engine is not None
    assert [name for name, _ in shop.engine.operations] == ["preview"]
    assert shop.by_hand.deployment.functions(["one", "two"]) == {}


def test_nothing_to_confirm(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    result = nodegx("deploy")
    assert result.exit_code == 0, result.output
    assert "workflows: nothing changes" in result.output
    assert "no resource has changed" in result.output


def test_json(shop: Shop, nodegx: Invoke) -> None:
    found = data(nodegx("deploy", "--yes", "--json"))
    assert found["ok"]
    assert (found["stack"], found["region"]) == ("dev", "eu-central-1")
    assert [each["change"] for each in found["workflows"]] == ["added", "added"]
    assert {each["operation"] for each in found["resources"]} == {"create"}
    assert {each["slug"] for each in found["bundles"]} == {"one", "two"}
    assert all(each["zipped"] < 200_000 for each in found["bundles"])


def test_a_deployment_that_fails(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    assert shop.engine is not None
    shop.engine.broken = ProviderError("orders: no", "try again", "failure")
    result = nodegx("deploy", "--yes")
    assert result.exit_code == 1
    assert "error: orders: no\nhint: try again" in result.output
    assert "Traceback" not in result.output


def test_a_deployment_that_is_stopped(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    assert shop.engine is not None
    shop.engine.broken = KeyboardInterrupt()
    result = nodegx("deploy", "--yes")
    assert result.exit_code == 130
    assert "`nodegx deploy` goes on from there" in result.output


def test_without_credentials_nothing_begins(
    shop: Shop, nodegx: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    result = nodegx("deploy", "--yes")
    assert result.exit_code == 5
    assert "error: there are no AWS credentials" in result.output
    assert shop.engine is None
    error = json.loads(nodegx("deploy", "--yes", "--json").stdout)["error"]
    assert (error["kind"], error["message"]) == ("environment", "there are no AWS credentials")


def test_workflows_with_errors_stop_it(shop: Shop, nodegx: Invoke) -> None:
    shop.write(manual("One", value="{{ nothing.at.all }}"))
    result = nodegx("deploy", "--yes")
    assert result.exit_code == 3
    assert "NX" in result.output


def test_a_function_of_somebody_else_stops_it(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    made = shop.by_hand
    found = made.deployment.function("one").configuration
    made.client("lambda").untag_resource(Resource=found["FunctionArn"], TagKeys=["nodegx:stack"])
    result = nodegx("deploy", "--yes")
    assert result.exit_code == 5
    assert "already that is not ours" in result.output


# ------------------------------------------------------------------------------- code and canary


def test_code_alone(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    assert shop.engine is not None
    operations = len(shop.engine.operations)
    shop.write(manual("Two", value=2))
    result = nodegx("deploy", "--code-only")
    assert result.exit_code == 0, result.output
    assert "~ two  version 1 → 2" in result.output
    assert len(shop.engine.operations) == operations
    assert shop.by_hand.alias("two") == ("2", {})
    again = nodegx("deploy", "--code-only")
    assert "no code has changed" in again.output


def test_code_of_one_workflow(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    shop.write(manual("One", value=2), manual("Two", value=2))
    found = data(nodegx("deploy", "--code-only", "--workflow", "Two", "--json"))
    assert found["published"] == [{"slug": "two", "version": "2", "before": "1"}]
    assert shop.by_hand.alias("one") == ("1", {})


def test_more_than_code(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    shop.write(manual("Two", memory=512))
    result = nodegx("deploy", "--code-only")
    assert result.exit_code == 2
    assert "memory 256 MiB → 512 MiB" in result.output
    assert "without --code-only" in result.output


def test_workflow_goes_with_code_only(shop: Shop, nodegx: Invoke) -> None:
    assert nodegx("deploy", "--workflow", "Two").exit_code == 2


def test_a_canary_that_does_well(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    shop.write(manual("Two", value=2))
    result = nodegx("deploy", "--yes", "--canary", "10", "--watch", "0.01s")
    assert result.exit_code == 0, result.output
    assert "10% of the traffic goes to the new versions of two" in result.output
    assert "all traffic goes to the new versions" in result.output
    assert shop.by_hand.alias("two") == ("2", {})
    assert shop.engine is not None
    up = [options for name, options in shop.engine.operations if name == "up"][-1]
    assert up["config"] == {f"{shop.name}:holdAlias": "true"}
    assert shop.engine.operations[-1][0] == "refresh"


def test_a_canary_that_fails(shop: Shop, nodegx: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    nodegx("deploy", "--yes")
    shop.write(manual("Two", value=2))
    made = shop.by_hand
    from nodegx.providers.aws.canary import Canary

    start = Canary.start

    def start_and_fail(self: Canary) -> frozenset[str]:
        found = start(self)
        assert made.alias("two") == ("1", {"2": 0.5})
        made.alarm("two", "errors", "ALARM")
        return found

    monkeypatch.setattr(Canary, "start", start_and_fail)
    result = nodegx("deploy", "--yes", "--canary", "50", "--watch", "1m")
    assert result.exit_code == 1
    assert "✗ two: the alarm" in result.output
    assert "goes on with the versions from before" in result.output
    assert made.alias("two") == ("1", {})


def test_what_a_dead_canary_left_is_cleared_away(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    shop.write(manual("Two", value=2))
    nodegx("deploy", "--code-only")
    made = shop.by_hand
    from nodegx.providers.aws import versions

    versions.send(made.deployment.cloud, made.deployment.names.function("two"), "1", {"2": 0.5})
    result = nodegx("deploy", "--yes")
    assert "a canary of two was cut off: version 1 has all traffic" in result.output
    assert made.alias("two") == ("1", {})


# -------------------------------------------------------------------------- versions and rollback


def test_versions_and_rollback(shop: Shop, nodegx: Invoke) -> None:
    assert "nothing has been deployed to dev" in nodegx("versions").output
    nodegx("deploy", "--yes")
    shop.write(manual("Two", value=2))
    nodegx("deploy", "--code-only")
    listed = nodegx("versions").output
    assert "two 2" in listed
    assert "one 1, two 1" in listed
    assert [each["kind"] for each in data(nodegx("versions", "--json"))] == ["code", "deploy"]
    of_two = data(nodegx("versions", "Two", "--json"))
    assert [(each["number"], each["share"]) for each in of_two] == [("2", 1), ("1", 0)]
    assert "100%" in nodegx("versions", "two").output

    result = nodegx("rollback")
    assert "~ two  version 2 → 1" in result.output
    assert "✓ 1 workflow rolled back" in result.output
    assert shop.by_hand.alias("two") == ("1", {})
    found = data(nodegx("rollback", "2", "--json"))
    assert found["moved"] == [{"slug": "two", "version": "2", "before": "1"}]
    assert "have the traffic already" in nodegx("rollback", "2", "--workflow", "Two").output
    missing = nodegx("rollback", "77")
    assert missing.exit_code == 4
    assert "there is no deployment 77" in missing.output


# ------------------------------------------------------------------------------------------ logs


def test_logs(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    made = shop.by_hand
    group = made.deployment.names.log_group("one")
    client = made.client("logs")
    client.create_log_stream(logGroupName=group, logStreamName="s")
    entry = {"level": "warning", "message": "low", "node": "stock", "left": 3, "execution": "01X"}
    client.put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[
            {"timestamp": int(time.time() * 1000) - 1000, "message": json.dumps(entry)},
            {"timestamp": int(time.time() * 1000), "message": "START RequestId: 1"},
        ],
    )
    output = nodegx("logs").output
    assert "one warning stock: low  left=3" in output
    assert "START" not in output
    assert "START" in nodegx("logs", "One", "--all").output
    line = json.loads(nodegx("logs", "One", "--json").stdout)
    assert (line["workflow"], line["level"], line["left"]) == ("one", "warning", 3)
    assert nodegx("logs", "--follow", "--until", "now").exit_code == 2
    assert nodegx("logs", "Three").exit_code == 4


# -------------------------------------------------------------------------------- drift, destroy


def test_drift(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    result = nodegx("drift")
    assert (result.exit_code, result.output) == (0, "✓ dev is as it was deployed\n")
    assert shop.engine is not None
    shop.engine.drifted = [
        Step(
            "done",
            "update",
            f"{URN}one",
            FUNCTION,
            id="shop-dev-one",
            diffs=("timeout",),
            old={"timeout": 35},
            new={"timeout": 99},
        ),
        Step("done", "delete", f"{URN}two", FUNCTION, id="shop-dev-two"),
    ]
    result = nodegx("drift")
    assert result.exit_code == 1
    assert "timeout: 35 → 99" in result.output
    assert "shop-dev-two  is gone" in result.output
    assert "2 resources changed" in result.output
    assert [each["gone"] for each in data(nodegx("drift", "--json"))] == [False, True]


def test_destroy(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    assert nodegx("destroy").exit_code == 2
    result = nodegx("destroy", "--yes", "--remove-stack")
    assert result.exit_code == 0, result.output
    assert "✓ 2 resources of dev deleted" in result.output
    assert shop.engine is not None
    assert not shop.engine.known
    gone = nodegx("destroy", "--yes")
    assert gone.exit_code == 4
    assert "nothing is deployed in dev" in gone.output


def test_production_is_not_destroyed(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    assert shop.engine is not None
    shop.engine.kept = [
        {
            "urn": f"{URN}history",
            "type": "aws:dynamodb/table:Table",
            "id": "shop-dev-history",
            "custom": True,
            "protect": True,
        }
    ]
    result = nodegx("destroy", "--yes")
    assert result.exit_code == 5
    assert "protected: table shop-dev-history" in result.output
    assert "stacks config set production false" in result.output


# ------------------------------------------------------------------------------- preview, stacks


def test_preview(shop: Shop, nodegx: Invoke) -> None:
    result = nodegx("preview", "--requests", "100000")
    assert result.exit_code == 0, result.output
    assert "+ One" in result.output
    assert "memory 256 MiB, timeout" in result.output
    assert "2 created" in result.output
    assert "100,000  200 ms assumed" in result.output
    assert "prices of 2026-11" in result.output
    nodegx("deploy", "--yes")
    shop.write(manual("Two", value=2, memory=512))
    found = data(nodegx("preview", "--requests", "1000", "--json"))
    two = next(each for each in found["workflows"] if each["slug"] == "two")
    assert two["change"] == "changed"
    assert two["details"] == ["~ memory 256 MiB → 512 MiB", "~ code"]
    assert found["cost"]["workflows"][0]["runs"] == 1000
    assert found["cost"]["total"] > 0
    quick = data(nodegx("preview", "--no-resources", "--json"))
    assert quick["resources"] is None


def test_prices_of_ones_own(shop: Shop, nodegx: Invoke) -> None:
    (shop.root / "prices.json").write_text("[]")
    result = nodegx("preview", "--no-resources", "--prices", "prices.json")
    assert result.exit_code == 5
    assert "cannot be read" in result.output


def test_stacks(shop: Shop, nodegx: Invoke) -> None:
    write_stack(shop.root, "prod", production=True)
    assert nodegx("versions").exit_code == 2
    assert "no stack is selected" in nodegx("versions").output
    assert "prod" in nodegx("stacks", "select", "prod").output
    listed = data(nodegx("stacks", "list", "--json"))
    assert [(each["name"], each["selected"]) for each in listed] == [("dev", False), ("prod", True)]
    assert listed[1]["production"]
    missing = nodegx("deploy", "--stack", "staging", "--yes")
    assert missing.exit_code == 4
    assert "nodegx stacks init staging" in missing.output
    assert nodegx("stacks", "init", "a b").exit_code == 2


def test_a_new_stack(shop: Shop, nodegx: Invoke) -> None:
    result = nodegx("stacks", "init", "staging", "--region", "eu-west-1", "--production")
    assert result.exit_code == 0, result.output
    text = (shop.root / "stacks" / "aws" / "Pulumi.staging.yaml").read_text()
    assert "production: true" in text
    assert shop.engine is not None
    assert shop.engine.values == {"aws:region": "eu-west-1"}
    assert "selected" in result.output


def test_the_policy_of_whoever_deploys(shop: Shop, nodegx: Invoke) -> None:
    write_stack(shop.root, budget=50, functions={"one": {"provisioned": {"min": 1}}})
    found = data(nodegx("stacks", "policy", "--account", "111122223333"))
    statements = {each["Sid"]: each for each in found["Statement"]}
    assert "lambda:UpdateAlias" in statements["Functions"]["Action"]
    assert all(":111122223333:" in each for each in statements["Functions"]["Resource"])
    assert {"Budget", "WarmInstances"} <= statements.keys()
    assert "Domain" not in statements


def test_settings(shop: Shop, nodegx: Invoke) -> None:
    assert nodegx("stacks", "config", "set", "alarmEmail", "ops@example.com").exit_code == 0
    assert (
        nodegx("stacks", "config", "set", "secret.KEY", "--secret", input="s3cret\n").exit_code == 0
    )
    assert nodegx("stacks", "config", "get", "alarmEmail").output == "ops@example.com\n"
    listed = nodegx("stacks", "config", "get").output
    assert "[secret]" in listed
    assert "s3cret" not in listed
    assert "s3cret" in nodegx("stacks", "config", "get", "--show-secrets").output
    unknown = nodegx("stacks", "config", "get", "alarmMail")
    assert unknown.exit_code == 4
    assert "did you mean alarmEmail" in unknown.output
    nodegx("stacks", "config", "rm", "alarmEmail")
    assert nodegx("stacks", "config", "get", "alarmEmail").exit_code == 4
    assert nodegx("stacks", "config", "set", "empty", input="").exit_code == 2


# ------------------------------------------------------------------------- the history in the cloud


def test_a_stack_without_history(shop: Shop, nodegx: Invoke) -> None:
    for command in (("history", "list"), ("history", "show"), ("metrics",)):
        result = nodegx(*command, "--stack", "dev")
        assert result.exit_code == 4, result.output
        assert "dev has no history in eu-central-1" in result.output


def test_history_and_metrics_of_a_stack(shop: Shop, nodegx: Invoke) -> None:
    from nodegx.providers.aws.history import open_history
    from nodegx.runtime.history.dynamodb_table import table_definition
    from nodegx.runtime.history.record import ExecutionRecord, Status
    from nodegx.runtime.ids import new_id

    made = shop.by_hand
    made.client("dynamodb").create_table(**table_definition(made.deployment.names.history))
    now = time.time()
    record = ExecutionRecord(
        id=new_id(),
        workflow="/x/One",
        trigger="start",
        status=Status.SUCCESS,
        started=now - 2,
        finished=now - 1,
        revision="",
        host="x",
    )
    store = open_history(made.deployment)
    store.write([], [record])
    store.close()
    listed = data(nodegx("history", "list", "--stack", "dev", "--json"))
    assert [each["id"] for each in listed["executions"]] == [record.id]
    assert record.id in nodegx("history", "show", "--stack", "dev").output
    (found,) = data(nodegx("metrics", "--stack", "dev", "--json"))
    assert (found["workflow"], found["count"], found["error"]) == ("/x/One", 1, 0)
    assert found["mean"] == pytest.approx(1.0)
    output = nodegx("metrics", "--stack", "dev").output
    assert "One" in output
    assert "█" in output
    assert "no executions" in nodegx("metrics").output
