"""Operating on executions through the API of a real server, which then goes on with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from nodegx.server.serving import Server

from tests.support.built import manual, simple, webhook, write_workflow
from tests.support.until import until

pytestmark = pytest.mark.slow

T = TypeVar("T")

PAY = """
import pathlib
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.errors import FatalError

SAVE = Node("save", "code.python")
PAY = Node("pay", "code.python")
ANSWER = Node("answer", "cloud.response")
HERE = pathlib.Path({folder!r})


async def step(name: str, value: object) -> str:
    with (HERE / "done").open("a") as file:
        file.write(name + " ")
    if name == "pay" and not (HERE / "up").exists():
        raise FatalError("The service is down", code="http.status")
    return f"{{name}} {{value}}"


@workflow("/Pay"{options})
async def pay(run: Run) -> None:
    await run.step(SAVE, step, "save", 1)
    await run.respond(ANSWER, body=await run.step(PAY, step, "pay", run.trigger))
"""


class Shop:
    """A workflow that fails until its service is up, and what it has done."""

    def __init__(self, folder: Path, build: Path, *, durable: bool) -> None:
        self._folder = folder
        options = ", durable=True" if durable else ""
        text = PAY.format(folder=str(folder), options=options)
        write_workflow(build, "/Pay", text, [manual()], revision="rev1", durable=durable)

    def up(self) -> None:
        (self._folder / "up").touch()

    @property
    def done(self) -> list[str]:
        return (self._folder / "done").read_text().split()


async def fail(client: httpx.AsyncClient, count: int = 1, value: Any = "A-1") -> list[str]:
    """Starts executions that become dead letters; their ids."""
    ids: list[str] = []
    for _ in range(count):
        answer = await client.post("/_nodegx/workflows/Pay/run", json=value)
        assert answer.json()["status"] == "error"
        ids.append(answer.json()["executionId"])
    await waited(lambda: dead_letters(client), ids)
    return ids


async def waited(look: Callable[[], Awaitable[T]], wanted: T) -> None:
    """Returns once `look` gives what is wanted."""
    async with asyncio.timeout(30):
        while True:
            if await look() == wanted:
                return
            await asyncio.sleep(0.01)


async def dead_letters(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/_nodegx/dead-letters", params=query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["runs"]]


async def operate(client: httpx.AsyncClient, id: str, action: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/_nodegx/executions/{id}/{action}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ended(server: Server, client: httpx.AsyncClient, id: str) -> dict[str, Any]:
    """The record of an execution, once it has ended."""
    return await reached(server, client, id, "success", "error", "cancelled")


async def reached(
    server: Server, client: httpx.AsyncClient, id: str, *statuses: str
) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            await server._writer.flush()  # type: ignore[union-attr]
            answer = await client.get(f"/_nodegx/executions/{id}")
            if answer.status_code == 200 and answer.json()["status"] in statuses:
                return answer.json()
            await asyncio.sleep(0.01)


async def test_a_dead_letter_is_retried(tmp_path: Path, build: Path, running: Any) -> None:
    shop = Shop(tmp_path, build, durable=False)
    async with running() as (server, client):
        (old,) = await fail(client, value={"password": "geheim"})
        shop.up()
        data = await operate(client, old, "retry", by="ann")
        assert (data["id"], data["action"], data["status"]) == (old, "retry", "queued")
        record = await ended(server, client, data["executionId"])
        assert record["status"] == "success"
        assert shop.done == ["save", "pay", "save", "pay"]
        assert await dead_letters(client) == []
        (entry,) = (await client.get(f"/_nodegx/executions/{old}")).json()["audit"]
        assert (entry["by"], entry["action"]) == ("ann (API, 127.0.0.1)", "retry")
        assert record["audit"][0]["of"] == old


async def test_a_durable_one_is_resumed(tmp_path: Path, build: Path, running: Any) -> None:
    shop = Shop(tmp_path, build, durable=True)
    async with running() as (server, client):
        (id,) = await fail(client)
        shown = (await client.get(f"/_nodegx/runs/{id}")).json()
        assert (shown["status"], shown["durable"], shown["journal"]["steps"]) == ("failed", True, 2)
        shop.up()
        assert (await operate(client, id, "resume"))["executionId"] == id
        record = await reached(server, client, id, "success")
        assert record["output"]["body"] == "pay A-1"
        assert shop.done == ["save", "pay", "pay"]
        assert [each["by"] for each in record["audit"]] == ["API, 127.0.0.1"]
        forked = await operate(client, id, "fork", **{"from": "pay", "input": "B-2"})
        record = await reached(server, client, forked["executionId"], "success")
        assert record["output"]["body"] == "pay B-2"
        assert shop.done == ["save", "pay", "pay", "pay"]


async def test_many(tmp_path: Path, build: Path, running: Any) -> None:
    shop = Shop(tmp_path, build, durable=False)
    async with running() as (server, client):
        ids = await fail(client, 3)

        async def bulk(**body: Any) -> dict[str, Any]:
            answer = await client.post("/_nodegx/executions/bulk", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        wanted = {"errorCode": "http.status", "workflow": "/Pay"}
        dry = await bulk(action="redrive", filter=wanted, limit=2, dryRun=True)
        assert (dry["executions"], dry["more"]) == (ids[:2], True)
        assert await dead_letters(client) == ids
        shop.up()
        data = await bulk(action="redrive", ids=[ids[0], ids[2], "none"], by="ann")
        assert (data["done"], data["failed"], data["more"]) == (2, 0, False)
        for result in data["results"]:
            await reached(server, client, result["executionId"], "success")
        data = await bulk(action="discard", all=True, reason="Enough")
        assert [each["id"] for each in data["results"]] == [ids[1]]
        assert await dead_letters(client) == []
        record = (await client.get(f"/_nodegx/executions/{ids[1]}")).json()
        assert record["audit"][0]["reason"] == "Enough"


APPROVE = """
    await run.emit(EMIT, "asked")
    found = await run.wait(WAIT, webhook={"method": "POST"})
    await run.respond(RESPOND, body=found.body)
