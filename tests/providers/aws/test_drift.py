from __future__ import annotations

from typing import Any

import pytest
from nodegx.providers.aws.destruction import protected, stateful
from nodegx.providers.aws.drift import Drift, drifts, workflow_of
from nodegx.providers.aws.steps import LONGEST, Outcome, Step, shortened

IN_WORKFLOW = "urn:pulumi:dev::shop::nodegx:aws:Workflow$nodegx:aws:Function$"
SHARED = "urn:pulumi:dev::shop::nodegx:aws:Project$nodegx:aws:Bucket$"


def step(op: str, type: str, name: str, inside: str = IN_WORKFLOW, **given: Any) -> Step:
    return Step("done", op, f"{inside}{type}::{name}", type, **given)


def test_what_has_changed() -> None:
    changed = step(
        "update",
        "aws:lambda/function:Function",
        "process_order",
        id="shop-dev-process_order",
        diffs=("timeout", "environment.variables", "lastModified", "version"),
        old={"timeout": 35, "environment": {"a": 1}, "lastModified": "x", "version": "1"},
        new={"timeout": 99, "environment": {"a": 2}, "lastModified": "y", "version": "2"},
    )
    assert drifts(Outcome([changed])) == [
        Drift(
            "lambda.Function",
            "process_order",
            "shop-dev-process_order",
            "process_order",
            False,
            {"environment": ({"a": 1}, {"a": 2}), "timeout": (35, 99)},
        )
    ]


def test_what_is_gone() -> None:
    gone = step("delete", "aws:cloudwatch/metricAlarm:MetricAlarm", "orders-errors", id="alarm")
    (found,) = drifts(Outcome([gone]))
    assert (found.gone, found.kind, found.workflow) == (True, "cloudwatch.MetricAlarm", "orders")


def test_what_says_nothing() -> None:
    only_derived = step(
        "update",
        "aws:lambda/function:Function",
        "orders",
        diffs=("version",),
        old={"version": "1"},
        new={"version": "2"},
    )
    same = step("same", "aws:s3/bucket:Bucket", "data", SHARED)
    component = step("update", "nodegx:aws:Workflow", "orders", diffs=("x",))
    assert drifts(Outcome([only_derived, same, component])) == []


@pytest.mark.parametrize(
    ("name", "inside", "slug"),
    [
        ("process_order-order POST /orders", IN_WORKFLOW, "process_order"),
        ("orders", IN_WORKFLOW, "orders"),
        ("data", SHARED, ""),
    ],
)
def test_whose_a_resource_is(name: str, inside: str, slug: str) -> None:
    assert workflow_of(step("update", "aws:x/y:Z", name, inside)) == slug


def test_steps_survive_the_way_between_processes() -> None:
    one = step("update", "aws:x/y:Z", "a", diffs=("b", "c"), old={"b": [1]}, new={"b": None})
    assert Step.from_json(one.to_json()) == one
    assert one.kind == "x.Z"
    assert step("create", "nodegx:aws:Workflow", "a").kind == "nodegx.Workflow"
    assert step("create", "pulumi:providers:aws", "default").is_component


def test_long_values_are_cut() -> None:
    assert shortened("x" * 5000) == f"{'x' * LONGEST}…"
    assert shortened([1]) == [1]


def test_what_would_be_lost() -> None:
    resources = [
        {
            "urn": "u::history",
            "type": "aws:dynamodb/table:Table",
            "id": "shop-history",
            "protect": True,
        },
        {"urn": "u::data", "type": "aws:s3/bucket:Bucket", "id": "shop-data"},
        {"urn": "u::orders", "type": "aws:lambda/function:Function", "id": "orders"},
        {
            "urn": "u::q",
            "type": "aws:sqs/queue:Queue",
            "id": "https://sqs.eu-central-1.amazonaws.com/1/shop-q",
        },
    ]
    assert protected(resources) == ["table shop-history"]
    assert stateful(resources) == ["bucket shop-data", "queue shop-q", "table shop-history"]
