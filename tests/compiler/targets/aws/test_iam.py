"""Policies of functions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.pipeline import compile_source
from nodegx.compiler.read import read
from nodegx.compiler.targets.aws import iam
from nodegx.compiler.targets.aws.environment import environment
from nodegx.compiler.targets.aws.names import Names, Place
from nodegx.compiler.targets.aws.plan import Function
from nodegx.compiler.targets.aws.planning import make_plan

from tests.support.manifests import EXAMPLES, drawn, function

PLACE = Place(Names("shop", "prod"), "123456789012", "eu-central-1")
MANUAL = ("trigger.manual", {})
WEBHOOK = ("trigger.webhook", {"path": "/a"})


def granted(made: Function, **known: Any) -> dict[str, set[str]]:
    """Resources by action."""
    found: dict[str, set[str]] = {}
    for statement in iam.function_policy(made, PLACE, **known)["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            found.setdefault(action, set()).update(statement["Resource"])
    return found


LOGS = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/shop-prod-flow:*"
TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/shop-prod-history"
BASE = {
    "logs:CreateLogStream": {LOGS},
    "logs:PutLogEvents": {LOGS},
    "dynamodb:PutItem": {TABLE},
    "dynamodb:UpdateItem": {TABLE},
    "s3:PutObject": {"arn:aws:s3:::shop-prod-data-123456789012/history/*"},
}
GIVE_UP = {
    "sqs:SendMessage": {"arn:aws:sqs:eu-central-1:123456789012:shop-prod-flow-dlq"},
}


def test_a_webhook_writes_its_log_and_its_history() -> None:
    assert granted(function(drawn("/Flow", WEBHOOK))) == BASE


def test_without_history_only_the_log() -> None:
    made = function(drawn("/Flow", WEBHOOK, history={"capture": "off"}))
    assert granted(made) == {name: BASE[name] for name in BASE if name.startswith("logs:")}


def test_idempotency_keys_are_items_of_their_own_in_the_table_of_the_history() -> None:
    keyed = ("trigger.webhook", {"path": "/a", "idempotency": {"required": True}})
    made = function(drawn("/Flow", keyed, history={"capture": "off"}))
    [statement] = [
        each
        for each in iam.function_policy(made, PLACE)["Statement"]
        if each["Sid"] == "KeepIdempotencyKeys"
    ]
    assert statement["Resource"] == [TABLE]
    assert {action.partition(":")[2] for action in statement["Action"]} == {
        *("DeleteItem", "GetItem", "PutItem", "UpdateItem"),
    }
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["K#*"]}}
    assert statement["Condition"] == condition
    variables = environment(made, PLACE, vars={})
    assert variables["NODEGX_KEYS_TABLE"] == "shop-prod-history"
    assert "NODEGX_KEYS_TABLE" not in environment(function(drawn("/Flow", WEBHOOK)), PLACE, vars={})


def test_events_are_emitted_to_the_bus_of_the_project_alone() -> None:
    made = function(drawn("/Flow", WEBHOOK, nodes=[("workflow.emit", {"event": "a"})]))
    bus = "arn:aws:events:eu-central-1:123456789012:event-bus/shop-prod"
    assert granted(made) == {**BASE, "events:PutEvents": {bus}}
    listening = function(drawn("/Flow", ("trigger.event", {"event": "a"})))
    assert granted(listening) == {**BASE, **GIVE_UP}


def test_only_the_aliases_of_called_workflows_are_invoked() -> None:
    caller = drawn("/Flow", WEBHOOK, nodes=[("workflow.call", {"workflow": "/A"})], onError="/B")
    made = function(caller, drawn("/A", MANUAL), drawn("/B", MANUAL), drawn("/C", MANUAL))
    where = "arn:aws:lambda:eu-central-1:123456789012:function:shop-prod"
    assert granted(made) == {
        **BASE,
        "lambda:InvokeFunction": {f"{where}-a:live", f"{where}-b:live"},
    }


def test_secrets_are_read_one_by_one() -> None:
    request = {"url": "https://x.example", "headers": {"X": "{{ secrets.KEY }}"}}
    made = function(drawn("/Flow", WEBHOOK, nodes=[("http.request", request)]))
    pattern = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-prod/KEY-??????"
    assert granted(made)["secretsmanager:GetSecretValue"] == {pattern}
    exact = granted(made, secrets={"KEY": "arn:exact"})
    assert exact["secretsmanager:GetSecretValue"] == {"arn:exact"}


def test_queues() -> None:
    made = function(drawn("/Flow", ("trigger.queue", {"queue": "jobs"})))
    queue = {"arn:aws:sqs:eu-central-1:123456789012:shop-prod-jobs"}
    assert granted(made) == {
        **BASE,
        "sqs:ReceiveMessage": queue,
        "sqs:DeleteMessage": queue,
        "sqs:GetQueueAttributes": queue,
    }


def test_streams() -> None:
    made = function(drawn("/Flow", ("trigger.record", {"table": "orders"})))
    stream = {"arn:exact/stream/1"}
    assert granted(made, streams={"orders": "arn:exact/stream/1"}) == {
        **BASE,
        **GIVE_UP,
        "dynamodb:DescribeStream": stream,
        "dynamodb:GetRecords": stream,
        "dynamodb:GetShardIterator": stream,
        "dynamodb:ListStreams": {"*"},
    }


def test_files_need_no_right_to_the_bucket() -> None:
    made = function(drawn("/Flow", ("trigger.file", {"bucket": "uploads"})))
    assert granted(made) == {**BASE, **GIVE_UP}


EXAMPLE_FILES = sorted(EXAMPLES.glob("*/workflows/*.json"))


@pytest.mark.parametrize("project", sorted({path.parents[1].name for path in EXAMPLE_FILES}))
def test_every_workflow_of_the_examples(project: str) -> None:
    compiled = [
        each.manifest
        for path in sorted((EXAMPLES / project / "workflows").glob("*.json"))
        for each in compile_source(read(path))
    ]
    spec = json.loads((EXAMPLES / project / "nodegx.json").read_text())
    plan, _ = make_plan(spec["name"], spec.get("vars", {}), 30, compiled)
    assert plan.functions
    place = Place(Names(plan.project, "prod"), "123456789012", "eu-central-1")
    for made, manifest in zip(plan.functions, sorted(compiled, key=lambda m: m.slug), strict=True):
        policy = iam.function_policy(made, place)
        actions = {action for each in policy["Statement"] for action in each["Action"]}
        for statement in policy["Statement"]:
            for resource in statement["Resource"]:
                if resource == "*":
                    assert set(statement["Action"]) <= iam.EXCEPTIONS.keys()
                else:
                    assert re.fullmatch(r"arn:aws:[a-z0-9]+:[a-z0-9-]*:\d*:.+", resource)
                    assert f"{plan.project}-prod" in resource
            assert not any("*" in action for action in statement["Action"])
        assert ("events:PutEvents" in actions) == bool(manifest.emits)
        sids = {each["Sid"] for each in policy["Statement"]}
        assert ("CallWorkflows" in sids) == bool(manifest.calls)
        assert ("KeepExecutions" in sids) == (manifest.settings.durable or made.continues)
        assert ("secretsmanager:GetSecretValue" in actions) == bool(manifest.secrets)
        assert len(json.dumps(policy)) < 10_240, "the limit of a role's inline policies"


def test_exceptions_are_explained() -> None:
    assert all(len(reason) > 20 for reason in iam.EXCEPTIONS.values())


def test_the_schedules_start_what_is_scheduled() -> None:
    made = function(drawn("/Flow", ("trigger.schedule", {"every": "1h"})))
    statements = iam.schedules_policy(made, PLACE)["Statement"]
    assert [each["Resource"] for each in statements] == [
        ["arn:aws:lambda:eu-central-1:123456789012:function:shop-prod-flow:live"],
        ["arn:aws:sqs:eu-central-1:123456789012:shop-prod-flow-dlq"],
    ]


def test_services_act_for_one_source_in_one_account() -> None:
    document = iam.queue_policy("arn:q", "123456789012", {"events.amazonaws.com": ["arn:r"]})
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": ["arn:r"]},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }


def test_every_example_is_there() -> None:
    assert {Path(path).parents[1].name for path in EXAMPLE_FILES} >= {
        "process-order",
        "nightly-report",
        "event-fanout",
    }
