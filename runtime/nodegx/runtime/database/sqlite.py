"""A SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from nodegx.runtime.errors import StoreUnavailable

from .base import Dialect, Schema
from .migrations import migrate, newest

SQLITE = Dialect(
    text="TEXT",
    blob="BLOB",
    lock="",  # transactions that write follow one another
    skip="",
    now="((julianday('now') - 2440587.5) * 86400.0)",
    up="0.0",
    like="{} LIKE ? ESCAPE '!'",
)


class SqliteDatabase:
    """A `Database` in one file, for any number of processes of one machine.

    Args:
        path: the file; it and its folder are made if missing.
        name: what messages call it, such as `The history x.sqlite3`.
        timeout: seconds to wait for another process's transaction.
        synced: whether every transaction must outlive a loss of power.

    Attributes:
        closed: whether it is closed.

    Raises:
        StoreUnavailable: the file cannot be opened.
    """

    def __init__(
        self, path: Path, name: str, *, timeout: float = 10.0, synced: bool = False
    ) -> None:
        self.dialect = SQLITE
        self._path = path
        self._name = name
        self._timeout = timeout
        self._synced = synced
        self._syncing = synced
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self.closed = False
        with self._opening():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
        with self._opening(self._writer):
            self._writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._log_ahead()
            self._writer.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")

    def migrate(self, *schemas: Schema) -> None:
        """See `Database`."""
        with self._opening(self._writer):
            if all(self._is_newest(schema) for schema in schemas):
                return
            with self._begun():
                for schema in schemas:
                    migrate(self._writer, SQLITE, schema)

    @contextlib.contextmanager
    def transaction(self, *, synced: bool = False) -> Generator[sqlite3.Connection]:
        """See `Database`. Transactions follow one another, across processes too."""
        with self._lock:
            if self.closed:
                raise StoreUnavailable(f"{self._name} is closed")
            try:
                if self._syncing != (synced or self._synced):
                    self._syncing = not self._syncing
                    mode = "FULL" if self._syncing else "NORMAL"
                    self._writer.execute(f"PRAGMA synchronous = {mode}")
                with self._begun():
                    yield self._writer
            except (sqlite3.OperationalError, OSError) as error:
                raise StoreUnavailable(f"{self._name} cannot be written: {error}") from error

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """See `Database`. Reads what is committed, and never waits for a transaction."""
        with self._lock:
            if self.closed:
                raise StoreUnavailable(f"{self._name} is closed")
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or self._connect()
            rows = connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise StoreUnavailable(f"{self._name} cannot be read: {error}") from error
        with self._lock:
            if self.closed:
                connection.close()
            else:
                self._idle.append(connection)
        return rows

    def shrink(self) -> None:
        """Gives space that is not used any more back to the file system, if nobody writes."""
        with self._lock, contextlib.suppress(sqlite3.OperationalError):
            if not self.closed:
                # Not `execute`, which would free one page and see no row to go on for.
                self._writer.executescript("PRAGMA incremental_vacuum(10000)")

    def close(self) -> None:
        """See `Database`."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            for connection in (self._writer, *self._idle):
                connection.close()
            self._idle.clear()

    @contextlib.contextmanager
    def _opening(self, connection: sqlite3.Connection | None = None) -> Generator[None]:
        try:
            yield
        except (OSError, sqlite3.Error, ValueError) as error:
            if connection is not None:
                connection.close()
            raise StoreUnavailable(f"{self._name} cannot be opened: {error}") from error

    def _log_ahead(self) -> None:
        """Makes the file one with a write-ahead log, if it is not. For that, SQLite does not wait
        for others who have only just made the file and do the same."""
        give_up = time.monotonic() + self._timeout
        while True:
            try:
                self._writer.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not busy or time.monotonic() > give_up:
                    raise
                time.sleep(0.01)
            else:
                return

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )

    def _is_newest(self, schema: Schema) -> bool:
        try:
            return newest(self._writer, schema) == len(schema.steps)
        except sqlite3.OperationalError:
            return False  # no such table yet

    @contextlib.contextmanager
    def _begun(self) -> Generator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
