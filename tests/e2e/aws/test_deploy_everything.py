"""The life of a deployment in the emulated cloud: every kind of trigger fired for real, new code, a
canary that fails and one that does not, a rollback, drift, and an end that leaves nothing.

Policies are enforced throughout, and compared with what was really called.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.targets.aws.alarms import FAILED

from tests.support.emulated_aws import (
    ROOT,
    STACK,
    Deployment,
    combined_project,
    deployment,
    eventually,
)
from tests.support.engine import pulumi_command
from tests.support.granted import Grants, inventory, printed
from tests.support.loopback import Answer, Loopback, loopback
from tests.support.resume_page import opened, press

REGIONS = 12
"""Regions of the nightly report: with large answers from all of them, it fits no item."""
EXAMPLES = ("approval", "process-order", "nightly-report", "event-fanout", "intake")
SERVICES = ("paymentsUrl", "shopUrl", "crmUrl", "mailUrl", "bankUrl")
LARGE = {"id": "A-18", "total": 250, "card": "4242 4242 4242 4242"}
SMALL = {"id": "A-17", "total": 42.5, "card": "4242 4242 4242 4242"}
NOTE = {"id": "D-7", "supplier": "acme", "items": [{"sku": "bolt", "count": 40}]}


@pytest.mark.e2e
@pytest.mark.timeout(2400)
def test_a_deployment_from_its_begin_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nengine: the pulumi command, {pulumi_command()}")
    assert set(EXAMPLES) == {path.parent.name for path in ROOT.glob("examples/*/nodegx.json")}
    with loopback() as outside:
        answer(outside)
        vars: dict[str, Any] = dict.fromkeys(SERVICES, outside.url)
        vars["regions"] = [f"region-{number}" for number in range(REGIONS)]
        root = combined_project(tmp_path / "shop", *EXAMPLES, vars=vars)
        with deployment(root, tmp_path) as shop:
            before = inventory(shop.cloud)
            deploys(shop)
            heard = listen(shop)
            fires(shop, outside)
            asks(shop, outside)
            records(shop)
            operates(shop)
            updates(shop)
            withdraws_a_bad_canary(shop)
            promotes_a_good_canary(shop)
            rolls_back(shop)
            gives_up(shop, outside, heard)
            compares_policies(shop)
            drifts(shop)
            destroys(shop, before)
            with capsys.disabled():
                print(printed(shop.seconds))


def answer(outside: Loopback) -> None:
    """What the services of others answer."""
    outside.at("/charges", Answer(201, {"id": "ch_1"}))
    outside.at("/sales", Answer(200, {"orders": [{"total": 5}, {"total": 10}]}))
    outside.at("/tickets", Answer(200, [{"id": 1}]))
    for path in (*REACHED, "/messages"):
        outside.at(path, Answer(201, {}))


# ---------------------------------------------------------------------------- deploying


def deploys(shop: Deployment) -> None:
    shop.nodegx("compile", "--target", "aws")
    previewed = shop.nodegx("preview", "--stack", STACK)
    assert not shop.cloud.client("lambda").list_functions()["Functions"]
    made = shop.deploy()
    assert {each["operation"] for each in made["resources"]} == {"create"}
    assert len(made["resources"]) == len(previewed["resources"]) > 150
    again = shop.deploy()
    assert again["resources"] == []
    shop.cloud.client("secretsmanager").put_secret_value(
        SecretId=shop.place.names.secret("SHOP_TOKEN"), SecretString="letmein"
    )


def listen(shop: Deployment) -> str:
    """A queue that hears of alarms, as somebody's mailbox would."""
    sqs, sns = shop.cloud.client("sqs"), shop.cloud.client("sns")
    url = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
    arn = shop.cloud.arn("sqs", "mailbox")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=shop.outputs["alarmTopic"], Protocol="sqs", Endpoint=arn)
    return str(url)


# ------------------------------------------------------------------------------- firing


