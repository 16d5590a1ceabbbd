"""Executions that outlive the server they began on: real servers, one after and beside the other."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodegx.compiler.build.project import build_project
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import RunQuery
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.ids import new_id
from nodegx.server import serving
from nodegx.server.options import Pace, ServerOptions
from nodegx.server.serving import Server

from tests.support.faulty_runs import FaultyRuns
from tests.support.loopback import Answer, Loopback, loopback
from tests.support.projects import chain, node, write_project
from tests.support.until import until

pytestmark = pytest.mark.slow

QUICK = Pace(lease=2.0, poll=0.05, hold=0.05)

FORM = {
    "title": "Approve the order",
    "fields": [{"name": "note", "type": "string", "required": False}],
    "actions": [
        {"value": "approve", "label": "Approve"},
        {"value": "reject", "label": "Reject"},
    ],
}
APPROVE = chain(
    "/#__cloud__/Approve",
    node("order", "trigger.webhook", method="POST", path="/orders"),
    node(
        "mail",
        "http.request",
        method="POST",
        url="{{ vars.site }}/mail",
        json={"link": "{{ resumeUrl('approval') }}", "ref": "{{ uuid() }}"},
    ),
    node("ack", "cloud.response", status=202, body="wait"),
    node("approval", "logic.wait", webhook={"form": FORM}, timeout="2d"),
    node(
        "ship",
        "http.request",
        method="POST",
        url="{{ vars.site }}/ship",
        json={
            "id": "{{ order.body.id }}",
            "action": "{{ approval.action }}",
            "note": "{{ approval.body.note }}",
        },
    ),
)
MAILS = ("mail", "approval")
NAP = chain(
    "/#__cloud__/Nap",
    node("start", "trigger.manual"),
    node("nap", "logic.wait", duration="{{ start.seconds }}"),
    node("report", "http.request", method="POST", url="{{ vars.site }}/report", json={}),
    node("reply", "cloud.response", body="done"),
)


@pytest.fixture
def site() -> Iterator[Loopback]:
    with loopback() as server:
        for path in ("/mail", "/ship", "/report"):
            server.at(path, Answer(200, {}))
        yield server


@pytest.fixture
def options(tmp_path: Path, site: Loopback) -> ServerOptions:
    project(tmp_path, APPROVE, NAP)
    return ServerOptions(
        build=tmp_path / "build",
        root=tmp_path,
        port=0,
        vars={"site": site.url},
        history=tmp_path / ".nodegx" / "history.sqlite3",
        request_log=False,
        log_level="error",
        pace=QUICK,
    )


def project(root: Path, *workflows: dict[str, Any]) -> None:
    write_project(root, *workflows, vars={"site": ""})
    report = build_project(root, jobs=1)
    assert report.ok, report.diagnostics


def seen(site: Loopback, path: str) -> list[Any]:
    return [json.loads(each.body) for each in site.seen if each.path == path]


async def record(server: Server, id: str) -> ExecutionRecord | None:
    store = server.store
    assert store is not None
    return store.get(id)


async def test_a_person_approves_by_the_link_of_a_mail(
    options: ServerOptions, site: Loopback
) -> None:
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(f"{server.url}/orders", json={"id": "A-1"})
        assert (answer.status_code, answer.text) == (202, "wait")
        [mail] = seen(site, "/mail")
        [state] = server.runs.list(RunQuery())
        await until(lambda: server.runs.list(RunQuery())[0].status == RunStatus.WAITING)
        assert (await record(server, state.id)).status == Status.WAITING

        page = await client.get(mail["link"])
        assert page.status_code == 200
        assert "Approve the order" in page.text
        assert not seen(site, "/ship")
        wrong = await client.post(mail["link"][:-4] + "AAAA", data={"$action": "approve"})
        assert wrong.status_code == 404

        form = {"$action": "approve", "note": "go"}
        assert (await client.post(mail["link"], data=form)).status_code == 200
        await until(lambda: seen(site, "/ship"))
        assert seen(site, "/ship") == [{"id": "A-1", "action": "approve", "note": "go"}]
        await until(lambda: not server.runs.list(RunQuery()))
        ended = await record(server, state.id)
        assert ended is not None
        assert ended.status == Status.SUCCESS
        assert [step.id for step in ended.steps] == ["mail", "ack", "approval", "ship"]
        assert (await client.post(mail["link"], data=form)).status_code in (404, 410)
    assert len(seen(site, "/mail")) == 1


async def test_an_execution_goes_on_after_a_restart(options: ServerOptions, site: Loopback) -> None:
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        await client.post(f"{server.url}/orders", json={"id": "A-2"})
        [mail] = seen(site, "/mail")
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        link = mail["link"].replace(mail["link"].split("/_nodegx")[0], server.url)
        answer = await client.post(link, json={"$action": "reject", "note": "no"})
        assert answer.status_code == 200, answer.text
        await until(lambda: seen(site, "/ship"))
    assert seen(site, "/ship") == [{"id": "A-2", "action": "reject", "note": "no"}]
    assert len(seen(site, "/mail")) == 1


async def test_an_execution_goes_on_with_the_code_that_it_began_on(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        await client.post(f"{server.url}/orders", json={"id": "A-3"})
        [mail] = seen(site, "/mail")
        changed = json.loads(json.dumps(APPROVE))
        changed["nodes"][1]["parameters"]["json"] = {"link": "another"}
        changed["nodes"][4]["parameters"]["json"] = {"another": "version"}
        project(tmp_path, changed)
        reloaded = await server.reload()
        assert reloaded.changed == ["/#__cloud__/Approve"]
        assert (await client.post(mail["link"], json={"$action": "approve"})).status_code == 200
        await until(lambda: seen(site, "/ship"))
        assert seen(site, "/ship") == [{"id": "A-3", "action": "approve", "note": None}]


async def test_an_execution_whose_code_is_gone_is_stopped_with_an_explanation(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        await client.post(f"{server.url}/orders", json={"id": "A-4"})
        [mail] = seen(site, "/mail")
        await until(lambda: server.runs.list(RunQuery())[0].status == RunStatus.WAITING)
        for kept in (tmp_path / ".nodegx" / "versions").glob("*/*/*"):
            kept.unlink()
        changed = json.loads(json.dumps(APPROVE))
        changed["nodes"][4]["parameters"]["json"] = {"another": "version"}
        project(tmp_path, changed)
        await server.reload()
        assert (await client.post(mail["link"], json={"$action": "approve"})).status_code == 200
        await until(lambda: server.runs.list(RunQuery())[0].status == RunStatus.FAILED)
        [state] = server.runs.list(RunQuery())
        assert state.error is not None
        assert json.loads(state.error)["code"] == "version.missing"
        assert "nodegx executions migrate" in state.error
        assert (await record(server, state.id)).status == Status.ERROR
    assert not seen(site, "/ship")


async def test_who_waits_for_an_execution_that_cannot_go_on_is_told(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    ship = node("ship", "http.request", method="POST", url="{{ vars.site }}/ship", json={})
    steps: list[dict[str, Any]] = [each for each in APPROVE["nodes"] if each["id"] in MAILS]
    child = chain("/Child", node("order", "trigger.manual"), *steps, ship, onError="/Alert")
    parent = chain(
        "/Parent",
        node("start", "trigger.manual"),
        node("child", "workflow.call", workflow="/Child"),
        durable=True,
    )
    alert = chain(
        "/Alert",
        node("start", "trigger.manual"),
        node(
            "report",
            "http.request",
            method="POST",
            url="{{ vars.site }}/report",
            json={"code": "{{ start.error.code }}", "execution": "{{ start.execution }}"},
        ),
    )
    project(tmp_path, child, parent, alert)
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        url = f"{server.url}/_nodegx/workflows/Parent/run?wait=false"
        begun = (await client.post(url, json={})).json()["executionId"]
        await until(lambda: seen(site, "/mail"))
        waiting = RunQuery(statuses=(RunStatus.WAITING,))
        await until(lambda: len(server.runs.list(waiting)) == 2)
        for kept in (tmp_path / ".nodegx" / "versions").glob("*/*/*"):
            kept.unlink()
        ship["parameters"]["json"] = {"another": "version"}
        project(tmp_path, child, parent, alert)
        await server.reload()
        [mail] = seen(site, "/mail")
        assert (await client.post(mail["link"], json={"$action": "approve"})).status_code == 200
        failed = RunQuery(statuses=(RunStatus.FAILED,))
        await until(lambda: len(server.runs.list(failed)) == 2)
        errors = {state.id: json.loads(state.error or "") for state in server.runs.list(failed)}
        assert errors.pop(begun)["code"] == "call.failed"
        [(lost, error)] = errors.items()
        assert error["code"] == "version.missing"
        await until(lambda: seen(site, "/report"))
        assert seen(site, "/report") == [{"code": "version.missing", "execution": lost}]
    assert not seen(site, "/ship")


async def test_a_wait_ends_on_time_and_its_caller_is_told_where_to_look(
    options: ServerOptions, site: Loopback
) -> None:
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(f"{server.url}/_nodegx/workflows/Nap/run", json={"seconds": 1})
        told = answer.json()
        assert told["status"] == "waiting"
        assert told["response"] is None
        await until(lambda: seen(site, "/report"))
        await until(lambda: not server.runs.list(RunQuery()))
        ended = await record(server, told["executionId"])
        assert ended is not None
        assert ended.finished is not None
        assert 1.0 <= ended.finished - ended.started < 3.0
        assert ended.output is not None
        assert json.loads(ended.output)["body"] == "done"


async def test_what_a_failed_execution_began_with_is_kept(
    options: ServerOptions, site: Loopback
) -> None:
    site.at("/report", Answer(400, {"no": "thanks"}))
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        url = f"{server.url}/_nodegx/workflows/Nap/run"
        answer = await client.post(url, json={"seconds": 0})
        assert answer.json()["status"] == "error"
        await until(lambda: server.runs.list(RunQuery(statuses=(RunStatus.FAILED,))))
        [state] = server.runs.list(RunQuery())
        assert state.id == answer.json()["executionId"]
        kept = server.runs.load(state.id)
        assert kept is not None
        assert [(entry.key, entry.kind.value) for entry in kept.entries] == [
            ("nap!wait", "wait"),
            ("nap", "result"),
            ("report", "failure"),
        ]


async def test_two_servers_share_what_waits(options: ServerOptions, site: Loopback) -> None:
    async with (
        Server(options) as first,
        Server(dataclasses.replace(options, port=0)) as second,
        httpx.AsyncClient(timeout=60) as client,
    ):
        url = f"{first.url}/_nodegx/workflows/Nap/run?wait=false"
        for _ in range(40):
            assert (await client.post(url, json={"seconds": 0.5})).status_code == 202
        await until(lambda: len(seen(site, "/report")) >= 40)
        await until(lambda: not second.runs.list(RunQuery()))
    assert len(seen(site, "/report")) == 40
    assert not open_runs(options.runs_target or "").list(RunQuery())


async def test_a_store_that_fails_for_a_moment_keeps_nobody_from_going_on(
    options: ServerOptions, site: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = faulty(monkeypatch)
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        url = f"{server.url}/_nodegx/workflows/Nap/run?wait=false"
        for name in ("load", "claim!", "change!"):
            store[0].failing = {name: 1}
            await client.post(url, json={"seconds": 0.3})
            await until(lambda: not server.runs.list(RunQuery()), within=60)
            assert not store[0].failing[name]
    assert len(seen(site, "/report")) == 3


async def test_a_host_whose_store_was_away_goes_on_with_what_it_had(
    options: ServerOptions, site: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = faulty(monkeypatch)
    pace = Pace(lease=1.0, poll=0.05, hold=60.0)
    async with (
        Server(dataclasses.replace(options, pace=pace)) as server,
        httpx.AsyncClient(timeout=60) as client,
    ):
        url = f"{server.url}/_nodegx/workflows/Nap/run?wait=false"
        await client.post(url, json={"seconds": 2})
        store[0].away = True
        await until(lambda: not server.host.active, within=60)
        assert (await client.post(url, json={"seconds": 0})).status_code == 503
        store[0].away = False
        await until(lambda: not store[0].inner.list(RunQuery()), within=60)
        await until(lambda: seen(site, "/report"))
    assert len(seen(site, "/report")) == 1


async def test_what_could_not_be_started_is_not_started_later(
    options: ServerOptions, site: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = faulty(monkeypatch)
    async with Server(options) as server, httpx.AsyncClient(timeout=60) as client:
        store[0].failing = {"create!": 1}
        answer = await client.post(f"{server.url}/orders", json={"id": "A-9"})
        assert answer.status_code == 503
        await until(lambda: not server.runs.list(RunQuery()))
    async with Server(options) as server:
        await asyncio.sleep(0.3)
    assert not seen(site, "/mail")


async def test_an_execution_that_is_over_is_not_called_again(
    options: ServerOptions, site: Loopback
) -> None:
    async with Server(options) as server:
        durable = server.host.durable
        assert durable is not None
        call = {"id": new_id(), "parent": new_id(), "step": None, "depth": 1}
        for _ in range(2):
            await durable.surroundings.call_once("/#__cloud__/Nap", {"seconds": 0.1}, **call)
            await until(lambda: seen(site, "/report"))
            await until(lambda: not server.runs.list(RunQuery()))
        await asyncio.sleep(0.3)
    assert len(seen(site, "/report")) == 1


def faulty(monkeypatch: pytest.MonkeyPatch) -> list[FaultyRuns]:
    """The stores of servers, from now on; they can be made to fail."""
    stores: list[FaultyRuns] = []

    def opened(target: Path | str) -> FaultyRuns:
        stores.insert(0, FaultyRuns(open_runs(target)))
        return stores[0]

    monkeypatch.setattr(serving, "open_runs", opened)
    return stores
