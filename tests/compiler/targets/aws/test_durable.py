"""What durable workflows, and those that go on after their answers, become on AWS."""

from __future__ import annotations

import json
from typing import Any

from nodegx.compiler.targets.aws import iam
from nodegx.compiler.targets.aws.alarms import RAN, alarms
from nodegx.compiler.targets.aws.deployer import deployer_policy
from nodegx.compiler.targets.aws.entries import entry
from nodegx.compiler.targets.aws.environment import environment
from nodegx.compiler.targets.aws.names import (
    LIMIT,
    Names,
    Place,
    resume_path,
    resume_route,
)
from nodegx.compiler.targets.aws.plan import Function
from nodegx.compiler.targets.aws.program import program
from nodegx.runtime.durable import tokens

from tests.support.manifests import drawn, function, manifests, planned

PLACE = Place(Names("shop", "prod"), "123456789012", "eu-central-1")
HOOK = ("trigger.webhook", {"path": "/a"})
MANUAL = ("trigger.manual", {})
PAUSE = ("logic.wait", {"duration": "2d"})
ASK = ("logic.wait", {"webhook": {"method": "POST"}})
ANSWER = ("cloud.response", {})
WORK = ("data.set", {"value": 2})
TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/shop-prod-history"
VERSIONS = "arn:aws:lambda:eu-central-1:123456789012:function:shop-prod-{}:*".format
ROLE = "arn:aws:iam::123456789012:role/shop-prod-scheduler"


def statements(made: Function) -> dict[str, dict[str, Any]]:
    """What is allowed, by the ids of the statements."""
    return {each["Sid"]: each for each in iam.function_policy(made, PLACE)["Statement"]}


# --- plans ----------------------------------------------------------------------------------------


def test_plain_workflows_stay_as_they_are() -> None:
    made = function(drawn("/Flow", HOOK, nodes=[ANSWER]))
    assert (made.durable, made.continues, made.resume_route) == (False, False, None)
    assert not {each for each in statements(made) if "Executions" in each or "Wake" in each}
    assert made.dead_letters == ()
    plan, _ = planned(drawn("/Flow", HOOK, nodes=[ANSWER]))
    assert not plan.has_schedules


def test_waits_make_a_function_durable_and_requests_a_route() -> None:
    made = function(drawn("/Flow", MANUAL, nodes=[PAUSE]))
    assert (made.durable, made.resume_route, made.dead_letters) == (True, None, (False,))
    asking = function(drawn("/Flow", MANUAL, nodes=[ASK]))
    assert asking.resume_route == "ANY /_nodegx/flow/_nodegx/resume/{rest+}"
    assert asking.packages == ("mangum",)
    plan, _ = planned(drawn("/Flow", MANUAL, nodes=[ASK]))
    assert plan.has_api
    assert plan.has_schedules
    assert "http=True" in program(plan, stacks="stacks")
    assert "schedules=True" in program(plan, stacks="stacks")


def test_work_after_an_answer_goes_on_elsewhere_for_requests_alone() -> None:
    assert function(drawn("/Flow", HOOK, nodes=[ANSWER, WORK])).continues
    assert not function(drawn("/Flow", HOOK, nodes=[WORK, ANSWER])).continues
    assert not function(drawn("/Flow", MANUAL, nodes=[ANSWER, WORK])).continues
    durable = function(drawn("/Flow", HOOK, nodes=[ANSWER, PAUSE]))
    assert (durable.durable, durable.continues) == (True, False)


def test_callers_are_told_of_ends() -> None:
    call = ("workflow.call", {"workflow": "/Child"})
    child = drawn("/Child", MANUAL, nodes=[PAUSE])
    plan, _ = planned(drawn("/Parent", MANUAL, nodes=[call]), child, drawn("/Other", MANUAL))
    made = {each.slug: each for each in plan.functions}
    assert (made["child"].callers, made["other"].callers) == (("parent",), ())
    assert made["parent"].calls_durable == ("/Child",)
    assert statements(made["child"])["Wake"]["Resource"] == [VERSIONS("child"), VERSIONS("parent")]
    assert statements(made["parent"])["Wake"]["Resource"] == [VERSIONS("parent")]


def test_a_durable_workflow_may_take_longer_than_lambda_lets_it() -> None:
    assert function(drawn("/Flow", MANUAL, nodes=[PAUSE], timeout="2h")).timeout == 900


# --- policies -------------------------------------------------------------------------------------


def test_what_a_durable_function_may_do() -> None:
    found = statements(function(drawn("/Flow", MANUAL, nodes=[PAUSE])))
    leading = {
        sid: statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for sid, statement in found.items()
        if "ForAllValues:StringLike" in statement.get("Condition", {})
    }
    assert leading == {"KeepExecutions": ["R#*"], "FindExecutions": ["R-*"], "SeeHistory": ["X#*"]}
    assert found["FindExecutions"]["Resource"] == [f"{TABLE}/index/byStatus"]
    bucket = "arn:aws:s3:::shop-prod-data-123456789012"
    assert found["KeepLargeExecutions"]["Resource"] == [f"{bucket}/runs/*"]
    assert found["FindLargeExecutions"]["Resource"] == [bucket]
    assert found["FindLargeExecutions"]["Condition"] == {"StringLike": {"s3:prefix": "runs/*"}}
    assert found["WakeLater"]["Resource"] == [
        "arn:aws:scheduler:eu-central-1:123456789012:schedule/shop-prod/flow.*"
    ]
    assert found["HandOverSchedulerRole"]["Resource"] == [ROLE]
    assert found["HandOverSchedulerRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}
    }