def fires(shop: Deployment, outside: Loopback) -> None:
    names, place = shop.place.names, shop.place
    assert shop.request("POST", "/orders", LARGE) == (201, {"order": "A-18", "charge": "ch_1"})
    assert shop.request("POST", "/orders", SMALL)[1]["terms"] == "net 30"
    status, refused = shop.request("POST", "/orders", {"id": ""})
    assert (status, refused["problems"]["count"]) == (422, 3)
    assert shop.request("GET", "/orders")[0] == 404

    status, _ = shop.request("POST", "/signups/business", {"email": " Ada@Example.com "})
    assert status == 202

    queue = shop.cloud.client("sqs").get_queue_url(QueueName=names.queue("deliveries"))
    shop.cloud.client("sqs").send_message(QueueUrl=queue["QueueUrl"], MessageBody=json.dumps(NOTE))
    uploads = place.bucket_name("uploads")
    for key in ("prices/acme/2026.csv", "prices/acme/2026.txt", "photos/acme/2026.csv"):
        shop.cloud.client("s3").put_object(Bucket=uploads, Key=key, Body=b"bolt;1.20")
    for count in (12, 8):
        shop.cloud.client("dynamodb").put_item(
            TableName=names.table("stock"),
            Item={"id": {"S": "bolt"}, "count": {"N": str(count)}, "minimum": {"N": "10"}},
        )
    fire_schedule(shop)

    came = {path: eventually(lambda path=path: at(outside, path)) for path in REACHED}
    assert came["/accounts"][0] == {"email": "ada@example.com", "plan": "business"}
    assert came["/deliveries"] == [{"id": "D-7", "items": NOTE["items"]}]
    [imported] = came["/imports"]
    assert (imported["bucket"], imported["key"]) == (uploads, "prices/acme/2026.csv")
    assert came["/purchases"] == [{"sku": "bolt", "count": 12}]
    [report] = came["/reports"]
    assert (report["revenue"], report["openTickets"]) == (15 * REGIONS, 1)
    [booked] = [seen for seen in outside.seen if seen.path == "/deliveries"]
    assert booked.headers["authorization"] == "Bearer letmein"


REACHED = ("/accounts", "/newsletter", "/deliveries", "/imports", "/purchases", "/reports")


def at(outside: Loopback, path: str) -> list[Any]:
    """The bodies of the requests to a path."""
    return [json.loads(seen.body) for seen in outside.seen if seen.path == path]


def fire_schedule(shop: Deployment) -> None:
    """Starts what is scheduled for the night within seconds, by the very same target."""
    names, scheduler = shop.place.names, shop.cloud.client("scheduler")
    nightly = scheduler.get_schedule(
        GroupName=names.shared, Name=names.schedule("nightly_report", "night")
    )
    assert nightly["ScheduleExpression"] == "cron(30 2 * * ? *)"
    assert nightly["ScheduleExpressionTimezone"] == "Europe/Berlin"
    scheduler.create_schedule(
        GroupName=names.shared,
        Name="now",
        ScheduleExpression=f"at({datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target=nightly["Target"],
    )


def asks(shop: Deployment, outside: Loopback) -> None:
    """An expense waits for somebody, who rejects it; its receipts fit no item of the table."""
    receipts = [random.randbytes(2_000).hex() for _ in range(10)]
    expense = {"employee": "ada@example.com", "amount": 40, "receipts": receipts}
    once = {"Idempotency-Key": "expense-1"}
    status, accepted = shop.request("POST", "/expenses", expense, once)
    assert status == 202
    assert shop.request("POST", "/expenses", expense, once) == (202, accepted)
    [mail] = eventually(lambda: at(outside, "/messages"))
    status, page = eventually(lambda: opened(shop, mail["link"]))
    assert status == 200
    assert press(shop, mail["link"], page, "reject", note="no receipt") == 200
    [_, refusal] = eventually(lambda: at(outside, "/messages")[1:] and at(outside, "/messages"))
    assert (refusal["to"], refusal["text"]) == ("ada@example.com", "no receipt")


def executions(shop: Deployment, workflow: str) -> list[Any]:
    found = shop.nodegx("history", "list", "--stack", STACK, "--workflow", workflow)
    return found["executions"]


def records(shop: Deployment) -> None:
    """Every execution is in the history, with what led to what."""
    for workflow in (
        "Signup",
        "AddToCrm",
        "CallSales",
        "TakeDelivery",
        "ImportPrices",
        "PayExpense",
    ):
        eventually(lambda workflow=workflow: ended(executions(shop, workflow)))
    listed = shop.nodegx("history", "list", "--stack", STACK, "--limit", "100")["executions"]
    assert Counter(each["workflow"].rpartition("/")[2] for each in listed) == {
        "ProcessOrder": 3,
        "Signup": 1,
        "AddToCrm": 1,
        "ScoreLead": 1,
        "CallSales": 1,
        "TakeDelivery": 1,
        "ImportPrices": 1,
        "WatchStock": 2,
        "NightlyReport": 1,
        "PayExpense": 1,
    }
    assert {each["status"] for each in listed} == {"success"}
    large = next(e for e in reversed(listed) if e["workflow"].endswith("/ProcessOrder"))
    shown = json.dumps(shop.nodegx("history", "show", large["id"], "--stack", STACK))
    assert "ch_1" in shown
    assert LARGE["card"] not in shown


def ended(found: list[Any]) -> bool:
    return bool(found) and all(each["status"] not in ("running", "started") for each in found)


