"""Workflows that tell repeats by keys: compiled, on real servers, one after and beside the other."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodegx.compiler.build.project import build_project
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import Query
from nodegx.runtime.history.stores import open_history
from nodegx.server.options import Pace, ServerOptions
from nodegx.server.serving import Server

from tests.support.loopback import Answer, Loopback, Seen, loopback
from tests.support.postgres import postgres
from tests.support.projects import chain, node, write_project
from tests.support.server_process import server_process
from tests.support.until import until

pytestmark = pytest.mark.slow

KEY = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
REPLAYED = "idempotency-replayed"
QUICK = Pace(lease=2.0, poll=0.05, hold=0.05)

CHARGE = node("charge", "http.request", method="POST", url="{{ vars.site }}/charge", json="{{ 1 }}")


def paid(name: str, trigger: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A workflow that charges somebody, and answers with what it was given for it."""
    answer = node("answer", "cloud.response", status=201, body="{{ charge.body }}")
    return chain(f"/#__cloud__/{name}", trigger, CHARGE, answer, **settings)


def webhook(path: str, **idempotency: Any) -> dict[str, Any]:
    return node("order", "trigger.webhook", method="POST", path=path, idempotency=idempotency)


ORDERS = paid("Orders", webhook("/orders"))
STRICT = paid("Strict", webhook("/strict", onRepeat="conflict", required=True))
BY_ID = paid("ById", webhook("/by-id", key="{{ order.body.id }}"))
EVENT = paid(
    "Event",
    node("event", "trigger.event", event="paid", idempotency={"key": "{{ event.data.id }}"}),
)
MANUAL = paid("Manual", node("start", "trigger.manual", idempotency={"key": "{{ start.id }}"}))
REFUSES = paid(
    "Refuses",
    node(
        "start",
        "trigger.manual",
        idempotency={"key": "{{ start.id }}", "onRepeat": "conflict"},
    ),
)
CALLER = chain(
    "/#__cloud__/Caller",
    node("order", "trigger.webhook", method="POST", path="/call"),
    node("call", "workflow.call", workflow="/#__cloud__/Manual", input="{{ order.body }}"),
    node("answer", "cloud.response", body="{{ call }}"),
)
PLAIN = paid("Plain", node("order", "trigger.webhook", method="POST", path="/plain"))
DURABLE = chain(
    "/#__cloud__/Durable",
    webhook("/durable"),
    CHARGE,
    node("approval", "logic.wait", webhook={}, timeout="2d"),
    node("answer", "cloud.response", body="late"),
)


@pytest.fixture
def site() -> Iterator[Loopback]:
    """The payment service, which gives every charge a number."""
    with loopback() as server:
        numbers = iter(range(1, 1000))
        server.at("/charge", lambda _: Answer(200, {"number": next(numbers)}))
        yield server


def hold(site: Loopback) -> threading.Event:
    """Has the service keep charges waiting until it is told to go on."""
    go, numbers = threading.Event(), iter(range(1, 1000))

    def charge(_: Seen) -> Answer:
        number = next(numbers)
        go.wait(60)
        return Answer(200, {"number": number})

    site.at("/charge", charge)
    return go


def project(root: Path, *workflows: dict[str, Any]) -> None:
    write_project(root, *workflows, vars={"site": ""})
    report = build_project(root, jobs=1)
    assert report.ok, report.diagnostics


@pytest.fixture
def options(tmp_path: Path, site: Loopback) -> ServerOptions:
    """Settings of a server over one project."""
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


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, options: ServerOptions) -> Iterator[ServerOptions]:
    """Settings of servers that share a file, or a database."""
    if request.param == "sqlite":
        yield options
        return
    with postgres().schema() as url:
        yield replace(options, history=url)


def recorded(options: ServerOptions) -> list[ExecutionRecord]:
    """All executions, once the servers have stopped; the first one first."""
    assert options.history is not None
    store = open_history(options.history)
    try:
        return list(store.export(Query()))[::-1]
    finally:
        store.close()


def client_of(server: Server | Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, timeout=60)


# --- requests -------------------------------------------------------------------------------------


async def test_fifty_requests_at_once_are_one_execution(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, ORDERS)
    go = hold(site)
    async with Server(options) as server, client_of(server) as client:
        sent = [
            asyncio.create_task(client.post("/orders", json={"id": 1}, headers=KEY))
            for _ in range(50)
        ]
        await until(lambda: site.seen)
        go.set()
        answers = await asyncio.gather(*sent)
    assert len(site.seen) == 1
    assert {(each.status_code, each.text) for each in answers} == {(201, '{"number":1}')}
    assert sum(REPLAYED in each.headers for each in answers) == 49
    assert len(recorded(options)) == 1


async def test_answers_outlive_the_server(
    shared: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, ORDERS)
    answers: list[httpx.Response] = []
    for _ in range(2):
        async with Server(shared) as server, client_of(server) as client:
            answers.append(await client.post("/orders", json={"id": 1}, headers=KEY))
            other = await client.post("/orders", json={"id": 2}, headers=KEY)
            assert other.status_code == 422
    assert [each.json() for each in answers] == [{"number": 1}] * 2
    assert [REPLAYED in each.headers for each in answers] == [False, True]
    assert len(recorded(shared)) == 1


