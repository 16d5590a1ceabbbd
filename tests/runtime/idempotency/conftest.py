from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodegx.runtime import Run, Trigger, Workflow
from nodegx.runtime.execution import Execution
from nodegx.runtime.idempotency.guard import Guard
from nodegx.runtime.idempotency.requests import Requests
from nodegx.runtime.idempotency.sqlite import SqliteKeys
from nodegx.runtime.idempotency.store import KeyStore
from nodegx.runtime.idempotency.writer import KeyWriter
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log
from nodegx.runtime.node import Node, Settings
from nodegx.runtime.triggers.route import build
from nodegx.runtime.triggers.webhook import WebhookApp

RESPOND = Node("respond", "cloud.response")
KEY = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
REPLAYED = "idempotency-replayed"


class Gate:
    """A handler that answers once it is opened, and tells that it has begun."""

    def __init__(self, **answer: Any) -> None:
        self.begun = 0
        self.opened = asyncio.Event()
        self.answer: dict[str, Any] = {"status": 201, "body": {"number": 1}, **answer}

    async def __call__(self, run: Run) -> None:
        self.begun += 1
        await self.opened.wait()
        await run.respond(RESPOND, **self.answer)


async def confirm(run: Run) -> None:
    body = {"execution": run.execution.id, "order": run.trigger.body}
    await run.respond(RESPOND, status=201, headers={"x-shop": ["a", "ä"]}, body=body)


def parts(answer: httpx.Response) -> tuple[Any, ...]:
    """What must be the same in a repeat."""
    headers = [pair for pair in answer.headers.raw if pair[0] != REPLAYED.encode()]
    return answer.status_code, headers, answer.content


class Process:
    """What a server's process has of its own, over a store that it may share with others.

    `executions` are those it has started, in that order.
    """

    def __init__(self, store: KeyStore, **options: Any) -> None:
        self.store = store
        self.keys = KeyWriter(store)
        self.guard = Guard(self.keys, log=Log("error"), **options)
        self.requests = Requests(self.guard)
        self.executions: list[Execution] = []

    def app(
        self,
        handler: Callable[[Run], Any],
        idempotency: Mapping[str, Any] | None = None,
        *,
        key: Callable[[Any], Any] | None = None,
        name: str = "/Orders",
        responds: bool = True,
        secrets: Mapping[str, str] | None = None,
        **options: Any,
    ) -> WebhookApp:
        """A webhook `/orders` whose trigger `order` starts `handler`.

        Args:
            handler: the workflow's handler.
            idempotency: the trigger's setting of that name.
            key: the trigger's expression.
            name: the workflow's name.
            responds: whether it has a response node.
            secrets: by name.
            options: `settings` of the workflow, and more of the trigger.
        """
        settings = Settings(**options.pop("settings", {}))
        keys = {} if key is None else {"order": key}
        workflow = Workflow(name, handler, settings, keys=keys)
        config = {"path": "/orders", "method": ["POST", "GET"], **options}
        config["idempotency"] = {} if idempotency is None else idempotency
        route = build(name, "order", "trigger.webhook", config, secrets or {}, responds=responds)
        host = LocalHost()

        async def start(route: Any, request: Any, id: str | None = None, /) -> Execution:
            trigger = Trigger(route.node, route.type, request)
            execution = Execution(workflow, trigger, host, id=id, log=Log("error"))
            await execution.start()
            self.executions.append(execution)
            return execution

        async def once(route: Any, incoming: Any, request: Any, begin: Any, /) -> Any:
            return await self.requests.answer(workflow, route, incoming, request, begin)

        return WebhookApp([route], start, once=once)

    async def close(self) -> None:
        """Ends in good order."""
        await self.guard.drain()
        self.keys.close()
        self.store.close()


@pytest.fixture
async def make_process(tmp_path: Path) -> AsyncIterator[Callable[..., Process]]:
    """Makes processes that share a file."""
    made: list[Process] = []

    def make(**options: Any) -> Process:
        made.append(Process(SqliteKeys(tmp_path / "keys.sqlite3"), **options))
        return made[-1]

    yield make
    for process in made:
        for execution in process.executions:
            execution.cancel()
        await process.close()


@pytest.fixture
def process(make_process: Callable[..., Process]) -> Process:
    return make_process()


@asynccontextmanager
async def calling(app: WebhookApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://shop.example"
    ) as client:
        yield client
