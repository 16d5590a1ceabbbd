"""Executions in a SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from .hosts import HostLocks, host_id
from .metrics import HOUR, HourlyMetrics, roll_up
from .migrations import migrate
from .packing import pack, unpack
from .record import ExecutionRecord, Status
from .sketch import Sketch
from .store import (
    INTERRUPTED_ERROR,
    Page,
    Query,
    StoreUnavailable,
    ascii_text,
    decode_cursor,
    encode_cursor,
)

_COLUMNS = (
    "id, workflow, trigger_node, status, started, finished, parent, revision, host,"
    " input, output, error, steps"
)
_LISTED = (
    "id, workflow, trigger_node, status, started, finished, parent, revision, host,"
    " NULL, NULL, error, NULL"
)
_INSERT = f"INSERT INTO executions ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
_START = f"{_INSERT} ON CONFLICT (id) DO NOTHING"
_FINISH = (
    f"{_INSERT} ON CONFLICT (id) DO UPDATE SET status = excluded.status, finished = excluded.finished,"
    " input = excluded.input, output = excluded.output, error = excluded.error,"
    " steps = excluded.steps"
)
_COUNT = (
    "INSERT INTO metrics (workflow, hour, count, success, error, total, sketch)"
    " VALUES (?,?,?,?,?,?,?) ON CONFLICT (hour, workflow) DO UPDATE SET count = excluded.count,"
    " success = excluded.success, error = excluded.error, total = excluded.total,"
    " sketch = excluded.sketch"
)
_CHUNK = 500  # rows per deleting transaction, so that writers need not wait long


class SqliteStore:
    """A history in one file, for any number of processes of one machine.

    Opening it marks as interrupted what dead processes left running.

    Args:
        path: the file; it and its folder are made if missing.
        timeout: seconds to wait for another process's transaction.

    Raises:
        StoreUnavailable: the file cannot be opened or is no history of this version.
    """

    def __init__(self, path: str | Path, *, timeout: float = 10.0) -> None:
        self.path = Path(path)
        self.host = host_id()
        self._timeout = timeout
        self._locks = HostLocks(self.path.with_name(self.path.name + ".hosts"))
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._held = False
        self._closed = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            self._writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._writer.execute("PRAGMA journal_mode = WAL")
            self._writer.execute("PRAGMA synchronous = NORMAL")
            migrate(self._writer)
        except (OSError, sqlite3.Error, ValueError) as error:
            raise StoreUnavailable(f"The history {path} cannot be opened: {error}") from error
        self._recover()

    # --- writing -------------------------------------------------------------------------------

    def write(
        self, started: Sequence[ExecutionRecord], finished: Sequence[ExecutionRecord]
    ) -> None:
        """See `HistoryStore`."""
        starts = [_row(record) for record in started]
        ends = [_row(record) for record in finished]
        with self._transaction() as connection:
            connection.executemany(_START, starts)
            ended = self._ended(connection, finished)
            connection.executemany(_FINISH, ends)
            new = [record for record in finished if record.id not in ended]
            self._count(connection, roll_up(new))

    def delete(self, ids: Sequence[str]) -> int:
        """See `HistoryStore`."""
        with self._transaction() as connection:
            return connection.executemany(
                "DELETE FROM executions WHERE id = ?", [(id,) for id in ids]
            ).rowcount

    def prune(self, before: float, *, workflow: str | None = None) -> int:
        """See `HistoryStore`."""
        condition = "started < ? AND coalesce(finished, started) < ? AND status <> 'running'"
        values: list[Any] = [before, before]
        if workflow is not None:
            condition += " AND workflow = ?"
            values.append(workflow)
        removed = 0
        while True:
            with self._transaction() as connection:
                count = connection.execute(
                    f"DELETE FROM executions WHERE id IN"  # noqa: S608
                    f" (SELECT id FROM executions WHERE {condition} LIMIT {_CHUNK})",
                    values,
                ).rowcount
            removed += count
            if count < _CHUNK:
                break
        if removed:
            with self._lock:
                self._writer.execute("PRAGMA incremental_vacuum(10000)").fetchall()
        return removed

    def mark_interrupted(self, host: str) -> int:
        """See `HistoryStore`."""
        with self._transaction() as connection:
            rows = connection.execute(
                f"SELECT {_LISTED} FROM executions"  # noqa: S608
                " WHERE status = 'running' AND status <> 'success' AND host = ?",
                (host,),
            ).fetchall()
            records = [_record(row) for row in rows]
            for record in records:
                record.status = Status.INTERRUPTED
            connection.executemany(
                "UPDATE executions SET status = 'interrupted', error = ? WHERE id = ?",
                [(INTERRUPTED_ERROR, record.id) for record in records],
            )
            self._count(connection, roll_up(records))
        return len(records)

    def _ended(
        self, connection: sqlite3.Connection, records: Sequence[ExecutionRecord]
    ) -> set[str]:
        """Which of these executions are recorded as ended already."""
        found: set[str] = set()
        for start in range(0, len(records), _CHUNK):
            ids = [record.id for record in records[start : start + _CHUNK]]
            rows = connection.execute(
                "SELECT id FROM executions WHERE status <> 'running'"  # noqa: S608
                f" AND id IN ({','.join('?' * len(ids))})",
                ids,
            )
            found.update(row[0] for row in rows)
        return found

    def _count(self, connection: sqlite3.Connection, counts: list[HourlyMetrics]) -> None:
        for hourly in counts:
            row = connection.execute(
                "SELECT workflow, hour, count, success, error, total, sketch FROM metrics"
                " WHERE hour = ? AND workflow = ?",
                (hourly.hour, hourly.workflow),
            ).fetchone()
            if row is not None:
                hourly.merge(_metrics(row))
            connection.execute(
                _COUNT,
                (
                    hourly.workflow,
                    hourly.hour,
                    hourly.count,
                    hourly.success,
                    hourly.error,
                    hourly.total,
                    hourly.sketch.dump(),
                ),
            )

    # --- reading -------------------------------------------------------------------------------

    def get(self, id: str) -> ExecutionRecord | None:
        """See `HistoryStore`."""
        rows = self._read(f"SELECT {_COLUMNS} FROM executions WHERE id = ?", [id])  # noqa: S608
        return _record(rows[0]) if rows else None

    def list(self, query: Query, *, limit: int = 50, cursor: str | None = None) -> Page:
        """See `HistoryStore`."""
        after = decode_cursor(cursor) if cursor is not None else None
        records = self._select(_LISTED, query, limit + 1, after)
        more = len(records) > limit
        records = records[:limit]
        last = records[-1] if more and records else None
        return Page(records, encode_cursor(last.started, last.id) if last else None)

    def export(self, query: Query) -> Iterator[ExecutionRecord]:
        """See `HistoryStore`."""
        after: tuple[float, str] | None = None
        while records := self._select(_COLUMNS, query, 100, after):
            yield from records
            after = (records[-1].started, records[-1].id)

    def running_hosts(self) -> list[str]:
        """See `HistoryStore`."""
        rows = self._read(
            "SELECT DISTINCT host FROM executions WHERE status = 'running'"
            " AND status <> 'success' ORDER BY host"
        )
        return [row[0] for row in rows]

    def metrics(
        self, *, workflow: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[HourlyMetrics]:
        """See `HistoryStore`."""
        conditions, values = ["1 = 1"], list[Any]()
        for condition, value in (
            ("workflow = ?", workflow),
            ("hour >= ?", since),
            ("hour < ?", until),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        rows = self._read(
            "SELECT workflow, hour, count, success, error, total, sketch FROM metrics"  # noqa: S608
            f" WHERE {' AND '.join(conditions)} ORDER BY hour, workflow",
            values,
        )
        return [_metrics(row) for row in rows]

    def _select(
        self, columns: str, query: Query, limit: int, after: tuple[float, str] | None
    ) -> list[ExecutionRecord]:
        condition, values = _where(query)
        if after is not None:
            condition += " AND (started, id) < (?, ?)"
            values.extend(after)
        rows = self._read(
            f"SELECT {columns} FROM executions WHERE {condition}"  # noqa: S608
            " ORDER BY started DESC, id DESC LIMIT ?",
            [*values, limit],
        )
        return [_record(row) for row in rows]

    # --- connections ---------------------------------------------------------------------------

    def close(self) -> None:
        """See `HistoryStore`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for connection in (self._writer, *self._idle):
                connection.close()
            self._idle.clear()
        if self._held:
            self._locks.release(self.host)

    def _recover(self) -> None:
        for host in self.running_hosts():
            if not self._locks.is_alive(host):
                self.mark_interrupted(host)
                self._locks.forget(host)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )

    @contextlib.contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"The history {self.path} is closed")
            try:
                if not self._held:
                    self._locks.hold(self.host)
                    self._held = True
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
            except (sqlite3.OperationalError, OSError) as error:
                raise StoreUnavailable(
                    f"The history {self.path} cannot be written: {error}"
                ) from error

    def _read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"The history {self.path} is closed")
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or self._connect()
            rows = connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise StoreUnavailable(f"The history {self.path} cannot be read: {error}") from error
        with self._lock:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)
        return rows


