from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodegx.runtime.history.record import ExecutionRecord
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.store import Query
from nodegx.server.options import ServerOptions
from nodegx.server.serving import Server

Running = Callable[..., AbstractAsyncContextManager[tuple[Server, httpx.AsyncClient]]]


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    folder.mkdir()
    return folder


@pytest.fixture
def options(tmp_path: Path, build: Path) -> ServerOptions:
    return ServerOptions(
        build=build,
        root=tmp_path,
        port=0,
        history=tmp_path / "history.sqlite3",
        request_log=False,
        log_level="error",
    )


@pytest.fixture
def running(options: ServerOptions) -> Running:
    """Starts a server over the build directory; gives it and a client."""

    @asynccontextmanager
    async def run(**changes: Any) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
        async with (
            Server(dataclasses.replace(options, **changes)) as server,
            httpx.AsyncClient(base_url=server.url, timeout=60) as client,
        ):
            yield server, client

    return run


@pytest.fixture
def recorded(options: ServerOptions) -> Callable[[], list[ExecutionRecord]]:
    """All executions in the history, the first one first, once the server has stopped."""

    def read() -> list[ExecutionRecord]:
        assert options.history is not None
        store = SqliteStore(options.history)
        try:
            return list(store.export(Query()))[::-1]
        finally:
            store.close()

    return read


def data(text: str | None) -> Any:
    """JSON text of a record."""
    return None if text is None else json.loads(text)