async def test_servers_that_share_a_store_run_it_once(
    shared: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, ORDERS)
    go = hold(site)
    async with (
        Server(shared) as first,
        Server(shared) as second,
        client_of(first) as one,
        client_of(second) as other,
    ):
        sent = [
            asyncio.create_task(client.post("/orders", json={"id": 1}, headers=KEY))
            for client in (one, other) * 10
        ]
        await until(lambda: site.seen)
        go.set()
        answers = await asyncio.gather(*sent)
    assert {(each.status_code, each.text) for each in answers} == {(201, '{"number":1}')}
    assert len(recorded(shared)) == 1


async def test_settings_and_keys_come_from_the_workflow(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, STRICT, BY_ID)
    go = hold(site)
    async with Server(options) as server, client_of(server) as client:
        assert (await client.post("/strict", json=1)).status_code == 400
        first = asyncio.create_task(client.post("/strict", json=1, headers=KEY))
        await until(lambda: site.seen)
        refused = await client.post("/strict", json=1, headers=KEY)
        assert (refused.status_code, refused.headers["retry-after"]) == (409, "1")
        go.set()
        assert (await first).status_code == 201
        for number in (2, 3):
            answers = [await client.post("/by-id", json={"id": number}) for _ in range(3)]
            assert [each.json() for each in answers] == [{"number": number}] * 3
        assert (await client.post("/by-id", json={})).status_code == 400
    assert len(recorded(options)) == 3


async def test_a_reload_may_bring_the_first_key(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, PLAIN)
    async with Server(options) as server, client_of(server) as client:
        for _ in range(2):
            await client.post("/plain", json=1, headers=KEY)
        assert len(site.seen) == 2, "it asks for nothing, so its header means nothing"
        assert server.host.idempotency is None
        project(tmp_path, PLAIN, ORDERS)
        await server.reload()
        answers = [await client.post("/orders", json=1, headers=KEY) for _ in range(2)]
    assert [each.json() for each in answers] == [{"number": 3}] * 2


async def test_a_server_may_keep_keys_without_a_history(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, ORDERS)
    for _ in range(2):
        async with Server(replace(options, history=None)) as server, client_of(server) as client:
            answer = await client.post("/orders", json=1, headers=KEY)
            assert answer.json() == {"number": 1}


async def test_a_repeat_does_not_keep_a_server_from_stopping(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, ORDERS)
    go = hold(site)
    async with Server(options) as first, client_of(first) as one:
        sent = asyncio.create_task(one.post("/orders", json=1, headers=KEY))
        await until(lambda: site.seen)
        async with Server(options) as second, client_of(second) as other:
            waiting = asyncio.create_task(other.post("/orders", json=1, headers=KEY))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            await second.stop()
            assert (await waiting).status_code == 409
        go.set()
        assert (await sent).status_code == 201


# --- the dead -------------------------------------------------------------------------------------


async def test_the_next_server_takes_over_from_one_that_was_killed(
    shared: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, ORDERS)
    go = hold(site)
    given = {"root": str(tmp_path), "vars": dict(shared.vars)}
    with server_process(shared.build, shared.history, pace=asdict(QUICK), **given) as dying:
        async with (
            Server(shared) as server,
            client_of(server) as client,
            client_of(dying) as doomed,
        ):
            lost = asyncio.create_task(doomed.post("/orders", json=1, headers=KEY))
            await until(lambda: site.seen)
            waiting = asyncio.create_task(client.post("/orders", json=1, headers=KEY))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            assert len(site.seen) == 1
            dying.kill()
            with pytest.raises(httpx.TransportError):
                await lost
            go.set()
            answer = await waiting
            again = await client.post("/orders", json=1, headers=KEY)
    assert (answer.status_code, answer.json()) == (201, {"number": 2})
    assert again.json() == {"number": 2}
    assert len(site.seen) == 2


async def test_what_a_durable_workflow_accepted_is_accepted_once(
    shared: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, DURABLE)
    async with Server(shared) as server, client_of(server) as client:
        first = await client.post("/durable", json=1, headers=KEY)
        assert first.status_code == 202
        assert first.json()["status"] == "waiting"
    async with Server(shared) as server, client_of(server) as client:
        again = await client.post("/durable", json=1, headers=KEY)
    assert again.json() == first.json()
    assert again.headers[REPLAYED] == "true"
    assert len(site.seen) == 1


