"""What the history in PostgreSQL does beyond the conformance suite."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodegx.runtime.errors import FatalError, StoreUnavailable
from nodegx.runtime.history.postgres import PostgresHistory
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.store import Query
from nodegx.runtime.history.stores import open_history

from tests.support.postgres import postgres

pytestmark = pytest.mark.slow


@pytest.fixture
def url() -> Iterator[str]:
    with postgres().schema() as url:
        yield url


def start(store: PostgresHistory, id: str, *, durable: bool = False) -> ExecutionRecord:
    """Keeps the start of an execution."""
    record = ExecutionRecord(id, "/A", "t", Status.RUNNING, 1.0, host=store.host, durable=durable)
    store.write([record], [])
    return record


def status(store: PostgresHistory, id: str) -> Status:
    record = store.get(id)
    assert record is not None
    return record.status


def die(store: PostgresHistory) -> None:
    """Ends a store as the death of its process would: its lease stays, and nobody renews it."""
    store._closing.set()  # pyright: ignore[reportPrivateUsage]
    thread = store._beating  # pyright: ignore[reportPrivateUsage]
    assert thread is not None
    thread.join()


def test_hosts_mark_what_a_dead_one_left_running(url: str) -> None:
    alive, dead = PostgresHistory(url, lease=2), PostgresHistory(url, lease=0.5)
    start(alive, "mine")
    start(dead, "left")
    start(dead, "durable", durable=True)
    die(dead)
    deadline = time.monotonic() + 60
    while status(alive, "left") == Status.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert status(alive, "left") == Status.INTERRUPTED
    assert status(alive, "durable") == Status.RUNNING
    assert status(alive, "mine") == Status.RUNNING
    assert [(row.count, row.error) for row in alive.metrics()] == [(1, 1)]
    alive.close()


def test_opening_marks_what_dead_hosts_left_and_nothing_else(url: str) -> None:
    alive, dead, gone = (PostgresHistory(url, lease=lease) for lease in (600, 0.5, 600))
    start(alive, "mine")
    start(dead, "left")
    start(gone, "ended")
    die(dead)
    gone.close()
    time.sleep(0.6)
    other = PostgresHistory(url)
    assert status(other, "left") == Status.INTERRUPTED
    assert status(other, "ended") == Status.INTERRUPTED
    assert status(other, "mine") == Status.RUNNING
    other.close()
    alive.close()


def test_a_host_keeps_its_lease_while_it_lives(url: str) -> None:
    alive = PostgresHistory(url, lease=1)
    start(alive, "mine")
    time.sleep(1.5)
    PostgresHistory(url).close()
    assert status(alive, "mine") == Status.RUNNING
    alive.close()


def test_an_end_and_an_interruption_at_once_count_once(url: str) -> None:
    first, second = PostgresHistory(url), PostgresHistory(url)
    records = [start(first, f"x{number}") for number in range(30)]
    ends = [
        ExecutionRecord(record.id, "/A", "t", Status.SUCCESS, 1.0, 2.0, host=first.host)
        for record in records
    ]

    def finish() -> None:
        for end in ends:
            first.write([], [end])

    threads = [
        threading.Thread(target=finish),
        threading.Thread(target=second.mark_interrupted, args=(first.host,)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {record.status for record in second.list(Query()).records} == {Status.SUCCESS}
    assert sum(row.count for row in second.metrics()) == 30
    first.close()
    second.close()


def test_closing_is_final(url: str) -> None:
    store = PostgresHistory(url)
    start(store, "x")
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.list(Query())
    with pytest.raises(StoreUnavailable, match="closed"):
        start(store, "y")


def test_a_target_is_a_path_or_a_url(url: str, tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite3"
    for target, kind in ((url, PostgresHistory), (path, SqliteStore), (str(path), SqliteStore)):
        store = open_history(target)
        assert isinstance(store, kind)
        store.close()
    with pytest.raises(FatalError, match="mysql") as caught:
        open_history("mysql://user:s3cret@host/base")
    assert "s3cret" not in str(caught.value)
