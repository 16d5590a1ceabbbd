"""Unfinished executions in a SQLite file."""

from __future__ import annotations

import contextlib
from pathlib import Path

from nodegx.runtime.database.base import Session
from nodegx.runtime.database.hosts import HOSTS, HostLocks, host_id
from nodegx.runtime.database.sqlite import SqliteDatabase
from nodegx.runtime.errors import StoreUnavailable

from .migrations import RUNS
from .sql import SqlRuns


class SqliteRuns(SqlRuns):
    """A `RunStore` in one file, for any number of processes of one machine.

    What a process has is left as soon as that has died, or its lease is over. When a method
    returns, a loss of power does not undo what it did.

    Args:
        path: the file; it and its folder are made if missing.
        timeout: seconds to wait for another process's transaction.

    Raises:
        StoreUnavailable: the file cannot be opened or is no store of this version.
    """

    def __init__(self, path: str | Path, *, timeout: float = 10.0) -> None:
        self.path = Path(path)
        self._name = f"The store of executions {path}"
        self._file = SqliteDatabase(self.path, self._name, timeout=timeout, synced=True)
        super().__init__(self._file, host_id(), shared_clock=False)
        self._locks = HostLocks(self.path.with_name(self.path.name + ".hosts"))
        self._file.migrate(HOSTS, RUNS)

    def prune(self, before: float) -> int:
        """See `RunStore`. Makes the file smaller, too."""
        removed = super().prune(before)
        self._file.shrink()
        return removed

    def leave(self) -> None:
        """See `RunStore`."""
        host = self.host
        super().leave()
        self._locks.release(host)

    def close(self) -> None:
        """See `RunStore`."""
        if self._entered:
            with contextlib.suppress(StoreUnavailable):
                self.leave()
        self._locks.release(self.host)
        super().close()

    def _enter(self) -> None:
        if not self._entered:
            try:
                self._locks.hold(self.host)
            except OSError as error:
                raise StoreUnavailable(f"{self._name} cannot be written: {error}") from error
        super()._enter()

    def _living(self, session: Session) -> list[str]:
        living: list[str] = []
        for host in super()._living(session):
            if host == self.host or self._locks.is_alive(host):
                living.append(host)
            else:
                self._leases.end(session, host)
                self._locks.forget(host)
        return living