def test_the_schedules_may_start_any_version_that_executions_began_on() -> None:
    made = function(drawn("/Flow", MANUAL, nodes=[PAUSE]))
    [start, _] = iam.schedules_policy(made, PLACE)["Statement"]
    assert start["Resource"] == [VERSIONS("flow")]


def test_functions_cannot_touch_the_schedules_that_look_after_them() -> None:
    names = Names("shop", "prod")
    for slug in ("flow", "sweep", "x" * 90):
        prefix = names.wake(slug)
        assert not any(names.sweep(other).startswith(f"{prefix}.") for other in ("flow", "sweep"))
        assert len(f"{prefix}.{'0' * 26}-99999") <= LIMIT
        assert len(names.sweep(slug)) <= LIMIT


def test_deployers_may_make_schedules_and_routes_for_what_waits() -> None:
    plan, _ = planned(drawn("/Flow", MANUAL, nodes=[ASK]))
    sids = {each["Sid"] for each in deployer_policy(plan, PLACE)["Statement"]}
    assert {"Schedules", "HttpApi"} <= sids


# --- what functions are told -----------------------------------------------------------------------


def test_variables() -> None:
    call = ("workflow.call", {"workflow": "/Child"})
    child = drawn("/Child", MANUAL, nodes=[PAUSE])
    parent = drawn("/Parent", MANUAL, nodes=[call], history={"capture": "off"})
    found = environment(function(parent, child), PLACE, vars={})
    assert "NODEGX_HISTORY_TABLE" not in found
    assert found["NODEGX_RUNS_TABLE"] == "shop-prod-history"
    assert found["NODEGX_DATA_BUCKET"] == "shop-prod-data-123456789012"
    assert json.loads(found["NODEGX_DURABLE"]) == ["/Child"]
    assert json.loads(found["NODEGX_WAKES"]) == {
        "group": "shop-prod",
        "role": ROLE,
        "prefix": "parent",
        "dead_letters": "arn:aws:sqs:eu-central-1:123456789012:shop-prod-parent-dlq",
    }
    plain = environment(function(drawn("/Flow", HOOK)), PLACE, vars={})
    assert not {name for name in plain if "RUNS" in name or "WAKES" in name or "DURABLE" in name}


def lines(*drawings: dict[str, Any]) -> list[str]:
    """The entry of the first workflow, without its docstring."""
    made = function(*drawings)
    manifest = next(each for each in manifests(*drawings) if each.name == drawings[0]["name"])
    return entry(manifest, made).partition('"""\n\n')[2].splitlines()


def test_entries_bind_what_may_go_on() -> None:
    durable = lines(drawn("/Flow", MANUAL, HOOK, nodes=[PAUSE]))
    assert "from nodegx.runtime.aws.durable import durable" in durable
    assert "handler = durable(" in durable
    assert not any("bound" in line for line in durable)
    continued = lines(drawn("/Flow", HOOK, nodes=[ANSWER, WORK]))
    assert "from nodegx.runtime.aws.durable import continued" in continued
    assert "handler = continued(" in continued
    assert not any("aws.durable" in line for line in lines(drawn("/Flow", HOOK, nodes=[ANSWER])))


def test_forms_are_headed_by_the_labels_of_their_nodes() -> None:
    drawing = drawn("/Flow", MANUAL, nodes=[ASK])
    next(each for each in drawing["nodes"] if each["id"] == "node0")["label"] = "Ask the boss"
    assert any(
        "labels={'node0': 'Ask the boss'}" in line.replace('"', "'") for line in lines(drawing)
    )


def test_names_of_handlers_that_are_taken() -> None:
    drawing = drawn("/Durable", MANUAL, nodes=[PAUSE])
    assert "from handler import durable as workflow" in lines(drawing)


# --- alarms ---------------------------------------------------------------------------------------


def test_sweeps_do_not_hide_a_schedule_that_fails() -> None:
    every = ("trigger.schedule", {"every": "1h"})
    plain = {each.kind: each for each in alarms(function(drawn("/Flow", every)))}
    assert (plain["did-not-run"].source, plain["did-not-run"].metric) == ("function", "Invocations")
    woken = {each.kind: each for each in alarms(function(drawn("/Flow", every, nodes=[PAUSE])))}
    silent = woken["did-not-run"]
    assert (silent.source, silent.metric, silent.pattern) == ("log", "Runs", RAN)
    assert "failures" in woken
    assert "failures" not in plain


def test_resume_urls_lead_to_their_functions() -> None:
    url = f"{resume_path('flow')}{tokens.resume_path('01X', 'ask[1]', 'secret')}"
    route = resume_route("flow").removeprefix("ANY ").removesuffix("{rest+}")
    assert url.startswith(route)
