from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodegx.runtime.history.record import Status
from nodegx.server.listening import ServerError

from tests.support.built import ORDERS, simple, webhook, write_workflow
from tests.support.until import until

pytestmark = pytest.mark.slow

ORDER = {"id": "a", "total": 5, "card": "4111 1111 1111 1111"}


def write_orders(build: Path) -> None:
    write_workflow(
        build,
        "/#__cloud__/ProcessOrder",
        ORDERS,
        [{"node": "order", "type": "trigger.webhook", "config": {"path": "/orders"}}],
    )


async def test_serves_a_workflow_and_records_it(build: Path, running: Any, recorded: Any) -> None:
    write_orders(build)
    async with running() as (_, client):
        answer = await client.post("/orders", json=ORDER)
        assert (answer.status_code, answer.json()["terms"]) == (200, "net 30")
        answer = await client.post("/orders", json={**ORDER, "total": 500})
        assert (answer.status_code, answer.json()) == (201, {"order": "a", "review": True})
        answer = await client.post("/orders", json={"id": ""})
        assert answer.status_code == 422
    records = recorded()
    assert [record.status for record in records] == [Status.SUCCESS] * 3
    assert [step.node for step in records[0].steps] == ["validate", "large", "invoice", "confirm"]
    assert "4111 1111" not in str(records)


async def test_a_failing_workflow_is_500_without_internals(
    build: Path, running: Any, recorded: Any
) -> None:
    handler = simple("Fails", "    raise ValueError('inner detail')")
    write_workflow(build, "Fails", handler, [webhook("/fails")])
    async with running() as (_, client):
        answer = await client.post("/fails")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "inner" not in answer.text
        identifier = answer.json()["executionId"]
    (record,) = recorded()
    assert (record.id, record.status) == (identifier, Status.ERROR)


async def test_a_timeout_is_504(build: Path, running: Any) -> None:
    handler = simple("Slow", "    await run.wait(WAIT, seconds=60)", options=", timeout=0.1")
    write_workflow(build, "Slow", handler, [webhook("/slow")])
    async with running() as (_, client):
        assert (await client.post("/slow")).status_code == 504


