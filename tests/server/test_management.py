from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.built import manual, simple, webhook, write_workflow
from tests.support.until import until

pytestmark = pytest.mark.slow

JSON = {"content-type": "application/json"}


def adder(build: Path) -> None:
    handler = simple(
        "/#__cloud__/Add",
        "    await run.respond(RESPOND, status=201, body=start['a'] + start['b'])",
        trigger="trigger.manual",
    )
    inputs = [
        {"name": "a", "type": "number", "required": True},
        {"name": "b", "type": "number", "default": 1},
    ]
    write_workflow(build, "/#__cloud__/Add", handler, [manual(inputs=inputs)])


async def test_health_and_readiness(build: Path, running: Any) -> None:
    async with running(token="t") as (server, client):
        assert (await client.get("/_nodegx/health")).json() == {"status": "ok"}
        assert (await client.get("/_nodegx/ready")).json()["status"] == "ready"
        server.host.stopping = True
        assert (await client.get("/_nodegx/ready")).status_code == 503


async def test_lists_workflows_without_credentials(build: Path, running: Any) -> None:
    adder(build)
    auth = {"type": "apiKey", "key": "literal-key"}
    handler = simple("Hook", "    pass")
    write_workflow(build, "Hook", handler, [webhook("/hook/{id}", auth=auth)])
    async with running() as (_, client):
        answer = await client.get("/_nodegx/workflows")
        hook = next(w for w in answer.json()["workflows"] if w["name"] == "Hook")
        assert hook["triggers"] == [
            {"node": "start", "type": "trigger.webhook", "path": "/hook/{id}", "auth": "apiKey"}
        ]
        assert "literal-key" not in answer.text


async def test_runs_a_workflow(build: Path, running: Any) -> None:
    adder(build)
    async with running() as (_, client):
        for name in ("Add", "add", "%2F%23__cloud__%2FAdd"):
            answer = await client.post(f"/_nodegx/workflows/{name}/run", json={"a": "2"})
            assert answer.json()["status"] == "success"
            assert answer.json()["response"]["body"] == 3
        refused = await client.post("/_nodegx/workflows/Add/run", json={"b": "x", "c": 1})
        assert refused.status_code == 400
        assert [p["input"] for p in refused.json()["problems"]] == ["a", "b", "c"]
        assert (await client.post("/_nodegx/workflows/None/run")).status_code == 404
        started = await client.post("/_nodegx/workflows/Add/run?wait=false", json={"a": 2})
        assert started.status_code == 202
        identifier = started.json()["executionId"]
        answer = await client.get(f"/_nodegx/executions/{identifier}")
        assert answer.status_code == 200


async def test_a_workflow_without_a_manual_trigger_cannot_be_run(build: Path, running: Any) -> None:
    write_workflow(build, "Hook", simple("Hook", "    pass"), [webhook("/hook")])
    async with running() as (_, client):
        answer = await client.post("/_nodegx/workflows/Hook/run")
        assert (answer.status_code, answer.json()["code"]) == (409, "call.trigger")


async def test_lists_and_shows_executions(build: Path, running: Any) -> None:
    adder(build)
    write_workflow(build, "Bad", simple("Bad", "    raise ValueError('x')"), [webhook("/bad")])
    async with running() as (server, client):
        for number in range(3):
            await client.post("/_nodegx/workflows/Add/run", json={"a": number})
        await client.post("/bad")
        await server._writer.flush()
        page = (await client.get("/_nodegx/executions?limit=2")).json()
        assert [entry["workflow"] for entry in page["executions"]] == ["Bad", "/#__cloud__/Add"]
        rest = await client.get("/_nodegx/executions", params={"cursor": page["cursor"]})
        assert len(rest.json()["executions"]) == 2
        failed = await client.get("/_nodegx/executions?status=error&status=timeout")
        (entry,) = failed.json()["executions"]
        shown = (await client.get(f"/_nodegx/executions/{entry['id']}")).json()
        assert shown["input"]["path"] == "/bad"
        assert shown["error"]["message"]
        assert (await client.get("/_nodegx/executions/none")).status_code == 404
        for query in ("status=odd", "cursor=odd", "limit=x", "since=x"):
            assert (await client.get(f"/_nodegx/executions?{query}")).status_code == 400


async def test_cancels_an_execution(build: Path, running: Any) -> None:
    write_workflow(
        build, "Long", simple("Long", "    await run.wait(WAIT, seconds=60)"), [webhook("/long")]
    )
    async with running() as (server, client):
        request = asyncio.create_task(client.post("/long"))
        await until(lambda: server.host.active)
        identifier = next(iter(server.host.active))
        answer = await client.post(f"/_nodegx/executions/{identifier}/cancel")
        assert answer.json()["status"] == "cancelled"
        assert (await request).status_code == 503


async def test_a_token_protects(build: Path, running: Any) -> None:
    async with running(token="right") as (_, client):
        path = "/_nodegx/workflows"
        assert (await client.get(path)).status_code == 401
        for token, status in (("wrong", 401), ("right ish", 401), ("right", 200)):
            answer = await client.get(path, headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == status
        assert (await client.get("/_nodegx/unknown")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:80"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"x-forwarded-for": "127.0.0.1"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ],
)
async def test_web_pages_and_proxies_are_no_local_callers(
    build: Path, running: Any, headers: dict[str, str]
) -> None:
    adder(build)
    async with running() as (server, client):
        answer = await client.post(
            "/_nodegx/workflows/Add/run", content=b'{"a": 1}', headers={**JSON, **headers}
        )
        assert answer.status_code in (403, 415)
        same = await client.post(
            "/_nodegx/workflows/Add/run",
            content=b'{"a": 1}',
            headers={**JSON, "origin": server.url},
        )
        assert same.status_code == 200


async def test_wrong_methods_and_paths(build: Path, running: Any) -> None:
    async with running() as (_, client):
        answer = await client.post("/_nodegx/workflows", json={})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert (await client.get("/_nodegx/")).status_code == 404
