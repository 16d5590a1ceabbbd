"""Durable executions in the emulated cloud: waits, forms, loops, work after answers, calls, a
function that is killed, code that changes meanwhile. Policies are enforced, and compared with what
was really called."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from nodegx.providers.aws.emulator import pulumi_build

from tests.support.emulated_aws import STACK, Deployment, deployment, eventually
from tests.support.granted import Grants, inventory, printed
from tests.support.loopback import Answer, Loopback, loopback
from tests.support.projects import chain, node, write_project
from tests.support.resume_page import opened, press, visit

NAME = "/#__cloud__/{}".format


def hook(path: str) -> dict[str, Any]:
    return node("start", "trigger.webhook", method="POST", path=path)


def tell(id: str, path: str, body: Any) -> dict[str, Any]:
    """A step that tells somebody outside."""
    url = f"{{{{ vars.outsideUrl }}}}{path}"
    return node(id, "http.request", method="POST", url=url, json=body)


REMIND = chain(
    NAME("Remind"),
    hook("/reminders"),
    tell("before", "/before", "{{ start.body.name }}"),
    node("pause", "logic.wait", duration="4s"),
    tell("after", "/after", "{{ start.body.name }}"),
    durable=True,
)
APPROVE = chain(
    NAME("Approve"),
    hook("/requests"),
    tell("mail", "/mails", {"link": "{{ resumeUrl('ask') }}"}),
    node(
        "ask",
        "logic.wait",
        webhook={
            "form": {
                "title": "Buy {{ start.body.what }}?",
                "fields": [{"name": "note", "type": "text"}],
                "actions": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
            }
        },
        timeout="2d",
    ),
    tell("decide", "/decisions", {"action": "{{ ask.action }}", "note": "{{ ask.body.note }}"}),
)
ROUNDS: dict[str, Any] = {
    "name": NAME("Rounds"),
    "settings": {"durable": True},
    "nodes": [
        node("start", "trigger.manual"),
        node("each", "logic.forEach", items=[1, 2, 3]),
        node("pause", "logic.wait", duration="3s"),
        tell("round", "/rounds", "{{ item }}"),
        tell("end", "/rounds-end", "{{ each.results }}"),
    ],
    "connections": [
        {"sourceId": one, "sourcePort": port, "targetId": other, "targetPort": "run"}
        for one, port, other in (
            ("start", "started", "each"),
            ("each", "iteration", "pause"),
            ("pause", "done", "round"),
            ("each", "completed", "end"),
        )
    ],
}
EARLY = chain(
    NAME("Early"),
    hook("/early"),
    node("answer", "cloud.response", status=202, body={"soon": True}),
    node("block", "code.python", code="import time\ntime.sleep(3)\nreturn 'late'"),
    tell("late", "/late", "{{ block }}"),
)
PARENT = chain(
    NAME("Parent"),
    hook("/parents"),
    node("child", "workflow.call", workflow=NAME("Child"), input={"n": "{{ start.body.n }}"}),
    node("plain", "workflow.call", workflow=NAME("Plain"), input="{{ child }}"),
    tell("end", "/parents-end", "{{ plain }}"),
)
CHILD = chain(
    NAME("Child"),
    node("start", "trigger.manual"),
    node("pause", "logic.wait", duration="3s"),
    node("answer", "cloud.response", body={"twice": "{{ start.n * 2 }}"}),
    durable=True,
)
PLAIN = chain(
    NAME("Plain"),
    node("start", "trigger.manual"),
    node("answer", "cloud.response", body={"plain": "{{ start.twice }}"}),
)
KILL = """
import os, signal, urllib.request
with urllib.request.urlopen(url) as answer:
    if answer.read() == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
