from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from nodegx.server import dev
from nodegx.server.dev import Outcome

from tests.support.built import listener, simple, webhook, write_workflow
from tests.support.until import until

pytestmark = pytest.mark.slow


def answering(build: Path, text: str, *, path: str = "/hello", **options: Any) -> None:
    body = f"    await run.respond(RESPOND, body={text!r})"
    write_workflow(build, "Hello", simple("Hello", body, **options), [webhook(path)], revision=text)


async def test_new_code_serves_and_running_executions_finish_on_the_old(
    build: Path, running: Any, recorded: Any
) -> None:
    body = """
    await run.wait(WAIT, seconds=0.3)
    await run.respond(RESPOND, body="old")
"""
    write_workflow(build, "Hello", simple("Hello", body), [webhook("/hello")], revision="old")
    async with running() as (server, client):
        request = asyncio.create_task(client.post("/hello"))
        await until(lambda: server.host.active)
        answering(build, "new")
        reloaded = await server.reload()
        assert reloaded.changed == ["Hello"]
        assert (await client.post("/hello")).text == "new"
        assert (await request).text == "old"
    assert {record.revision for record in recorded()} == {"old", "new"}


async def test_workflows_come_and_go(build: Path, running: Any) -> None:
    answering(build, "x")
    async with running() as (server, client):
        write_workflow(build, "More", simple("More", "    pass"), [webhook("/more")])
        assert (await server.reload()).added == ["More"]
        assert (await client.post("/more")).status_code == 204
        shutil.rmtree(build / "hello")
        assert (await server.reload()).removed == ["Hello"]
        assert (await client.post("/hello")).status_code == 404


async def test_a_broken_handler_leaves_the_old_one_serving(build: Path, running: Any) -> None:
    answering(build, "good")
    async with running() as (server, client):
        (build / "hello" / "handler.py").write_text("def broken(:")
        reloaded = await server.reload()
        assert reloaded.changed == []
        assert "hello" in reloaded.problems[0]
        assert (await client.post("/hello")).text == "good"
        answering(build, "better")
        assert (await server.reload()).changed == ["Hello"]
        assert (await client.post("/hello")).text == "better"


async def test_what_cannot_be_served_is_told_and_the_rest_is_served(
    build: Path, running: Any
) -> None:
    answering(build, "x")
    write_workflow(build, "Twin", simple("Twin", "    pass"), [webhook("/hello")])
    write_workflow(build, "Own", simple("Own", "    pass"), [webhook("/_nodegx/health")])
    write_workflow(build, "Odd", simple("Odd", "    pass"), [listener("a*b")])
    queue = {"node": "orders", "type": "trigger.queue", "config": {"queue": "orders"}}
    write_workflow(build, "Cloudy", simple("Cloudy", "    pass"), [queue])
    (build / "torn").mkdir()
    (build / "torn" / "manifest.json").write_text("{")
    async with running() as (server, client):
        problems = "\n".join(server.registry.problems)
        assert len(server.registry.problems) == 5
        for words in (
            "torn",
            "Twin",
            "is served by Hello already",
            "_nodegx",
            "a*b",
            "Cloudy, orders: a trigger.queue needs the cloud",
        ):
            assert words in problems
        assert (await client.post("/hello")).text == "x"


async def test_rate_limits_survive_the_reload_of_other_workflows(build: Path, running: Any) -> None:
    limit = {"requests": 1, "per": "1h"}
    handler = simple("Limited", "    pass")
    write_workflow(build, "Limited", handler, [webhook("/limited", rateLimit=limit)])
    async with running() as (server, client):
        assert (await client.post("/limited")).status_code == 204
        answering(build, "x")
        await server.reload()
        assert (await client.post("/limited")).status_code == 429


async def test_concurrency_counts_what_still_runs_on_the_old_code(
    build: Path, running: Any
) -> None:
    body = """
    await run.wait(WAIT, seconds=1)
    await run.respond(RESPOND, body="old")
"""
    options = ", concurrency=1"
    write_workflow(build, "Hello", simple("Hello", body, options=options), [webhook("/hello")])
    async with running() as (server, client):
        answers: list[str] = []

        async def ask() -> None:
            answers.append((await client.post("/hello")).text)

        first = asyncio.create_task(ask())
        await until(lambda: server.host.active)
        answering(build, "new", options=options)
        await server.reload()
        await asyncio.gather(first, ask())
        assert answers == ["old", "new"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "workflows"
    folder.mkdir()
    return folder


async def test_saving_a_file_serves_it_within_a_second(
    build: Path, source: Path, tmp_path: Path, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODEGX_SECRET_X", raising=False)
    file = source / "hello.json"
    file.write_text("one")
    messages: list[str] = []

    def compile() -> Outcome:
        text = file.read_text()
        if text == "wrong":
            return Outcome(report="hello.json:1:1 NX101 this is wrong")
        if text == "crash":
            raise RuntimeError("the compiler broke")
        answering(build, text)
        return Outcome()

    compile()
    async with running() as (server, client):
        watching = asyncio.create_task(dev.keep_fresh(server, compile, [source], messages.append))
        await asyncio.sleep(0.3)  # the watcher has begun

        async def saved(text: str) -> float:
            begin = time.perf_counter()
            file.write_text(text)
            async with asyncio.timeout(30):
                while (await client.post("/hello")).text != text:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            return time.perf_counter() - begin

        seconds = [await saved("two"), await saved("three")]
        for broken, words in (("wrong", "NX101"), ("crash", "the compiler broke")):
            file.write_text(broken)
            await until(lambda words=words: any(words in text for text in messages))
            assert (await client.post("/hello")).text == "three"
        seconds.append(await saved("four"))
        assert min(seconds) < 1  # whatever else the machine does
        (tmp_path / ".env").write_text("NODEGX_SECRET_X=1\n")
        await until(lambda: "X" in server.host.secrets)
        watching.cancel()
        await asyncio.wait([watching])
    assert any(text.startswith("reloaded Hello (") for text in messages)