async def test_a_durable_execution_keeps_its_key_when_its_server_is_killed(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, DURABLE)
    go = hold(site)
    given = {"root": str(tmp_path), "vars": dict(options.vars)}
    with server_process(options.build, options.history, **given) as dying:
        async with client_of(dying) as doomed:
            lost = asyncio.create_task(doomed.post("/durable", json=1, headers=KEY))
            await until(lambda: site.seen)
            dying.kill()
            with pytest.raises(httpx.TransportError):
                await lost
    go.set()
    async with Server(options) as server, client_of(server) as client:
        answers = [await client.post("/durable", json=1, headers=KEY) for _ in range(2)]
    [execution] = recorded(options)
    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].json() == {"executionId": execution.id, "status": "running"}
    assert answers[1].json() == answers[0].json()


# --- events and calls -----------------------------------------------------------------------------


async def emit(client: httpx.AsyncClient, data: Any) -> None:
    answer = await client.post("/_nodegx/events/paid", json=data)
    assert answer.status_code == 202


async def test_an_event_starts_a_workflow_once(
    options: ServerOptions, site: Loopback, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, EVENT)
    async with (
        Server(replace(options, log_level="info")) as server,
        client_of(server) as client,
    ):
        for data in ({"id": 1}, {"id": 1}, {"id": 2}, {"id": 1, "more": 1}):
            await emit(client, data)
            await server.host.idle()
        await emit(client, {})
    records = recorded(options)
    assert len(records) == 3, "what has no key is not lost"
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    dropped = [line for line in lines if "started nothing" in line["message"]]
    assert [(line["level"], line["execution"], line["node"]) for line in dropped] == [
        ("info", records[0].id, "event")
    ] * 2
    [warned] = [line for line in lines if "no idempotency key" in line["message"]]
    assert warned["level"] == "warning"


async def test_an_event_may_come_again_after_a_failure(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, EVENT)
    site.at("/charge", Answer(400), Answer(200, {}))
    async with Server(options) as server, client_of(server) as client:
        for count in (1, 2, 2):
            await emit(client, {"id": 1})
            await server.host.idle()
            assert len(site.seen) == count
            await until(lambda: not server.host.idempotency._guard._tasks)
    assert [each.status for each in recorded(options)] == [Status.ERROR, Status.SUCCESS]


async def test_events_that_wait_for_their_turn_come_once(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, {**EVENT, "settings": {"concurrency": 1}})
    go = hold(site)
    async with Server(options) as server, client_of(server) as client:
        for number in (1, 2, 2, 1, 2):
            await emit(client, {"id": number})
        go.set()
        await until(lambda: len(site.seen) == 2)
    assert len(recorded(options)) == 2


Run = Callable[..., Any]


async def run(client: httpx.AsyncClient, name: str, data: Any, query: str = "") -> httpx.Response:
    return await client.post(f"/_nodegx/workflows/{name}/run{query}", json=data)


async def test_a_call_gets_the_first_ones_answer(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, MANUAL, CALLER)
    async with Server(options) as server, client_of(server) as client:
        answers = [(await run(client, "Manual", {"id": 1})).json() for _ in range(2)]
        for answer in answers:
            answer["response"]["headers"] = {}
        assert answers[0] == answers[1]
        assert answers[0]["status"] == "success"
        assert answers[0]["response"] == {"status": 201, "headers": {}, "body": {"number": 1}}
        at_once = await run(client, "Manual", {"id": 1}, "?wait=false")
        assert at_once.json() == {"executionId": answers[0]["executionId"]}
        called = await client.post("/call", json={"id": 1})
        assert called.json() == {"number": 1}
        anew = await client.post("/call", json={"id": 2})
        assert anew.json() == {"number": 2}
        nameless = await run(client, "Manual", {})
        assert (nameless.status_code, nameless.json()["code"]) == (409, "idempotency.key")


async def test_calls_at_the_same_time_wait_for_the_first(
    options: ServerOptions, site: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, MANUAL, REFUSES)
    go = hold(site)
    async with Server(options) as server, client_of(server) as client:
        sent = [asyncio.create_task(run(client, "Manual", {"id": 1})) for _ in range(10)]
        sent.append(asyncio.create_task(run(client, "Refuses", {"id": 1})))
        await until(lambda: len(site.seen) == 2)
        refused = await run(client, "Refuses", {"id": 1})
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency.conflict")
        go.set()
        *answers, _ = await asyncio.gather(*sent)
    assert len({each.text for each in answers}) == 1
    assert answers[0].json()["status"] == "success"


# --- the cost -------------------------------------------------------------------------------------

LOADS = """
import asyncio, sys
from pathlib import Path
from nodegx.server.options import ServerOptions
from nodegx.server.serving import Server

async def main():
    root = Path(sys.argv[1])
    async with Server(ServerOptions(root / "build", root, port=0)):
        print(*(name for name in sys.modules if name.startswith("nodegx.runtime.idempotency")))

asyncio.run(main())
"""


@pytest.mark.parametrize(("workflow", "loads"), [(PLAIN, False), (ORDERS, True)])
def test_a_server_without_keys_loads_nothing_for_them(
    tmp_path: Path, workflow: dict[str, Any], loads: bool
) -> None:
    project(tmp_path, workflow)
    report = subprocess.run(
        [sys.executable, "-c", LOADS, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert bool(report.stdout.strip()) is loads
