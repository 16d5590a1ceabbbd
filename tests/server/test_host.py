from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from nodegx.runtime.history.record import Status

from tests.server.conftest import data
from tests.support.built import listener, manual, simple, webhook, write_workflow


def caller(build: Path, statements: str) -> None:
    write_workflow(build, "Caller", simple("Caller", statements), [webhook("/call")])


def callee(build: Path, statements: str, *, options: str = "", **config: Any) -> None:
    handler = simple("Callee", statements, trigger="trigger.manual", options=options)
    write_workflow(build, "Callee", handler, [manual(**config)])


async def test_a_call_gives_the_callees_answer(build: Path, running: Any, recorded: Any) -> None:
    caller(
        build,
        """
    result = await run.call(CALL, "Callee", {"number": "20"})
    await run.respond(RESPOND, body=result)
""",
    )
    callee(
        build,
        "    await run.respond(RESPOND, body={'double': start['number'] * 2})",
        inputs=[{"name": "number", "type": "integer", "required": True}],
    )
    async with running() as (_, client):
        assert (await client.post("/call")).json() == {"double": 40}
    first, second = recorded()
    assert second.parent == first.id


async def test_a_call_without_waiting_gives_the_execution(
    build: Path, running: Any, recorded: Any
) -> None:
    caller(
        build,
        """
    result = await run.call(CALL, "Callee", None, wait=False)
    await run.respond(RESPOND, body=result)
""",
    )
    callee(build, "    await run.wait(WAIT, seconds=60)")
    async with running(drain=0.1) as (_, client):
        answer = (await client.post("/call")).json()
    records = {record.workflow: record for record in recorded()}
    assert answer == {"execution": records["Callee"].id}
    assert records["Caller"].status == Status.SUCCESS
    assert records["Callee"].status == Status.CANCELLED  # it went on until the server stopped


async def test_calls_that_cannot_work_fail_readably(build: Path, running: Any) -> None:
    caller(
        build,
        """
    try:
        times = start.body.get("times", 0)
        given = [["x" * 1000] * times] * times if times else start.body["input"]
        await run.call(CALL, start.body["name"], given)
    except Exception as exc:
        error = run.caught(CALL, exc)
        await run.respond(RESPOND, body=[error.code, error.message])
""",
    )
    callee(
        build,
        "    raise ValueError('broken')",
        inputs=[{"name": "number", "type": "integer"}],
    )
    async with running() as (_, client):
        for name, given, code, words in (
            ("Nobody", None, "call.unknown", "Nobody"),
            ("Caller", None, "call.trigger", "trigger.manual"),
            ("Callee", {"number": "x"}, "input", "whole number"),
            ("Callee", {}, "call.failed", "broken"),
        ):
            answer = await client.post("/call", json={"name": name, "input": given})
            assert answer.json()[0] == code
            assert words in answer.json()[1]
        answer = await client.post("/call", json={"name": "Callee", "times": 120})
        assert answer.json()[0] == "json"
        assert "more than 10,000,000 characters" in answer.json()[1]


async def test_callers_and_callees_share_no_data(build: Path, running: Any) -> None:
    caller(
        build,
        """
    given = {"list": [1]}
    result = await run.call(CALL, "Callee", given)
    await run.respond(RESPOND, body=[given, result])
""",
    )
    callee(
        build,
        """
    start["list"].append(2)
    await run.respond(RESPOND, body=start)
""",
    )
    async with running() as (_, client):
        assert (await client.post("/call")).json() == [{"list": [1]}, {"list": [1, 2]}]


async def test_endless_calls_are_cut(build: Path, running: Any, recorded: Any) -> None:
    callee(build, "    await run.call(CALL, 'Callee', None)")
    async with running() as (_, client):
        answer = await client.post("/_nodegx/workflows/Callee/run")
        assert answer.json()["status"] == "error"
    assert 10 <= len(recorded()) <= 40


def listens(
    build: Path, name: str, event: str, statements: str = "    pass", **config: Any
) -> None:
    options = config.pop("options", "")
    handler = simple(name, statements, trigger="trigger.event", options=options)
    write_workflow(build, name, handler, [listener(event, **config)])


