"""What the stores of executions in SQL databases do beyond the conformance suite."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from nodegx.runtime.database.postgres_pool import split_url
from nodegx.runtime.database.sqlite import SqliteDatabase
from nodegx.runtime.durable.postgres import PostgresRuns
from nodegx.runtime.durable.sqlite import SqliteRuns
from nodegx.runtime.durable.state import RunState, RunStatus, Wait
from nodegx.runtime.durable.store import Fire, RunQuery, RunStore, Suspend
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.errors import FatalError, StoreUnavailable

from tests.support.postgres import postgres

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
FUTURE = 4_000_000_000.0


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "deep" / "runs.sqlite3")


@pytest.fixture
def url() -> Iterator[str]:
    with postgres().schema() as url:
        yield url


@pytest.fixture(params=["file", "url"])
def target(request: pytest.FixtureRequest) -> str:
    """Where a store is, in a file or in PostgreSQL."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def opened() -> Iterator[Callable[[str], RunStore]]:
    """Opens stores for the time of a test."""
    with contextlib.ExitStack() as stack:

        def opened(target: str) -> RunStore:
            store = open_runs(target)
            stack.callback(store.close)
            return store

        yield opened


def run(number: int) -> RunState:
    return RunState(f"01R{number:06}", "/A", "r1", "t", "trigger.manual", "{}", float(number))


def holder(target: str, lease: float, hold: float) -> subprocess.Popen[str]:
    """Another process that claims everything."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.holding_process", target, str(lease), str(hold)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def claim(store: RunStore) -> list[RunState]:
    return store.claim(100, now=time.time())


# --- processes ------------------------------------------------------------------------------------


def test_processes_that_claim_at_once_get_each_execution_once(
    target: str, opened: Callable[[str], RunStore]
) -> None:
    store = opened(target)
    store.create([run(number) for number in range(300)])
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(holder(target, 600, 600)) for _ in range(3)]
        while store.counts()[RunStatus.QUEUED]:
            time.sleep(0.05)
        for process in processes:
            process.kill()
        taken = [line.strip() for process in processes for line in process.stdout or ()]
    found = {state.id: state for state in store.list(RunQuery(), limit=500)}
    assert {state.fence for state in found.values()} == {1}
    assert sorted(found) == [run(number).id for number in range(300)]
    # A process that was killed may not have come to tell of the last few it had.
    assert len(set(taken)) == len(taken) >= 300 - 3 * 5


def test_what_a_killed_process_had_can_be_claimed(
    target: str, opened: Callable[[str], RunStore]
) -> None:
    """At once beside a file, once its lease is over in PostgreSQL."""
    store = opened(target)
    store.beat(60)
    store.create([run(number) for number in range(20)])
    lease = 600 if isinstance(store, SqliteRuns) else 3
    begun = time.time()
    with holder(target, lease, 600) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        owners = {state.owner for state in store.list(RunQuery())}
        assert len(owners) == 1
        if time.time() < begun + lease:
            assert claim(store) == []
        process.kill()
    if isinstance(store, PostgresRuns):
        while not (states := claim(store)):
            assert time.time() < begun + 60
            time.sleep(0.05)
        assert time.time() >= begun + lease
    else:
        states = claim(store)
        locks = Path(target).with_name("runs.sqlite3.hosts")
        assert [path.stem for path in locks.iterdir()] == [store.host]
    assert len(states) == 20
    assert {state.fence for state in states} == {2}
    assert owners.isdisjoint({state.owner for state in states})


def test_a_process_that_ends_leaves_nothing_behind(
    target: str, opened: Callable[[str], RunStore]
) -> None:
    store = opened(target)
    store.create([run(1)])
    other = open_runs(target)
    other.beat(600)
    assert len(claim(other)) == 1
    other.close()
    assert len(claim(store)) == 1


# --- the database ---------------------------------------------------------------------------------


def test_a_target_is_a_path_or_a_url(file: str, url: str) -> None:
    for target, kind in ((file, SqliteRuns), (Path(file), SqliteRuns), (url, PostgresRuns)):
        store = open_runs(target)
        assert isinstance(store, kind)
        store.close()
    with pytest.raises(FatalError, match="mysql"):
        open_runs("mysql://user:s3cret@host/base")


def test_a_loss_of_power_undoes_nothing(file: str) -> None:
    store = SqliteRuns(file)
    with store._database.transaction() as session:  # pyright: ignore[reportPrivateUsage]
        assert session.execute("PRAGMA synchronous").fetchone() == (2,)
        assert session.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_pruning_makes_the_file_smaller(file: str) -> None:
    store = SqliteRuns(file)
    store.create([run(number) for number in range(2000)])
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    large = Path(file).stat().st_size
    store.delete([run(number).id for number in range(2000)])
    store.prune(0.0)
    store.close()
    assert Path(file).stat().st_size < large / 2


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but quite a long text " * 100)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqliteRuns(tmp_path / "text")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqliteRuns(tmp_path)


def test_a_newer_schema_is_refused(target: str) -> None:
    open_runs(target).close()
    note = "INSERT INTO run_migrations VALUES (99, 0)"
    if "://" in target:
        base, schema = split_url(target, "schema")
        with psycopg.connect(base) as connection:
            connection.execute(f"SET search_path TO {schema}".encode())
            connection.execute(note.encode())
    else:
        with contextlib.closing(sqlite3.connect(target)) as connection, connection:
            connection.execute(note)
    with pytest.raises(StoreUnavailable, match="schema 99"):
        open_runs(target)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not enforce permissions of folders")
def test_a_folder_that_cannot_be_written_is_reported(file: str) -> None:
    store = SqliteRuns(file)
    Path(file).with_name("runs.sqlite3.hosts").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        store.beat(10)
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        claim(store)
    store.create([run(1)])
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.create([run(2)])


# --- what must stay fast --------------------------------------------------------------------------


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that SQLite gets, with their values."""
    seen: list[str] = []
    connect = SqliteDatabase._connect  # pyright: ignore[reportPrivateUsage]

    def traced(database: SqliteDatabase) -> sqlite3.Connection:
        connection = connect(database)
        connection.set_trace_callback(seen.append)
        return connection

    monkeypatch.setattr(SqliteDatabase, "_connect", traced)
    return seen


