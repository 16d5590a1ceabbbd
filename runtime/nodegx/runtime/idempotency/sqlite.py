"""Idempotency keys in a SQLite file."""

from __future__ import annotations

from pathlib import Path

from nodegx.runtime.database.base import Session
from nodegx.runtime.database.hosts import HostLocks, host_id
from nodegx.runtime.database.sqlite import SqliteDatabase
from nodegx.runtime.errors import StoreUnavailable

from .sql import KEYS, SqlKeys


class SqliteKeys(SqlKeys):
    """A `KeyStore` in one file, for any number of processes of one machine. The end of one shows
    at once.

    Args:
        path: the file; it and its folder are made if missing.
        timeout: seconds to wait for another process's transaction.

    Raises:
        StoreUnavailable: the file cannot be opened.
    """

    def __init__(self, path: str | Path, *, timeout: float = 10.0) -> None:
        self.path = Path(path)
        database = SqliteDatabase(self.path, f"The idempotency keys {path}", timeout=timeout)
        super().__init__(database, host_id())
        self._locks = HostLocks(self.path.with_name(self.path.name + ".hosts"))
        self._closed = False
        database.migrate(KEYS)

    def close(self) -> None:
        """See `KeyStore`."""
        super().close()
        self._closed = True
        self._locks.release(self.host)

    def _lives(self, session: Session) -> None:
        try:
            if not self._closed:
                self._locks.hold(self.host)
        except OSError as error:
            message = f"The idempotency keys {self.path} cannot be written: {error}"
            raise StoreUnavailable(message) from error

    def _dead(self, hosts: set[str]) -> set[str]:
        gone = {host for host in hosts if not self._locks.is_alive(host)}
        for host in gone:
            self._locks.forget(host)
        return gone