"""


def approval(build: Path, revision: str = "rev1", body: str = APPROVE) -> None:
    handler = simple("Approve", body, options=", durable=True")
    write_workflow(
        build, "Approve", handler, [webhook("/approve")], revision=revision, durable=True
    )


async def waiting(server: Server, client: httpx.AsyncClient) -> str:
    """Starts an execution that waits for a request."""
    id = (await client.post("/approve")).json()["executionId"]
    await reached(server, client, id, "waiting")
    return id


async def test_what_waits_is_answered(build: Path, running: Any) -> None:
    approval(build)
    async with running() as (server, client):
        id = await waiting(server, client)
        runs = (await client.get("/_nodegx/runs?status=waiting&status=queued")).json()
        (run,) = runs["runs"]
        assert run["waits"] == [{"step": "wait", "kind": "webhook", "due": None, "method": "POST"}]
        assert runs["counts"]["waiting"] == 1
        await operate(client, id, "resume", answer={"amount": 7}, step="wait")
        record = await reached(server, client, id, "success")
        assert record["output"]["body"] == {"amount": 7}


async def test_what_waits_is_cancelled(build: Path, running: Any) -> None:
    approval(build)
    async with running() as (server, client):
        id = await waiting(server, client)
        data = await operate(client, id, "cancel", reason="Wrong order")
        assert data["status"] == "cancelled"
        record = await ended(server, client, id)
        assert record["error"]["message"] == "Wrong order"


async def test_what_waits_moves_to_new_code(build: Path, running: Any) -> None:
    approval(build)
    async with running() as (server, client):
        id = await waiting(server, client)
        approval(build, "rev2", APPROVE.replace('emit(EMIT, "asked")', "respond(RESPOND)"))
        await server.reload()
        answer = await client.post(f"/_nodegx/executions/{id}/migrate", json={})
        assert answer.status_code == 409
        assert "Revision rev2 does not fit: The code runs `respond`" in answer.json()["detail"]
        approval(build, "rev3", APPROVE.replace("found.body)", "[found.body, 3])"))
        await server.reload()
        await operate(client, id, "migrate", to="rev3")
        assert (await client.get(f"/_nodegx/runs/{id}")).json()["revision"] == "rev3"
        await operate(client, id, "resume", answer="yes")
        assert (await reached(server, client, id, "success"))["output"]["body"] == ["yes", 3]


async def test_what_runs_here_is_cancelled_at_once(build: Path, running: Any) -> None:
    write_workflow(
        build, "Long", simple("Long", "    await run.wait(WAIT, seconds=60)"), [webhook("/long")]
    )
    async with running() as (server, client):
        request = asyncio.create_task(client.post("/long"))
        await until(lambda: server.host.active, within=30)
        (id,) = server.host.active
        assert (await operate(client, id, "cancel", reason="Enough"))["status"] == "cancelled"
        assert (await request).status_code == 503
        record = await ended(server, client, id)
        assert record["error"]["message"] == "Enough"
        assert record["audit"][0]["reason"] == "Enough"


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("none/retry", {}, 404, "There is no execution none"),
        ("none/cancel", {}, 404, "There is no execution none"),
        ("ID/resume", {}, 409, "It is not durable, so it can only start anew: retry it"),
        ("ID/cancel", {}, 409, "It has failed already; discard it to resolve it"),
        ("ID/fork", {"from": "pay"}, 409, "is not durable, so it can only start anew"),
        ("ID/fork", {}, 400, "`from` must name the step to begin at."),
        ("ID/retry", {"again": 1}, 400, "`again` must be true or false."),
        ("ID/retry", {"odd": 1}, 400, "The body may have by, input, again, not odd."),
        ("ID/retry", [1], 400, "The body must be an object."),
        ("ID/retry", {"by": "\n"}, 400, "`by` must be at most 200 readable characters."),
        ("ID/retry", {"by": "x" * 201}, 400, "`by` must be at most 200 readable characters."),
        ("ID/resume", {"now": True, "answer": 1}, 400, "`now` and `answer` exclude each other."),
        ("ID/resume", {"step": "pay"}, 400, "`step` goes with `now` or `answer`."),
        ("ID/resume", {"now": True}, 409, "It is failed, not waiting"),
        ("ID/discard", {"reason": 7}, 400, "`reason` must be text."),
        ("ID/migrate", {"to": "x"}, 409, "It is not durable; a retry starts it"),
        ("bulk", {}, 400, "`action` must be one of retry, resume"),
        ("bulk", {"action": "retry"}, 400, "Give `ids`, a `filter`, or `all`: true."),
        ("bulk", {"action": "retry", "ids": "x"}, 400, "`ids` must be a list of ids."),
        ("bulk", {"action": "retry", "filter": []}, 400, "Give `ids`"),
        ("bulk", {"action": "retry", "filter": {"a": 1}}, 400, "`filter` may have workflow"),
        (
            "bulk",
            {"action": "retry", "filter": {"status": "waiting"}},
            400,
            "`status` may be failed.",
        ),
        ("bulk", {"action": "retry", "all": True, "limit": "9"}, 400, "must be a whole number."),
        ("bulk", {"action": "retry", "filter": {"since": "x"}}, 400, "`since` must be a number."),
    ],
)
async def test_refusals(
    tmp_path: Path, build: Path, running: Any, path: str, body: Any, status: int, detail: str
) -> None:
    Shop(tmp_path, build, durable=False)
    async with running() as (_, client):
        (id,) = await fail(client)
        url = f"/_nodegx/executions/{path.replace('ID', id)}"
        answer = await client.post(url, json=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert detail in answer.json()["detail"]
        assert await dead_letters(client) == [id]
        run = (await client.get(f"/_nodegx/runs/{id}")).json()
        assert run["audit"] == []


async def test_an_input_that_does_not_fit(tmp_path: Path, build: Path, running: Any) -> None:
    Shop(tmp_path, build, durable=False)
    text = (build / "pay" / "handler.py").read_text()
    inputs = [{"name": "id", "type": "string", "required": True}]
    async with running() as (server, client):
        (id,) = await fail(client)
        write_workflow(build, "/Pay", text, [manual(inputs=inputs)], revision="rev2")
        await server.reload()
        answer = await client.post(f"/_nodegx/executions/{id}/retry", json={"input": {"id": None}})
        assert answer.status_code == 400
        assert answer.json()["problems"] == [{"input": "id", "message": "is required"}]


async def test_lists(tmp_path: Path, build: Path, running: Any) -> None:
    Shop(tmp_path, build, durable=False)
    async with running() as (_, client):
        ids = await fail(client, 3)
        page = (await client.get("/_nodegx/dead-letters?limit=2")).json()
        assert [each["id"] for each in page["runs"]] == ids[:2]
        assert await dead_letters(client, cursor=page["cursor"]) == ids[2:]
        assert await dead_letters(client, errorCode="other") == []
        assert await dead_letters(client, workflow="/Pay", errorCode="http.status") == ids
        assert await dead_letters(client, until=1) == []
        run = page["runs"][0]
        assert (run["failures"], run["error"]["message"]) == (1, "The service is down")
        for query in ("runs?status=odd", "runs?limit=x", "dead-letters?since=x"):
            assert (await client.get(f"/_nodegx/{query}")).status_code == 400
        assert (await client.get("/_nodegx/runs/none")).status_code == 404


async def test_who_may_operate(tmp_path: Path, build: Path, running: Any) -> None:
    Shop(tmp_path, build, durable=False)
    paths = ("executions/x/retry", "executions/x/cancel", "executions/bulk")
    async with running(token="right") as (_, client):
        for path in paths:
            assert (await client.post(f"/_nodegx/{path}", json={})).status_code == 401
        for path in ("runs", "runs/x", "dead-letters"):
            assert (await client.get(f"/_nodegx/{path}")).status_code == 401
    async with running() as (_, client):
        for path in paths:
            url = f"/_nodegx/{path}"
            foreign = await client.post(url, json={}, headers={"origin": "https://evil.example"})
            assert foreign.status_code == 403
            form = await client.post(url, data={"by": "x"})
            assert form.status_code == 415


async def test_a_server_without_stores(build: Path, running: Any) -> None:
    async with running(history=None) as (_, client):
        for path in ("runs", "dead-letters", "runs/x", "executions/x"):
            assert (await client.get(f"/_nodegx/{path}")).status_code == 404
        for path in ("x/retry", "x/cancel"):
            answer = await client.post(f"/_nodegx/executions/{path}", json={})
            assert answer.status_code == 404