def test_what_is_asked_for_often_is_read_from_an_index(file: str, statements: list[str]) -> None:
    store = SqliteRuns(file)
    store.create([run(1)])
    (state,) = claim(store)
    statements.clear()
    claim(store)
    store.next_due()
    store.cancels()
    store.change([Suspend(state.id, state.fence, (Wait("a", "webhook"),))])
    store.counts()
    store.close()
    used: list[str] = []
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            if statement.startswith("SELECT") and "hosts" not in statement:
                plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
                text = " ".join(str(row[3]) for row in plan)
                assert "TEMP B-TREE FOR ORDER BY" not in text
                used.append(text.partition("INDEX ")[2].split()[0])
    assert used == [
        *("runs_owned", "runs_due", "runs_queued"),  # a claim
        *("runs_due", "runs_queued", "runs_cancelled"),
        *("sqlite_autoindex_runs_1", "entries_answers", "sqlite_autoindex_runs_1"),  # a change
        "runs_statuses",
    ]


def test_sleeping_executions_do_not_slow_claims(
    target: str, opened: Callable[[str], RunStore]
) -> None:
    """Of two stores, the one with 10,000 sleeping executions answers about as fast."""
    store = opened(target)

    def best() -> float:
        times: list[float] = []
        for _ in range(30):
            begun = time.perf_counter()
            assert claim(store) == []
            times.append(time.perf_counter() - begun)
        return min(times)

    empty = best()
    waits = (Wait("a!answer", "time", FUTURE),)
    for start in range(0, 10_000, 500):
        store.create(
            [
                RunState(
                    f"01S{number:06}", "/A", "r1", "t", "trigger.manual", "{}", float(number),
                    status=RunStatus.WAITING, waits=waits, due=FUTURE + number,
                )
                for number in range(start, start + 500)
            ]
        )  # fmt: skip
    assert best() < 3 * empty + 0.001
    assert store.next_due() == pytest.approx(FUTURE, abs=5)


def test_a_moment_costs_a_moment(target: str, opened: Callable[[str], RunStore]) -> None:
    """Moments that were fired before are found without those that were not."""
    store = opened(target)
    assert (
        store.fire([Fire("s", float(number), run(number)) for number in range(50)]) == [True] * 50
    )
    assert store.fire([Fire("s", float(number), run(100)) for number in range(50)]) == [False] * 50
    assert store.load(run(100).id) is None