def operates(shop: Deployment) -> None:
    """What whoever looks after a deployment asks for every day."""
    workflow = ("ProcessOrder", "--stack", STACK)
    [version] = shop.nodegx("versions", *workflow)
    assert (version["number"], version["share"]) == ("1", 1)
    invoked = shop.nodegx("invoke", *workflow, "--data", json.dumps({"body": SMALL}))
    assert (invoked["status"], invoked["output"]["terms"]) == ("success", "net 30")
    hours = {each["workflow"]: each for each in shop.nodegx("metrics", "--stack", STACK)}
    counts = hours["/#__cloud__/ProcessOrder"]
    assert (counts["count"], counts["success"], counts["error"]) == (4, 4, 0)
    with shop.following("logs", "--follow", *workflow) as lines:
        seen = [next(lines) for _ in range(4)]  # what there is already
        assert shop.request("POST", "/orders", SMALL)[0] == 200
        new = next(lines)
    assert new["message"] == "execution ended: success"
    assert new["execution"] not in {line["execution"] for line in seen}


# ------------------------------------------------------------------------------- traffic


def updates(shop: Deployment) -> None:
    """New code alone, in seconds."""

    def change(workflow: Any) -> None:
        node(workflow, "invoice")["parameters"]["value"]["terms"] = "net 14"

    shop.edit("process-order.json", change)
    found = shop.deploy("--code-only", "--workflow", "ProcessOrder")
    assert [(each["slug"], each["version"]) for each in found["published"]] == [
        ("process_order", "2")
    ]
    assert shop.request("POST", "/orders", SMALL)[1]["terms"] == "net 14"


def node(workflow: Any, id: str) -> Any:
    workflows = workflow.get("components", [workflow])
    return next(each for one in workflows for each in one["nodes"] if each["id"] == id)


@contextmanager
def traffic(shop: Deployment) -> Iterator[Counter[int]]:
    """Sign-ups all the time; counts the answers."""
    found: Counter[int] = Counter()
    end = threading.Event()

    def sign_up() -> None:
        while not end.wait(0.7):  # a client may sign up a hundred times a minute
            found[shop.request("POST", "/signups/free", {"email": "a@example.com"})[0]] += 1

    thread = threading.Thread(target=sign_up)
    thread.start()
    try:
        yield found
    finally:
        end.set()
        thread.join()


def withdraws_a_bad_canary(shop: Deployment) -> None:
    def spoil(workflow: Any) -> None:
        node(workflow, "user")["parameters"]["value"]["email"] = "{{ form.body.nobody }}"

    def mend(workflow: Any) -> None:
        node(workflow, "user")["parameters"]["value"]["email"] = (
            "{{ form.body.email.strip().lower() }}"
        )

    shop.edit("signup.json", spoil)
    with traffic(shop) as answers:
        found = shop.deploy("--canary", "50", "--watch", "90s", expect=1)
    assert not found["ok"]
    assert {trouble["slug"] for trouble in found["troubles"]} == {"signup"}
    assert answers[500] > 0 < answers[202]
    with traffic(shop) as answers:
        time.sleep(5)
    assert set(answers) == {202}
    shop.edit("signup.json", mend)


def promotes_a_good_canary(shop: Deployment) -> None:
    def change(workflow: Any) -> None:
        node(workflow, "welcome")["parameters"]["status"] = 201

    quiet(shop, "signup", "failures")
    shop.edit("signup.json", change)
    with traffic(shop) as answers:
        found = shop.deploy("--canary", "50", "--watch", "10s")
    assert [each["slug"] for each in found["published"]] == ["signup"]
    assert answers[201] > 0 < answers[202]
    with traffic(shop) as answers:
        time.sleep(5)
    assert set(answers) == {201}


def quiet(shop: Deployment, slug: str, kind: str) -> None:
    """Sets an alarm back, as five minutes without failures would."""
    shop.cloud.client("cloudwatch").set_alarm_state(
        AlarmName=shop.place.names.alarm(slug, kind), StateValue="OK", StateReason="it is over"
    )


def rolls_back(shop: Deployment) -> None:
    moved = shop.nodegx("rollback", "--stack", STACK)["moved"]
    assert [each["slug"] for each in moved] == ["signup"]
    assert shop.request("POST", "/signups/free", {"email": "a@example.com"})[0] == 202
    assert shop.seconds[-1][1] < 15


# --------------------------------------------------------------- failures, alarms, policies


