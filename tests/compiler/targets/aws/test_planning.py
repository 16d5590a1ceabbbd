"""From manifests to the plan."""

from __future__ import annotations

from typing import Any

import pytest
from nodegx.compiler.diagnostics import CODES, Severity
from nodegx.compiler.targets.aws.plan import (
    EventTrigger,
    FileTrigger,
    HttpTrigger,
    ManualTrigger,
    QueueTrigger,
    RecordTrigger,
    ScheduleTrigger,
    Trigger,
)
from nodegx.compiler.targets.aws.planning import make_plan

from tests.support.manifests import drawn, function, manifests, planned

WEBHOOK = ("trigger.webhook", {"path": "/orders/{id}"})
MANUAL = ("trigger.manual", {})


def trigger(kind: str, **parameters: Any) -> Trigger:
    """What becomes of one trigger."""
    (found,) = function(drawn("/#__cloud__/Flow", (kind, parameters), timeout=10)).triggers
    return found


def found(*drawings: dict[str, Any], **given: Any) -> list[tuple[str, str, str | None]]:
    """Code, node and parameter or setting of what was found."""
    _, findings = planned(*drawings, **given)
    assert all(each.code in CODES and each.hint for each in findings)
    return [(each.code, each.node or "", each.param or each.setting) for each in findings]


def test_settings() -> None:
    plain = function(drawn("/Flow", MANUAL))
    assert (plain.memory, plain.timeout, plain.concurrency) == (256, 305, None)
    assert (plain.architecture, plain.runtime, plain.handler) == (
        "arm64",
        "python3.13",
        "entry.handler",
    )
    given = function(drawn("/Flow", MANUAL, memory=512, timeout="2m", concurrency=7))
    assert (given.memory, given.timeout, given.concurrency) == (512, 125, 7)
    assert function(drawn("/Flow", MANUAL, timeout=1.2)).timeout == 7
    off = function(drawn("/Flow", MANUAL, history={"capture": "off"}))
    assert not off.history
    kept = function(drawn("/Flow", MANUAL, history={"retentionDays": 7}))
    assert kept.retention_days == 7


def test_what_lambda_does_not_have() -> None:
    assert found(drawn("/Flow", MANUAL, memory=64)) == [("NX703", "", "memory")]
    assert found(drawn("/Flow", MANUAL, memory=20_000)) == [("NX703", "", "memory")]
    assert found(drawn("/Flow", MANUAL, timeout="20m")) == [("NX702", "", "timeout")]
    plan, (finding,) = planned(drawn("/Flow", MANUAL, timeout="899s"))
    assert plan.functions[0].timeout == 900
    assert finding.severity is Severity.WARNING


def test_webhooks() -> None:
    made = trigger("trigger.webhook", path="/orders/{id}/", method=["POST", "PUT"])
    assert isinstance(made, HttpTrigger)
    assert made.routes == ("POST /orders/{id}", "PUT /orders/{id}")
    assert function(drawn("/Flow", WEBHOOK)).packages == ("mangum",)


def test_paths_methods_and_preflights() -> None:
    made = trigger("trigger.webhook", path="/files/{rest:path}", method="GET")
    assert isinstance(made, HttpTrigger)
    assert made.routes == ("GET /files/{rest+}", "HEAD /files/{rest+}")
    made = trigger("trigger.webhook", path="/", cors={"origins": ["https://shop.example"]})
    assert isinstance(made, HttpTrigger)
    assert made.routes == ("POST /", "OPTIONS /")


def test_functions_that_are_called_by_name() -> None:
    made = trigger("cloud.request")
    assert isinstance(made, HttpTrigger)
    assert made.routes == ("POST /functions/Flow",)
    assert found(drawn("/#__cloud__/My flow", ("cloud.request", {}))) == [
        ("NX704", "trigger0", None)
    ]


def test_limits_of_requests() -> None:
    made = trigger(
        "trigger.webhook", path="/a", rateLimit={"requests": 120, "per": "1m", "by": "all"}
    )
    assert isinstance(made, HttpTrigger)
    assert (made.rate, made.burst) == (2, 120)
    limit = {"requests": 120, "per": "1m"}
    per_client = drawn("/Flow", ("trigger.webhook", {"path": "/a", "rateLimit": limit}))
    assert found(per_client) == [("NX706", "trigger0", "rateLimit")]
    large = drawn("/Flow", ("trigger.webhook", {"path": "/a", "maxBodyBytes": 10_000_000}))
    assert found(large) == [("NX706", "trigger0", "maxBodyBytes")]


