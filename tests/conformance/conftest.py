"""Every store that the suites are run against: one entry each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nodegx.runtime.durable.dynamodb import DynamoRuns
from nodegx.runtime.durable.postgres import PostgresRuns
from nodegx.runtime.durable.sqlite import SqliteRuns
from nodegx.runtime.durable.store import RunStore
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.history.postgres import PostgresHistory
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.store import HistoryStore

from tests.support.moto import moto_server
from tests.support.postgres import postgres as server

Open = Callable[[], HistoryStore]
OpenRuns = Callable[[], RunStore]


def sqlite(folder: Path) -> Iterator[Open]:
    """SQLite in a file of its own."""
    stores: list[SqliteStore] = []

    def open_store() -> SqliteStore:
        stores.append(SqliteStore(folder / "history.sqlite3"))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def postgres(folder: Path) -> Iterator[Open]:
    """PostgreSQL in a schema of its own."""
    stores: list[PostgresHistory] = []
    with server().schema() as url:

        def open_store() -> PostgresHistory:
            stores.append(PostgresHistory(url))
            return stores[-1]

        yield open_store
        for store in stores:
            store.close()


def dynamodb(folder: Path) -> Iterator[Open]:
    """DynamoDB tables and a bucket on moto's server, under names of their own."""
    name = f"h-{os.urandom(6).hex()}"
    cloud = moto_server()
    cloud.client("dynamodb").call("CreateTable", table_definition(name))
    cloud.make_bucket(name)
    stores: list[DynamoHistory] = []

    def open_store() -> DynamoHistory:
        table, files = cloud.client("dynamodb"), cloud.client("s3")
        stores.append(DynamoHistory(name, dynamodb=table, s3=files, bucket=name, host="here"))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()
    cloud.client("dynamodb").call("DeleteTable", {"TableName": name})


STORES: dict[str, Callable[[Path], Iterator[Open]]] = {
    "sqlite": sqlite,
    "postgres": postgres,
    "dynamodb": dynamodb,
}


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one and the same store, again with every call."""
    yield from STORES[request.param](tmp_path)


@pytest.fixture
def store(open_store: Open) -> HistoryStore:
    """An empty store."""
    return open_store()


def sqlite_runs(folder: Path) -> Iterator[OpenRuns]:
    """SQLite in a file of its own."""
    stores: list[SqliteRuns] = []

    def open_runs() -> SqliteRuns:
        stores.append(SqliteRuns(folder / "runs.sqlite3"))
        return stores[-1]

    yield open_runs
    for store in stores:
        store.close()


def postgres_runs(folder: Path) -> Iterator[OpenRuns]:
    """PostgreSQL in a schema of its own."""
    stores: list[PostgresRuns] = []
    with server().schema() as url:

        def open_runs() -> PostgresRuns:
            stores.append(PostgresRuns(url))
            return stores[-1]

        yield open_runs
        for store in stores:
            store.close()


def dynamodb_runs(folder: Path) -> Iterator[OpenRuns]:
    """A DynamoDB table and a bucket on moto's server, under names of their own."""
    name = f"r-{os.urandom(6).hex()}"
    cloud = moto_server()
    cloud.client("dynamodb").call("CreateTable", table_definition(name))
    cloud.make_bucket(name)
    stores: list[DynamoRuns] = []

    def open_runs() -> DynamoRuns:
        table, files = cloud.client("dynamodb"), cloud.client("s3")
        host = f"host-{len(stores)}"
        stores.append(DynamoRuns(name, dynamodb=table, s3=files, bucket=name, host=host))
        return stores[-1]

    yield open_runs
    for store in stores:
        store.close()
    cloud.client("dynamodb").call("DeleteTable", {"TableName": name})


RUN_STORES: dict[str, Callable[[Path], Iterator[OpenRuns]]] = {
    "sqlite": sqlite_runs,
    "postgres": postgres_runs,
    "dynamodb": dynamodb_runs,
}


@pytest.fixture(params=RUN_STORES)
def open_runs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenRuns]:
    """Opens one and the same store of executions, as another host with every call."""
    yield from RUN_STORES[request.param](tmp_path)


@pytest.fixture
def many(request: pytest.FixtureRequest) -> int:
    """How many executions hosts fight for: fewer where the emulation takes long for each."""
    return 20 if "dynamodb" in request.node.name else 500


@pytest.fixture
def runs(open_runs: OpenRuns) -> RunStore:
    """An empty store of executions."""
    return open_runs()
