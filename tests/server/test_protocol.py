from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from nodegx.server import protocol

from tests.support.built import simple, webhook, write_workflow

pytestmark = pytest.mark.slow

HEAD = b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n"


@pytest.fixture
def echo(build: Path) -> Path:
    body = """
    await run.wait(WAIT, seconds=0.2)
    await run.respond(RESPOND, body=start.body)
"""
    return write_workflow(build, "Echo", simple("Echo", body), [webhook("/echo")])


async def connect(server: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = server.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def test_an_endless_head_is_cut_off(echo: Path, running: Any) -> None:
    async with running() as (server, _):
        reader, writer = await connect(server)
        writer.write(HEAD + b"X-Endless: ")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 10_000_000:
                writer.write(b"x" * 10_000)
                sent += 10_000
                await writer.drain()
                await asyncio.sleep(0)
        assert sent < 1_000_000
        with contextlib.suppress(ConnectionError):  # reset while we were still sending
            assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_large_pipelined_bodies_do_not_count_as_heads(echo: Path, running: Any) -> None:
    async with running() as (server, _):
        reader, writer = await connect(server)
        request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
        writer.write((request + b"x" * 100_000) * 2 + HEAD)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"\r\nok")
        answers = b""
        async with asyncio.timeout(5):
            while answers.count(b"HTTP/1.1 200") < 3:
                answers += await reader.read(1_000_000)
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"\r\n", HEAD])
async def test_a_head_that_does_not_come_is_not_waited_for(
    echo: Path, running: Any, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.1)
    async with running() as (server, _):
        reader, writer = await connect(server)
        writer.write(sent)
        async with asyncio.timeout(2):
            assert await reader.read() == b""
        writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(
    echo: Path, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_TIMEOUT", 0.2)
    async with running() as (server, _):
        reader, writer = await connect(server)
        writer.write(HEAD + b"\r\n")
        async with asyncio.timeout(2):
            await asyncio.sleep(0.05)
            writer.write(b"o")
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in answer
        writer.close()


async def test_a_body_that_we_let_wait_has_as_long_as_need_be(
    echo: Path, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_TIMEOUT", 0.1)  # the first answer takes 0.2 s
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    async with running() as (server, _):
        reader, writer = await connect(server)
        writer.write(HEAD + b"\r\nok" + request + b"x" * 1_000_000)
        async with asyncio.timeout(5):
            for _ in range(2):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                await reader.readexactly(2 if b"content-length: 2\r" in head else 1_000_000)
        writer.close()


async def test_head_and_body_of_an_answer_leave_together(
    echo: Path, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[bytes]] = []

    class Seen(protocol._JoinedWrites):
        def _flush(self) -> None:
            sent.append(list(self._parts))
            super()._flush()

    monkeypatch.setattr(protocol, "_JoinedWrites", Seen)
    async with running() as (_, client):
        assert (await client.post("/echo", content=b"ok")).text == "ok"
    head, body = sent[0]
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b"ok"


async def test_a_slow_answer_is_waited_for(
    echo: Path, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.05)
    async with running() as (server, _):
        reader, writer = await connect(server)
        for _ in range(2):
            writer.write(HEAD + b"\r\nok")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(2) == b"ok"
        writer.close()


async def test_garbage_is_refused_and_others_are_served(echo: Path, running: Any) -> None:
    async with running() as (server, client):
        for garbage in (os.urandom(1000), b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01", b"GET\n\n"):
            _, writer = await connect(server)
            writer.write(garbage)
            await writer.drain()
            writer.close()
        assert (await client.post("/echo", content=b"hi")).text == "hi"
