"""What is done with deployments afterwards, on moto. The engine is faked, as it needs the `pulumi` command: see
`tests/support/fake_engine.py`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from nodegx.providers.aws.steps import Step

from tests.support.fake_engine import FUNCTION, URN
from tests.support.projects import manual
from tests.support.shop import Shop, data

pytestmark = pytest.mark.slow

Invoke = Callable[..., Any]


# ---------------------------------------------------------------------------- versions and rollback


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


# --------------------------------------------------------------------------------------------- logs


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


# ----------------------------------------------------------------------------------- drift, destroy


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