async def test_events_reach_every_listener_at_once(
    build: Path, running: Any, recorded: Any
) -> None:
    body = """
    identifier = await run.emit(EMIT, "order.created", {"total": 120})
    await run.respond(RESPOND, body=identifier)
"""
    write_workflow(build, "Shop", simple("Shop", body), [webhook("/shop")])
    slow = "    await run.wait(WAIT, seconds=1)"
    listens(build, "Exact", "order.created", slow)
    listens(build, "Prefix", "order.*", slow)
    listens(build, "Large", "*", slow, filter=[{"path": "total", "op": "gt", "value": 100}])
    listens(build, "Small", "*", slow, filter=[{"path": "total", "op": "lte", "value": 100}])
    listens(build, "Other", "order.deleted", slow)
    async with running() as (_, client):
        answer = await client.post("/shop")
    shop, *started = recorded()
    assert {record.workflow for record in started} == {"Exact", "Prefix", "Large"}
    assert max(r.started for r in started) < min(r.finished for r in started)
    for record in started:
        value = data(record.input)
        assert (value["name"], value["data"]) == ("order.created", {"total": 120})
        assert (value["id"], value["source"]) == (answer.text, shop.id)
        assert record.parent == shop.id


async def test_listeners_share_no_data(build: Path, running: Any, recorded: Any) -> None:
    change = """
    start.data["seen"].append(run.execution.workflow)
    await run.respond(RESPOND, body=start.data)
"""
    listens(build, "One", "e", change)
    listens(build, "Two", "e", change)
    async with running() as (_, client):
        answer = await client.post("/_nodegx/events/e", json={"seen": []})
        assert answer.status_code == 202
    assert sorted(data(record.output)["body"]["seen"] for record in recorded()) == [
        ["One"],
        ["Two"],
    ]


async def test_events_that_go_round_in_circles_are_cut(
    build: Path, running: Any, recorded: Any
) -> None:
    listens(build, "Ping", "ping", "    await run.emit(EMIT, 'pong', None)")
    listens(build, "Pong", "pong", "    await run.emit(EMIT, 'ping', None)")
    async with running() as (_, client):
        await client.post("/_nodegx/events/ping", json=None)
    records = recorded()
    assert 10 <= len(records) <= 20
    assert records[-1].status == Status.ERROR
    assert data(records[-1].error)["code"] == "emit.depth"


async def test_an_event_to_oneself_does_not_wait_for_oneself(
    build: Path, running: Any, recorded: Any
) -> None:
    body = """
    if start.data:
        await run.emit(EMIT, "again", start.data - 1)
"""
    listens(build, "Again", "again", body, options=", concurrency=1, timeout=2.0")
    async with running() as (_, client):
        await client.post("/_nodegx/events/again", json=3)
    assert [record.status for record in recorded()] == [Status.SUCCESS] * 4


async def test_too_many_waiting_listeners_refuse_the_event(build: Path, running: Any) -> None:
    listens(build, "Slow", "e", "    await run.wait(WAIT, seconds=0.3)", options=", concurrency=1")
    async with running(queue=1) as (_, client):
        statuses = [
            (await client.post("/_nodegx/events/e", json=None)).status_code for _ in range(3)
        ]
        assert statuses == [202, 202, 503]


async def test_a_failure_starts_the_workflow_for_failures(
    build: Path, running: Any, recorded: Any
) -> None:
    handler = simple("Fails", "    raise ValueError('broken')", options=", on_error='Callee'")
    write_workflow(build, "Fails", handler, [webhook("/fails")])
    callee(build, "    await run.respond(RESPOND, body=start)")
    async with running() as (_, client):
        await client.post("/fails", json={"a": 1})
        await asyncio.sleep(0.05)
    failed, told = recorded()
    assert told.parent == failed.id
    value = data(told.output)["body"]
    assert (value["workflow"], value["execution"]) == ("Fails", failed.id)
    assert "broken" in value["error"]["message"]
    assert value["trigger"]["body"] == {"a": 1}
