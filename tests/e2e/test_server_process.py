"""A real server process: stopped, killed, loaded."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.store import Query

from tests.support.built import ORDERS, simple, webhook, write_workflow
from tests.support.server_process import server_process
from tests.support.until import until

pytestmark = pytest.mark.e2e

ENDED = {Status.SUCCESS, Status.ERROR, Status.INTERRUPTED}
SLOW = """
    await run.wait(WAIT, seconds=start.body["seconds"])
    await run.respond(RESPOND, body="done")
"""
BACKGROUND = "    await run.wait(WAIT, seconds=start.body['seconds'])"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    write_workflow(folder, "Slow", simple("Slow", SLOW), [webhook("/slow")])
    handler = simple("Background", BACKGROUND)
    write_workflow(folder, "Background", handler, [webhook("/background")], responds=False)
    trigger = {"node": "order", "type": "trigger.webhook", "config": {"path": "/orders"}}
    write_workflow(folder, "/#__cloud__/ProcessOrder", ORDERS, [trigger])
    return folder


def executions(history: Path) -> dict[str, ExecutionRecord]:
    store = SqliteStore(history)
    try:
        return {record.id: record for record in store.export(Query())}
    finally:
        store.close()


class Callers:
    """Calls a server until it is gone, and keeps what it acknowledged."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.accepted: set[str] = set()
        self.answered = 0

    async def keep_calling(self, path: str, body: Any) -> None:
        while True:
            try:
                answer = await self.client.post(path, json=body)
            except httpx.TransportError:
                return
            if answer.status_code == 202:
                self.accepted.add(answer.json()["executionId"])
            elif answer.status_code == 200:
                self.answered += 1


async def test_no_accepted_execution_is_missing_after_kill_9(build: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.sqlite3"
    order = {"id": "a", "total": 5, "card": "4111 1111 1111 1111"}
    with server_process(build, history) as server:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=60) as client:
            # 200 executions under way that nobody will see the end of …
            started = await asyncio.gather(
                *(client.post("/background", json={"seconds": 60}) for _ in range(200))
            )
            under_way = {answer.json()["executionId"] for answer in started}
            assert len(under_way) == 200
            # … while others come and go and the history is being written all the time.
            callers = Callers(client)
            tasks = [
                asyncio.create_task(callers.keep_calling(path, body))
                for path, body in (
                    ("/background", {"seconds": 0.01}),
                    ("/slow", {"seconds": 0.02}),
                    ("/orders", order),
                )
                for _ in range(8)
            ]
            await until(lambda: len(callers.accepted) >= 50 and callers.answered >= 50, within=20)
            server.kill()
            await asyncio.gather(*tasks)

    with server_process(build, history) as server:  # the restart marks what was interrupted
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get("/_nodegx/executions", params={"status": "running"})
            assert answer.json()["executions"] == []
        assert server.stop() == 0

    found = executions(history)
    assert under_way <= found.keys()
    assert callers.accepted <= found.keys()
    assert {found[identifier].status for identifier in under_way} == {Status.INTERRUPTED}
    assert {record.status for record in found.values()} <= ENDED
    answering = [r for r in found.values() if r.workflow != "Background"]
    assert len(answering) >= callers.answered


async def test_sigterm_ends_everything_on_record(build: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.sqlite3"
    with server_process(build, history, drain=5.0) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            short = [asyncio.create_task(client.post("/slow", json={"seconds": 0.6})) for _ in "ab"]
            long = [asyncio.create_task(client.post("/slow", json={"seconds": 60})) for _ in "ab"]
            await client.post("/background", json={"seconds": 0.5})
            await until(lambda: len(executions(history)) == 5)
            server.process.send_signal(signal.SIGTERM)
            assert [answer.text for answer in await asyncio.gather(*short)] == ["done"] * 2
            assert [a.status_code for a in await asyncio.gather(*long)] == [503] * 2
            assert await asyncio.to_thread(server.process.wait, 60) == 0
    statuses = sorted(record.status for record in executions(history).values())
    assert statuses == [Status.CANCELLED] * 2 + [Status.SUCCESS] * 3


async def test_a_second_signal_does_not_wait(build: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.sqlite3"
    with server_process(build, history, drain=60.0) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            await client.post("/background", json={"seconds": 60})
            begin = time.perf_counter()
            server.process.send_signal(signal.SIGINT)
            await asyncio.sleep(1)  # two that come at once count as one
            server.process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(server.process.wait, 60) == 0
            assert time.perf_counter() - begin < 30
    (record,) = executions(history).values()
    assert record.status == Status.CANCELLED