return "survived"
"""
FRAIL = chain(
    NAME("Frail"),
    node("start", "trigger.manual"),
    tell("one", "/one", 1),
    node("two", "code.python", code=KILL, inputs={"url": "{{ vars.outsideUrl }}/fate"}),
    tell("three", "/three", "{{ two }}"),
    durable=True,
    timeout=5,
)
FAILS = chain(
    NAME("Fails"),
    node("start", "trigger.manual"),
    tell("one", "/fails-one", 1),
    node("two", "http.request", method="GET", url="{{ vars.outsideUrl }}/gone"),
    durable=True,
)
ELSEWHERE = ("GiveUp", "WriteLargeHistory")
"""Statements that another test needs: events that are given up, histories that fit no item."""
PATHS = (
    *("/before", "/after", "/mails", "/decisions", "/rounds", "/rounds-end", "/late"),
    *("/parents-end", "/one", "/three", "/fails-one"),
)
WORKFLOWS = (REMIND, APPROVE, ROUNDS, EARLY, PARENT, CHILD, PLAIN, FRAIL, FAILS)


@pytest.mark.e2e
@pytest.mark.timeout(2400)
def test_executions_outlive_their_functions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if pulumi_build.find_or_build() is None:
        pytest.skip("no pulumi, and no Go to build it")
    with loopback() as outside:
        for path in PATHS:
            outside.at(path, Answer(201, {}))
        root = write_project(tmp_path / "shop", *WORKFLOWS, vars={"outsideUrl": outside.url})
        with deployment(root, tmp_path) as shop:
            before = inventory(shop.cloud)
            shop.deploy()
            waits_for_seconds(shop, outside)
            works_after_its_answer(shop, outside)
            goes_through_a_loop(shop, outside)
            calls_and_is_told(shop, outside)
            asks_a_person(shop, outside)
            survives_its_function(shop, outside)
            leaves_a_dead_letter(shop, outside)
            goes_on_with_the_code_it_began_on(shop, outside)
            cancels(shop)
            leaves_nothing(shop)
            compares_policies(shop)
            shop.nodegx("destroy", "--stack", STACK, "--yes")
            assert inventory(shop.cloud) == before
            with capsys.disabled():
                print(printed(shop.seconds))


def at(outside: Loopback, path: str) -> list[Any]:
    """The bodies of the requests to a path."""
    return [json.loads(seen.body) for seen in outside.seen if seen.path == path]


def executions(shop: Deployment, workflow: str) -> list[Any]:
    found = shop.nodegx("history", "list", "--stack", STACK, "--workflow", workflow)
    return found["executions"]


def succeeded(shop: Deployment, workflow: str) -> list[Any]:
    """Executions that have all succeeded."""
    found = executions(shop, workflow)
    return found if {each["status"] for each in found} == {"success"} else []


def steps(shop: Deployment, workflow: str) -> list[tuple[str, str]]:
    """The steps of the latest execution, and how they ended."""
    latest = executions(shop, workflow)[0]["id"]
    shown = shop.nodegx("history", "show", latest, "--stack", STACK)
    return [(step["id"], step["status"]) for step in shown["steps"]]


def start(shop: Deployment, workflow: str, input: Any = None) -> None:
    """Starts a workflow by hand, without waiting for it."""
    given = [] if input is None else ["--data", json.dumps(input)]
    shop.nodegx("invoke", workflow, "--stack", STACK, "--no-wait", *given)


# ------------------------------------------------------------------------------- waits


def waits_for_seconds(shop: Deployment, outside: Loopback) -> None:
    large = {"name": "Ada", "notes": [random.randbytes(2_000).hex() for _ in range(10)]}
    status, body = shop.request("POST", "/reminders", large)
    assert status == 202
    [waiting] = executions(shop, "Remind")
    assert (waiting["id"], waiting["status"]) == (body["executionId"], "waiting")
    assert at(outside, "/after") == []
    assert eventually(lambda: at(outside, "/after")) == ["Ada"]
    eventually(lambda: succeeded(shop, "Remind"))
    assert at(outside, "/before") == ["Ada"]
    assert steps(shop, "Remind") == [(id, "success") for id in ("before", "pause", "after")]


def goes_through_a_loop(shop: Deployment, outside: Loopback) -> None:
    start(shop, "Rounds")
    eventually(lambda: at(outside, "/rounds-end"))
    assert at(outside, "/rounds") == [1, 2, 3]
    eventually(lambda: succeeded(shop, "Rounds"))


def works_after_its_answer(shop: Deployment, outside: Loopback) -> None:
    assert shop.request("POST", "/early") == (202, {"soon": True})
    assert at(outside, "/late") == []  # what follows takes three seconds
    assert eventually(lambda: at(outside, "/late")) == ["late"]
    eventually(lambda: succeeded(shop, "Early"))
    assert [id for id, _ in steps(shop, "Early")] == ["answer", "block", "late"]


def calls_and_is_told(shop: Deployment, outside: Loopback) -> None:
    assert shop.request("POST", "/parents", {"n": 21})[0] == 202
    assert eventually(lambda: at(outside, "/parents-end")) == [{"plain": 42}]
    [parent] = eventually(lambda: succeeded(shop, "Parent"))
    [child] = succeeded(shop, "Child")
    [plain] = succeeded(shop, "Plain")
    assert {child["parent"], plain["parent"]} == {parent["id"]}


def asks_a_person(shop: Deployment, outside: Loopback) -> None:
    assert shop.request("POST", "/requests", {"what": "a <b>chair</b>"})[0] == 202
    [mail] = eventually(lambda: at(outside, "/mails"))
    link: str = mail["link"]
    assert link.startswith(f"{shop.outputs['url']}/_nodegx/approve/_nodegx/resume/")
    status, page = eventually(lambda: opened(shop, link))
    assert (status, "Buy a <b>chair</b>?" in page) == (200, True)
    assert visit(shop, f"{link[:-3]}abc")[0] == 404
    assert press(shop, link, page, "no", note="too dear") == 200
    assert eventually(lambda: at(outside, "/decisions")) == [{"action": "no", "note": "too dear"}]
    eventually(lambda: succeeded(shop, "Approve"))
    assert visit(shop, link)[0] in (404, 410)


# ------------------------------------------------------------------------- crashes, failures


def survives_its_function(shop: Deployment, outside: Loopback) -> None:
    """The process is killed in the middle of a step; the sweep has another one go on."""
    fate = iter(["die"])
    outside.at("/fate", lambda _: Answer(200, next(fate, "live")))
    start(shop, "Frail")
    assert eventually(lambda: at(outside, "/three"), seconds=180) == ["survived"]
    assert at(outside, "/one") == [1]
    assert len([seen for seen in outside.seen if seen.path == "/fate"]) == 2
    eventually(lambda: succeeded(shop, "Frail"))
    assert [id for id, _ in steps(shop, "Frail")] == ["one", "two", "three"]


def leaves_a_dead_letter(shop: Deployment, outside: Loopback) -> None:
    """What fails stays until somebody has mended the cause and lets it go on from there."""
    outside.at("/gone", Answer(410, "gone"), Answer(200, {}))
    start(shop, "Fails")
    [failed] = eventually(lambda: dead_letters(shop))
    assert at(outside, "/fails-one") == [1]
    shop.nodegx("executions", "resume", failed["id"], "--stack", STACK, "--yes")
    [record] = eventually(lambda: succeeded(shop, "Fails"))
    assert record["id"] == failed["id"]
    assert at(outside, "/fails-one") == [1]
    assert dead_letters(shop) == []


def dead_letters(shop: Deployment) -> list[Any]:
    found = shop.nodegx("executions", "list", "--status", "failed", "--stack", STACK)
    return found["executions"]


def cancels(shop: Deployment) -> None:
    """An operator ends what waits."""
    shop.request("POST", "/requests", {"what": "a lamp"})
    [waiting] = eventually(
        lambda: shop.nodegx("executions", "list", "--status", "waiting", "--stack", STACK)[
            "executions"
        ]
    )
    shop.nodegx(
        "executions", "cancel", waiting["id"], "--stack", STACK, "--reason", "sold out", "--yes"
    )
    assert executions(shop, "Approve")[0]["status"] == "cancelled"


def goes_on_with_the_code_it_began_on(shop: Deployment, outside: Loopback) -> None:
    outside.seen.clear()
    shop.request("POST", "/requests", {"what": "a table"})
    [mail] = eventually(lambda: at(outside, "/mails"))

    def change(workflow: Any) -> None:
        workflow["nodes"][-1]["parameters"]["json"] = "new"

    shop.edit("approve.json", change)
    shop.deploy("--code-only", "--workflow", "Approve")
    _, page = eventually(lambda: opened(shop, mail["link"]))
    assert press(shop, mail["link"], page, "yes", note="old") == 200
    assert eventually(lambda: at(outside, "/decisions")) == [{"action": "yes", "note": "old"}]


def leaves_nothing(shop: Deployment) -> None:
    """No schedules but those of the sweeps and of what was cancelled, and nothing in the table or
    the bucket but the history."""

    def schedules() -> list[str]:
        found = shop.cloud.client("scheduler").list_schedules(GroupName=shop.place.names.shared)
        return [each["Name"] for each in found["Schedules"] if each["Name"][0] != "."]

    eventually(lambda: len(schedules()) == 1)
    table = shop.cloud.client("dynamodb").scan(TableName=shop.place.names.history)["Items"]
    assert {item["pk"]["S"][:2] for item in table} == {"X#", "M#"}
    objects = shop.cloud.client("s3").list_objects_v2(
        Bucket=shop.place.data_bucket_name, Prefix="runs/"
    )
    assert objects.get("Contents", []) == []


# ------------------------------------------------------------------------------- policies


def compares_policies(shop: Deployment) -> None:
    functions: dict[str, str] = shop.outputs["functions"]
    grants = Grants.read(shop.cloud, functions.values())
    calls = list(shop.recorder.calls)
    grants.notice(shop.cloud, shop.place.names, functions, calls)
    assert grants.forbidden(calls) == []
    unused = [each for each in grants.unused(calls) if each.split(" ")[1] not in ELSEWHERE]
    assert unused == []
    assert grants.everything() == []