def _where(query: Query) -> tuple[str, list[Any]]:
    conditions, values = ["1 = 1"], list[Any]()
    for condition, value in (
        ("workflow = ?", query.workflow),
        ("started >= ?", query.since),
        ("started < ?", query.until),
        ("parent = ?", query.parent),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if query.statuses:
        marks = ",".join("?" * len(query.statuses))
        conditions.append(f"status IN ({marks})")
        values.extend(status.value for status in query.statuses)
        if Status.SUCCESS not in query.statuses:
            conditions.append("status <> 'success'")  # names the partial index
    if query.text:
        raw, quoted = _like(query.text), _like(ascii_text(query.text))
        conditions.append(
            "(id LIKE ? ESCAPE '!' OR workflow LIKE ? ESCAPE '!' OR input LIKE ? ESCAPE '!'"
            " OR output LIKE ? ESCAPE '!' OR error LIKE ? ESCAPE '!')"
        )
        values.extend((raw, raw, quoted, quoted, quoted))
    return " AND ".join(conditions), values


def _like(text: str) -> str:
    return "%" + text.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"


def _row(record: ExecutionRecord) -> tuple[Any, ...]:
    return (
        record.id,
        record.workflow,
        record.trigger,
        record.status.value,
        record.started,
        record.finished,
        record.parent,
        record.revision,
        record.host,
        record.input,
        record.output,
        record.error,
        pack(record.steps),
    )


def _record(row: Sequence[Any]) -> ExecutionRecord:
    return ExecutionRecord(
        id=row[0],
        workflow=row[1],
        trigger=row[2],
        status=Status(row[3]),
        started=row[4],
        finished=row[5],
        parent=row[6],
        revision=row[7],
        host=row[8],
        input=row[9],
        output=row[10],
        error=row[11],
        steps=unpack(row[12]),
    )


def _metrics(row: Sequence[Any]) -> HourlyMetrics:
    workflow, hour, count, success, error, total, sketch = row
    assert hour % HOUR == 0
    return HourlyMetrics(workflow, hour, count, success, error, total, Sketch.load(sketch))