def gives_up(shop: Deployment, outside: Loopback, heard: str) -> None:
    """What cannot be done ends in the dead letters; somebody is told; large runs go to S3."""
    names, sqs = shop.place.names, shop.cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName=names.queue("deliveries"))["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"id": "broken"}))
    shop.cloud.client("s3").put_object(
        Bucket=shop.place.bucket_name("uploads"), Key="prices/acme/empty.csv", Body=b""
    )
    outside.at("/charges", Answer(200, {}))  # an answer without what is to be read from it
    assert shop.request("POST", "/orders", LARGE)[0] == 500
    outside.at(
        "/sales", lambda _: Answer(200, {"orders": [], "noise": random.randbytes(40_000).hex()})
    )
    fire_schedule(shop)

    [given_up] = eventually(lambda: dead_letters(shop, "import_prices"))
    assert given_up["requestContext"]["condition"] == "RetriesExhausted"
    assert given_up["requestPayload"]["Records"][0]["s3"]["object"]["key"].endswith("empty.csv")
    [message] = eventually(lambda: dead_letters(shop, "take_delivery"))
    assert message == {"id": "broken"}
    failed = [each for each in executions(shop, "TakeDelivery") if each["status"] == "error"]
    assert len(failed) == 2  # maxReceives
    eventually(lambda: ended(executions(shop, "NotifyOps")))
    eventually(lambda: len(at(outside, "/reports")) == 2)
    eventually(lambda: ended(executions(shop, "NightlyReport")))
    large = executions(shop, "NightlyReport")[0]["id"]
    steps = shop.nodegx("history", "show", large, "--stack", STACK)["steps"]
    assert len([step for step in steps if step["id"].startswith("sales[")]) == REGIONS

    wanted = {
        names.alarm("take_delivery", "dead-letters"),
        names.alarm("import_prices", "errors"),
        names.alarm("process_order", "failures"),
    }
    announced: set[str] = set()

    def hear() -> bool:
        answer = sqs.receive_message(QueueUrl=heard, MaxNumberOfMessages=10)
        for each in answer.get("Messages", ()):
            alarm = json.loads(json.loads(each["Body"])["Message"])
            if alarm["NewStateValue"] == "ALARM":
                announced.add(alarm["AlarmName"])
        return announced >= wanted

    eventually(hear)
    lines = shop.cloud.client("logs").describe_metric_filters(
        logGroupName=names.log_group("process_order")
    )["metricFilters"]
    assert [each["filterPattern"] for each in lines] == [FAILED]


def dead_letters(shop: Deployment, slug: str) -> list[Any]:
    sqs = shop.cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=shop.place.names.dead_letters(slug))["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [json.loads(each["Body"]) for each in answer.get("Messages", ())]


def compares_policies(shop: Deployment) -> None:
    functions: dict[str, str] = shop.outputs["functions"]
    grants = Grants.read(shop.cloud, functions.values())
    grants.traces[functions["take_delivery"]].add("queue")  # its executions were seen
    grants.traces[functions["watch_stock"]].add("stream")
    grants.traces[functions["import_prices"]].add("dead letters")
    calls = list(shop.recorder.calls)
    grants.notice(shop.cloud, shop.place.names, functions, calls)
    assert {grants.keys.get(call.key) for call in calls} >= set(functions.values())
    assert grants.forbidden(calls) == []
    assert grants.unused(calls) == []
    assert grants.everything() == []


# ------------------------------------------------------------------------------- the end


def drifts(shop: Deployment) -> None:
    assert shop.deploy()["resources"] == []
    # What was rolled back goes forward again.
    assert shop.request("POST", "/signups/free", {"email": "a@example.com"})[0] == 201
    assert shop.nodegx("drift", "--stack", STACK) == []
    name = shop.place.names.function("notify_ops")
    shop.cloud.client("lambda").update_function_configuration(FunctionName=name, MemorySize=512)
    rule = shop.place.names.rule("add_to_crm", "created")
    bus = shop.place.names.shared
    shop.cloud.client("events").remove_targets(Rule=rule, EventBusName=bus, Ids=["workflow"])
    found = shop.nodegx("drift", "--stack", STACK, expect=1)
    by_kind = {each["kind"]: each for each in found}
    assert by_kind["lambda.Function"]["differences"]["memorySize"] == [256, 512]
    assert by_kind["cloudwatch.EventTarget"]["gone"]
    assert len(found) == 2
    shop.deploy("--refresh")
    assert shop.nodegx("drift", "--stack", STACK) == []
    live = shop.cloud.client("lambda").get_function_configuration(FunctionName=name)
    assert live["MemorySize"] == 256


def destroys(shop: Deployment, before: dict[str, list[str]]) -> None:
    shop.cloud.client("sqs").delete_queue(QueueUrl=mailbox(shop))
    shop.nodegx("destroy", "--stack", STACK, "--yes")
    left = inventory(shop.cloud)
    left["subscriptions"] = [each for each in left["subscriptions"] if "mailbox" not in each]
    assert left == before


def mailbox(shop: Deployment) -> str:
    return shop.cloud.client("sqs").get_queue_url(QueueName="mailbox")["QueueUrl"]