async def test_an_early_answer_leaves_the_rest_to_the_background(
    build: Path, running: Any, recorded: Any, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    body = f"""
    await run.respond(RESPOND, status=202, body="soon")
    import pathlib
    while not pathlib.Path({str(go)!r}).exists():
        await run.wait(WAIT, seconds=0.02)
"""
    write_workflow(build, "Early", simple("Early", body), [webhook("/early")])
    async with running() as (server, client):
        assert (await client.post("/early")).text == "soon"
        assert len(server.host.active) == 1
        go.touch()
    (record,) = recorded()
    assert record.status == Status.SUCCESS


async def test_strange_text_reaches_the_history_and_comes_back(
    build: Path, running: Any, recorded: Any
) -> None:
    handler = simple("Echo", "    await run.respond(RESPOND, body=start.body)")
    write_workflow(build, "Echo", handler, [webhook("/echo")])
    async with running() as (_, client):
        for text in ('"\\ud800"', '"\\u0000"', '"\U0001f600"', '{"\\ud800": 1}'):
            answer = await client.post(
                "/echo", content=text.encode(), headers={"content-type": "application/json"}
            )
            assert answer.status_code == 200, text
    assert [record.status for record in recorded()] == [Status.SUCCESS] * 4


async def test_credentials_stay_out_of_the_history(
    build: Path, running: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGX_SECRET_KEY", "very-secret-key")
    handler = simple("Keyed", "    await run.respond(RESPOND, body=start.headers)")
    auth = {"type": "apiKey", "name": "X-Shop", "key": {"$secret": "KEY"}}
    write_workflow(build, "Keyed", handler, [webhook("/keyed", auth=auth)])
    write_workflow(build, "Open", simple("Open", "    pass"), [webhook("/open")])
    async with running() as (_, client):
        assert (await client.post("/keyed")).status_code == 401
        answer = await client.post("/keyed", headers={"X-Shop": "very-secret-key"})
        assert answer.status_code == 200
        assert "very-secret-key" not in answer.text
        headers = {"authorization": "Bearer very-secret-key", "cookie": "id=very-secret-key"}
        await client.post("/open?access_token=very-secret-key", headers=headers)
    records = recorded()
    assert len(records) == 2
    assert "very-secret-key" not in str(records)


async def test_a_full_queue_is_503(build: Path, running: Any, recorded: Any) -> None:
    body = """
    await run.wait(WAIT, seconds=0.2)
    await run.respond(RESPOND, body="ok")
"""
    write_workflow(
        build, "Busy", simple("Busy", body, options=", concurrency=2"), [webhook("/busy")]
    )
    async with running(queue=3) as (_, client):
        answers = await asyncio.gather(*(client.post("/busy") for _ in range(12)))
        statuses = [answer.status_code for answer in answers]
        assert statuses.count(200) == 5
        assert statuses.count(503) == 7
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["retry-after"] == "1"
    assert len(recorded()) == 5


async def test_without_a_history_workflows_run_all_the_same(build: Path, running: Any) -> None:
    write_orders(build)
    async with running(history=None) as (_, client):
        assert (await client.post("/orders", json=ORDER)).status_code == 200
        assert (await client.get("/_nodegx/executions")).status_code == 404


async def test_stopping_waits_for_what_is_under_way(
    build: Path, running: Any, recorded: Any
) -> None:
    body = """
    await run.wait(WAIT, seconds=0.5)
    await run.respond(RESPOND, body="done")
"""
    write_workflow(build, "Slow", simple("Slow", body), [webhook("/slow")])
    async with running() as (server, client):
        requests = [asyncio.create_task(client.post("/slow")) for _ in range(3)]
        await until(lambda: len(server.host.active) == 3)
        stopping = asyncio.create_task(server.stop())
        answers = await asyncio.gather(*requests)
        assert [answer.text for answer in answers] == ["done"] * 3
        await stopping
        with pytest.raises(httpx.TransportError):
            await client.post("/slow")
    assert [record.status for record in recorded()] == [Status.SUCCESS] * 3


async def test_stopping_cancels_what_takes_too_long(
    build: Path, running: Any, recorded: Any
) -> None:
    body = """
    try:
        await run.wait(WAIT, seconds=60)
    finally:
        await run.wait(WAIT, seconds=0.05)
"""
    options = ", concurrency=2"
    write_workflow(build, "Slow", simple("Slow", body, options=options), [webhook("/slow")])
    async with running(drain=0.2) as (server, client):
        requests = [asyncio.create_task(client.post("/slow")) for _ in range(3)]
        await until(lambda: len(server.host.active) == 2)
        begin = time.perf_counter()
        await server.stop()
        assert time.perf_counter() - begin < 30
        answers = await asyncio.gather(*requests)
        assert [answer.status_code for answer in answers] == [503] * 3
    assert [record.status for record in recorded()] == [Status.CANCELLED] * 2


async def test_a_taken_port_is_told(build: Path, running: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=str(port)):
            async with running(port=port):
                pass


async def test_vars_env_and_secrets_reach_workflows(
    build: Path, tmp_path: Path, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "# comment\nNODEGX_SECRET_TOKEN='from file'\nexport REGION=\"eu\\n1\"\nHIDDEN=x\n"
    )
    monkeypatch.setenv("NODEGX_SECRET_OTHER", "from environment")
    body = """
    await run.respond(RESPOND, body={
        "var": run.vars["a"],
        "env": dict(run.env),
        "secrets": sorted(run.secrets),
        "length": len(run.secrets["TOKEN"]),
    })
"""
    write_workflow(build, "Show", simple("Show", body), [webhook("/show")])
    async with running(vars={"a": 1}, env=("REGION", "MISSING")) as (_, client):
        assert (await client.post("/show")).json() == {
            "var": 1,
            "env": {"REGION": "eu\n1"},
            "secrets": ["OTHER", "TOKEN"],
            "length": 9,
        }
