"""`nodegx deploy`, on moto. The engine is faked, as it needs the `pulumi` command: see
`tests/support/fake_engine.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from nodegx.providers.errors import ProviderError

from tests.support.projects import manual, node
from tests.support.shop import Shop, data

pytestmark = pytest.mark.slow

Invoke = Callable[..., Any]


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


# ---------------------------------------------------------------------------------- code and canary


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
    assert "a canary of two was cut off: version 2 has all traffic" in result.output
    assert made.alias("two") == ("2", {})


def test_a_deployment_goes_forward_after_a_rollback(shop: Shop, nodegx: Invoke) -> None:
    nodegx("deploy", "--yes")
    shop.write(manual("Two", value=2))
    nodegx("deploy", "--yes")
    nodegx("rollback")
    assert shop.by_hand.alias("two") == ("1", {})
    result = nodegx("deploy", "--yes")
    assert "two goes forward from version 1 to 2" in result.output
    assert shop.by_hand.alias("two") == ("2", {})


# ---------------------------------------------------------------------------- without the engine


@pytest.fixture
def real_engine(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    """The engine is looked for as on a user's machine."""
    from nodegx.cli.deployments import open_engine

    monkeypatch.setattr("nodegx.cli.commands.deploy.open_engine", open_engine)
    monkeypatch.delenv("NODEGX_PULUMI", raising=False)


def test_no_pulumi_command(
    real_engine: None, shop: Shop, nodegx: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "x")
    monkeypatch.setenv("PATH", str(shop.root))
    result = nodegx("deploy", "--yes")
    assert result.exit_code == 5
    assert "error: the pulumi command is not installed" in result.output
    assert "brew install pulumi" in result.output


def test_no_passphrase(
    real_engine: None, shop: Shop, nodegx: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGX_PULUMI", "/bin/true")
    result = nodegx("deploy", "--yes")
    assert result.exit_code == 5
    assert "error: the passphrase for the secrets of dev is needed" in result.output
    assert "set PULUMI_CONFIG_PASSPHRASE" in result.output
