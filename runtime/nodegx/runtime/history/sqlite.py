"""Executions in a SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nodegx.runtime.database.hosts import HostLocks, host_id
from nodegx.runtime.database.sqlite import SqliteDatabase
from nodegx.runtime.errors import StoreUnavailable

from .migrations import HISTORY
from .record import ExecutionRecord
from .sql import SqlHistory


class SqliteStore(SqlHistory):
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
        self._file = SqliteDatabase(self.path, f"The history {path}", timeout=timeout)
        super().__init__(self._file, host_id())
        self._locks = HostLocks(self.path.with_name(self.path.name + ".hosts"))
        self._file.migrate(HISTORY)
        for host in self.running_hosts():
            if not self._locks.is_alive(host):
                self.mark_interrupted(host)
                self._locks.forget(host)

    def write(
        self,
        started: Sequence[ExecutionRecord],
        finished: Sequence[ExecutionRecord],
        *,
        synced: bool = False,
    ) -> None:
        """See `HistoryStore`."""
        try:
            if not self._file.closed:
                self._locks.hold(self.host)
        except OSError as error:
            raise StoreUnavailable(f"The history {self.path} cannot be written: {error}") from error
        super().write(started, finished, synced=synced)

    def prune(self, before: float, *, workflow: str | None = None) -> int:
        """See `HistoryStore`."""
        removed = super().prune(before, workflow=workflow)
        if removed:
            self._file.shrink()
        return removed

    def close(self) -> None:
        """See `HistoryStore`."""
        super().close()
        self._locks.release(self.host)
