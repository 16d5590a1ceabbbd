"""Every store of histories that the suite is run against: one entry each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.store import HistoryStore

Open = Callable[[], HistoryStore]


def sqlite(folder: Path) -> Iterator[Open]:
    """SQLite in a file of its own."""
    stores: list[SqliteStore] = []

    def open_store() -> SqliteStore:
        stores.append(SqliteStore(folder / "history.sqlite3"))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


STORES: dict[str, Callable[[Path], Iterator[Open]]] = {"sqlite": sqlite}


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one and the same store, again with every call."""
    yield from STORES[request.param](tmp_path)


@pytest.fixture
def store(open_store: Open) -> HistoryStore:
    """An empty store."""
    return open_store()