def test_schedules() -> None:
    made = trigger("trigger.schedule", cron="0 6 * * *", timezone="Europe/Berlin", catchUp=True)
    assert made == ScheduleTrigger(
        node="trigger0",
        expression="cron(0 6 * * ? *)",
        timezone="Europe/Berlin",
        catch_up=True,
        pause=90_000,
    )
    flow = drawn("/Flow", ("trigger.schedule", {"every": "1h"}), timezone="Asia/Tokyo")
    (made,) = function(flow).triggers
    assert isinstance(made, ScheduleTrigger)
    assert (made.expression, made.timezone) == ("rate(1 hour)", "Asia/Tokyo")
    never = drawn("/Flow", ("trigger.schedule", {"cron": "0 0 13 * FRI"}))
    assert found(never) == [("NX701", "trigger0", "cron")]
    seconds = drawn("/Flow", ("trigger.schedule", {"every": "10s"}))
    assert found(seconds) == [("NX701", "trigger0", "every")]


def test_events() -> None:
    made = trigger("trigger.event", event="order.*", filter=[{"path": "a", "value": 1}])
    assert isinstance(made, EventTrigger)
    assert made.pattern["detail"] == {"data": {"a": [{"numeric": ["=", 1]}]}}


def test_queues() -> None:
    assert trigger("trigger.queue", queue="jobs") == QueueTrigger(
        node="trigger0", queue="jobs", visibility_timeout=90
    )
    made = trigger(
        "trigger.queue",
        queue="jobs.fifo",
        batchSize=5,
        maxBatchingWindow="10s",
        visibilityTimeout="1m",
        maxReceives=9,
    )
    assert isinstance(made, QueueTrigger)
    assert made.is_fifo
    assert (made.batch_size, made.batch_window, made.max_receives) == (5, 10, 9)
    assert made.visibility_timeout == 70
    short = ("trigger.queue", {"queue": "jobs", "visibilityTimeout": 10})
    assert found(drawn("/Flow", short)) == [("NX705", "trigger0", "visibilityTimeout")]


def test_files() -> None:
    made = trigger("trigger.file", bucket="uploads", prefix="in/", suffix=".csv")
    assert made == FileTrigger(
        node="trigger0", bucket="uploads", prefix="in/", suffix=".csv", notification="trigger0"
    )
    made = trigger("trigger.file", bucket="uploads", events=["created", "removed"])
    assert isinstance(made, FileTrigger)
    assert made.events == ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")


def test_records() -> None:
    made = trigger("trigger.record", table="orders", events="insert", startFrom="earliest")
    assert made == RecordTrigger(
        node="trigger0",
        table="orders",
        pattern={"eventName": ["INSERT"]},
        start="TRIM_HORIZON",
    )
    made = trigger("trigger.record", table="orders")
    assert isinstance(made, RecordTrigger)
    assert (made.pattern, made.start) == ({}, "LATEST")


def test_node_ids_that_are_no_names_are_named_by_their_label() -> None:
    flow = drawn("/Flow", ("trigger.manual", {}, "7f3a-11"))
    (made,) = function(flow).triggers
    assert isinstance(made, ManualTrigger)
    assert made.node == "7f3a-11"
    assert made.label.isidentifier()


def test_a_target_may_lack_a_trigger() -> None:
    (manifest,) = manifests(drawn("/Flow", MANUAL))
    strange = manifest.triggers[0].model_copy(update={"type": "trigger.telepathy"})
    manifest = manifest.model_copy(update={"triggers": [strange]})
    _, (finding,) = make_plan("shop", {}, 30, [manifest])
    assert finding.code == "NX704"


# --- names of other workflows and of variables ------------------------------------------------


def test_calls() -> None:
    call = ("workflow.call", {"workflow": "/Callee"})
    elsewhere = ("trigger.webhook", {"path": "/elsewhere"})
    callee, other = drawn("/Callee", MANUAL), drawn("/Other", elsewhere)
    caller = drawn("/Caller", WEBHOOK, nodes=[call], onError="/Callee")
    assert function(caller, callee, other).calls == {"/Callee": "callee"}
    assert found(drawn("/Caller", MANUAL, nodes=[call])) == [("NX603", "", None)]


def test_a_computed_name_may_be_that_of_any_workflow_that_can_be_called() -> None:
    one, other, third = manifests(
        drawn("/A", WEBHOOK), drawn("/B", MANUAL), drawn("/C", ("trigger.event", {"event": "e"}))
    )
    computed = one.model_copy(update={"calls": ["*"]})
    plan, _ = make_plan("shop", {}, 30, [computed, other, third])
    assert plan.functions[0].calls == {"/B": "b"}


def test_events_secrets_and_variables() -> None:
    request = {
        "url": "{{ vars.base }}/x",
        "headers": {"X": "{{ secrets.KEY }}", "Y": "{{ env.STAGE }}"},
    }
    flow = drawn(
        "/Flow",
        MANUAL,
        nodes=[("http.request", request), ("workflow.emit", {"event": "a.b"})],
    )
    plan, findings = planned(flow, vars={"base": "https://x.example", "unused": 1})
    (made,) = plan.functions
    assert not findings
    assert (made.emits, made.secrets, made.vars, made.env) == (
        ("a.b",),
        ("KEY",),
        ("base",),
        ("STAGE",),
    )
    assert plan.vars == {"base": "https://x.example"}
    assert plan.secrets == ("KEY",)
    assert plan.env == ("STAGE",)
    assert plan.has_bus


