from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.database.hosts import HostLocks, host_id
from nodegx.runtime.history import sqlite
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.store import Query, StoreUnavailable

BUSY = Path(__file__).parents[2] / "support" / "busy_process.py"


def running(id: str, host: str) -> ExecutionRecord:
    return ExecutionRecord(id, "/A", "t", Status.RUNNING, 1.0, host=host)


def test_after_a_kill_every_execution_that_began_is_there_and_none_still_runs(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.sqlite3"
    process = subprocess.Popen([sys.executable, BUSY, path, "200"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    begun: list[str] = []
    with process, process.stdout as lines:
        for line in lines:
            begun.append(line.decode().strip())
            if len(begun) == 300:
                break
        process.send_signal(signal.SIGKILL)
        rest = [line.decode() for line in lines]
        begun += [line.strip() for line in rest if line.endswith("\n")]
    assert len(begun) >= 300
    store = SqliteStore(path)
    found = {record.id: record.status for record in store.export(Query())}
    store.close()
    assert [id for id in begun if id not in found] == []
    assert set(found.values()) == {Status.SUCCESS, Status.INTERRUPTED}
    assert list(found.values()).count(Status.INTERRUPTED) >= 100
    assert not list((tmp_path / "history.sqlite3.hosts").glob("*.lock"))


def test_opening_leaves_the_executions_of_living_processes_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    mine = SqliteStore(path)
    mine.write([running("mine", mine.host)], [])
    process = subprocess.Popen([sys.executable, BUSY, path, "2"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process, process.stdout as lines:
        first = next(lines).decode().strip()
        other = SqliteStore(path)
        alive = other.get("mine"), other.get(first)
        assert other.host != mine.host
        other.close()
        process.kill()
    assert [record.status for record in alive if record] != []
    assert Status.INTERRUPTED not in [record.status for record in alive if record]
    mine.close()
    reopened = SqliteStore(path)
    left = reopened.get("mine")
    assert left is not None
    assert left.status == Status.INTERRUPTED
    reopened.close()


def test_only_writing_leaves_a_lock(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "h.sqlite3")
    store.list(Query())
    assert not (tmp_path / "h.sqlite3.hosts").exists()
    store.write([running("x", store.host)], [])
    assert len(list((tmp_path / "h.sqlite3.hosts").iterdir())) == 1
    store.close()
    assert list((tmp_path / "h.sqlite3.hosts").iterdir()) == []


def test_hosts_are_told_apart_and_seen_to_die(tmp_path: Path) -> None:
    first, second = HostLocks(tmp_path / "hosts"), HostLocks(tmp_path / "hosts")
    name = host_id()
    assert name != host_id()
    assert not second.is_alive(name)
    first.hold(name)
    assert first.is_alive(name)
    assert second.is_alive(name)
    first.release(name)
    first.release(name)
    assert not second.is_alive(name)
    second.forget(name)


def test_the_settings_that_make_it_fast_and_safe(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "h.sqlite3"
    SqliteStore(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        applied = connection.execute("SELECT number FROM migrations").fetchall()
    assert applied == [(number + 1,) for number in range(len(sqlite.HISTORY.steps))]


def test_pruning_makes_the_file_smaller(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite3"
    store = SqliteStore(path)
    ends = [
        ExecutionRecord(f"{number}", "/A", "t", Status.SUCCESS, 1.0, 2.0, input='"x"' * 100)
        for number in range(2000)
    ]
    store.write([], ends)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    large = path.stat().st_size
    assert store.prune(10.0) == 2000
    store.close()
    assert path.stat().st_size < large / 2


def test_what_must_be_safe_outlives_a_loss_of_power(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "h.sqlite3")
    modes: list[tuple[bool, int]] = []
    for synced in (False, True, True, False):
        with store._database.transaction(synced=synced) as session:  # pyright: ignore[reportPrivateUsage]
            modes.append((synced, session.execute("PRAGMA synchronous").fetchone()[0]))
    assert modes == [(False, 1), (True, 2), (True, 2), (False, 1)]
    store.close()


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("1 = 1", "executions_by_start"),
        ("workflow = '/A'", "executions_by_workflow"),
        ("parent = 'X'", "executions_by_parent"),
        ("status IN ('error') AND status <> 'success'", "executions_by_status"),
    ],
)
def test_lists_are_read_from_an_index(tmp_path: Path, condition: str, index: str) -> None:
    path = tmp_path / "h.sqlite3"
    SqliteStore(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN SELECT id FROM executions WHERE {condition}"
            " ORDER BY started DESC, id DESC LIMIT 10"
        ).fetchall()
    text = " ".join(str(row[3]) for row in plan)
    assert index in text
    assert "TEMP B-TREE" not in text


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite3"
    SqliteStore(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO migrations VALUES (99, 0)")
    with pytest.raises(StoreUnavailable, match="schema 99"):
        SqliteStore(path)


def test_migrations_are_applied_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "h.sqlite3"
    first = SqliteStore(path)
    first.write([], [ExecutionRecord("X", "/A", "t", Status.SUCCESS, 1.0, 2.0)])
    first.close()
    steps = (*sqlite.HISTORY.steps, ("ALTER TABLE executions ADD COLUMN extra TEXT",))
    more = sqlite.HISTORY._replace(steps=steps)
    monkeypatch.setattr(sqlite, "HISTORY", more)
    for _ in range(2):
        store = SqliteStore(path)
        assert store.get("X") is not None
        store.close()
    broken = more._replace(steps=(*steps, ("CREATE TABLE good (x)", "CREATE TABEL bad (x)")))
    monkeypatch.setattr(sqlite, "HISTORY", broken)
    with pytest.raises(StoreUnavailable, match="syntax"):
        SqliteStore(path)
    monkeypatch.setattr(sqlite, "HISTORY", more)
    SqliteStore(path).close()


def _open_many(path: str, results: Any) -> None:
    try:
        SqliteStore(path).close()
        results.put("ok")
    except Exception as error:
        results.put(repr(error))


def test_several_processes_may_create_it_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    path = str(tmp_path / "h.sqlite3")
    workers = [context.Process(target=_open_many, args=(path, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert [results.get(timeout=30) for _ in workers] == ["ok"] * 3
    for worker in workers:
        worker.join()


def test_what_is_no_history_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but quite a long text " * 100)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqliteStore(tmp_path / "text")
    with pytest.raises(StoreUnavailable):
        SqliteStore(tmp_path)


def test_a_locked_file_is_waited_for_then_reported(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite3"
    store = SqliteStore(path, timeout=0.05)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        start = time.perf_counter()
        with pytest.raises(StoreUnavailable, match="locked"):
            store.write([running("x", store.host)], [])
        assert time.perf_counter() - start >= 0.04
        assert store.list(Query()).records == []  # readers go on
        other.execute("ROLLBACK")
    store.write([running("x", store.host)], [])
    store.close()
    for call in (lambda: store.list(Query()), lambda: store.write([], [])):
        with pytest.raises(StoreUnavailable, match="closed"):
            call()


def test_a_host_that_has_lost_an_execution_changes_nothing_of_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "history.sqlite3")
    try:
        end = ExecutionRecord("01", "/A", "t", Status.SUCCESS, 1.0, finished=2.0, fence=2)
        store.write([], [end])
        late = ExecutionRecord("01", "/A", "t", Status.WAITING, 1.0, fence=1)
        store.write([], [late])
        failed = ExecutionRecord("01", "/A", "t", Status.ERROR, 1.0, finished=2.0, fence=1)
        other = ExecutionRecord("02", "/A", "t", Status.SUCCESS, 1.0, finished=2.0)
        store.write([], [failed, other])
        assert store.get("01") == end
        assert store.get("02") is not None
        [hour] = store.metrics()
        assert (hour.count, hour.error) == (2, 0)
    finally:
        store.close()