def test_variables_must_fit_a_function() -> None:
    flow = drawn("/Flow", MANUAL, nodes=[("data.set", {"value": "{{ vars.large }}"})])
    assert found(flow, vars={"large": "x" * 4000}) == [("NX707", "", None)]
    assert found(flow, vars={"large": "x" * 3000}) == []


# --- what workflows share ---------------------------------------------------------------------


def test_a_preflight_is_answered_by_one_workflow() -> None:
    cors = {"cors": {"origins": ["*"]}}
    one = drawn("/A", ("trigger.webhook", {"path": "/x", "method": "GET", **cors}))
    other = drawn("/B", ("trigger.webhook", {"path": "/x", "method": "POST", **cors}))
    plan, findings = planned(one, other)
    assert [each.code for each in findings] == ["NX705"]
    assert findings[0].severity is Severity.WARNING
    routes = [t.routes for _, t in plan.triggers() if isinstance(t, HttpTrigger)]
    assert routes == [("GET /x", "HEAD /x", "OPTIONS /x"), ("POST /x",)]


def test_two_webhooks_of_one_workflow_share_a_preflight() -> None:
    cors = {"cors": {"origins": ["*"]}}
    flow = drawn(
        "/A",
        ("trigger.webhook", {"path": "/x", "method": "GET", **cors}),
        ("trigger.webhook", {"path": "/x", "method": "POST", **cors}),
    )
    routes = [t.routes for t in function(flow).triggers if isinstance(t, HttpTrigger)]
    assert routes == [("GET /x", "HEAD /x", "OPTIONS /x"), ("POST /x",)]


def test_a_queue_has_one_reader() -> None:
    queue = ("trigger.queue", {"queue": "jobs"})
    assert found(drawn("/A", queue), drawn("/B", queue)) == [("NX705", "trigger0", "queue")]
    apart = ("trigger.queue", {"queue": "others"})
    assert found(drawn("/A", queue), drawn("/B", apart)) == []


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ({}, {}, True),
        ({"prefix": "a/"}, {"prefix": "b/"}, False),
        ({"prefix": "a/"}, {"prefix": "a/b"}, True),
        ({"suffix": ".csv"}, {"suffix": ".txt"}, False),
        ({"suffix": ".csv"}, {"suffix": "x.csv"}, True),
        ({"prefix": "a/", "suffix": ".csv"}, {"suffix": ".csv"}, True),
        ({"events": "created"}, {"events": "removed"}, False),
        ({"events": "created"}, {"events": ["created", "removed"]}, True),
    ],
)
def test_files_start_one_workflow(one: Any, other: Any, clash: bool) -> None:
    first = drawn("/A", ("trigger.file", {"bucket": "u", **one}))
    second = drawn("/B", ("trigger.file", {"bucket": "u", **other}))
    assert found(first, second) == ([("NX705", "trigger0", "bucket")] if clash else [])
    elsewhere = drawn("/B", ("trigger.file", {"bucket": "v", **other}))
    assert found(first, elsewhere) == []


def test_notifications_of_a_bucket_have_different_ids() -> None:
    one = drawn("/A", ("trigger.file", {"bucket": "u", "prefix": "a/"}))
    other = drawn("/B", ("trigger.file", {"bucket": "u", "prefix": "b/"}))
    plan, _ = planned(one, other)
    ids = [t.notification for _, t in plan.triggers() if isinstance(t, FileTrigger)]
    assert ids == ["a.trigger0", "b.trigger0"]


def test_the_bucket_of_the_history_is_taken() -> None:
    flow = drawn("/A", ("trigger.file", {"bucket": "data"}))
    assert found(flow) == [("NX705", "trigger0", "bucket")]


def test_buckets_and_tables_of_the_project() -> None:
    plan, _ = planned(
        drawn("/A", ("trigger.file", {"bucket": "u"}), ("trigger.record", {"table": "t"})),
        drawn("/B", ("trigger.file", {"bucket": "arn:aws:s3:::mine"})),
    )
    assert plan.buckets == ("u",)
    assert plan.tables == ("t",)


def test_dead_letters() -> None:
    assert function(drawn("/A", WEBHOOK)).dead_letters == ()
    assert function(drawn("/A", MANUAL)).dead_letters == (False,)
    assert function(drawn("/A", ("trigger.queue", {"queue": "q.fifo"}))).dead_letters == (True,)
    both = drawn("/A", ("trigger.queue", {"queue": "q.fifo"}), ("trigger.event", {"event": "e"}))
    assert function(both).dead_letters == (False, True)


def test_the_plan_as_data() -> None:
    plan, _ = planned(drawn("/A", WEBHOOK, timeout=10))
    data = plan.to_json()
    assert data["formatVersion"] == 1
    assert data["functions"][0]["triggers"] == [
        {
            "kind": "http",
            "node": "trigger0",
            "name": "",
            "routes": ("POST /orders/{id}",),
            "rate": None,
            "burst": None,
        }
    ]
    assert data["functions"][0]["retentionDays"] is None
