"""Executions in PostgreSQL."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence

from nodegx.runtime.database.hosts import HOSTS, LEASE, Leases, host_id
from nodegx.runtime.database.postgres import PostgresDatabase
from nodegx.runtime.errors import StoreUnavailable

from .migrations import HISTORY
from .record import ExecutionRecord
from .sql import SqlHistory

BEATS = 4
"""How often a lease is renewed within its time."""


class PostgresHistory(SqlHistory):
    """A history in one schema of a PostgreSQL database, for any number of machines.

    From its first execution on, a host renews its lease on a thread of its own, which also marks
    as interrupted what dead hosts left running, as opening the history does.

    Args:
        url: see `PostgresDatabase`.
        lease: seconds after which a host that has not been heard of is taken for dead.

    Raises:
        FatalError: the URL is none, or there is no driver.
        StoreUnavailable: the database cannot be reached or has no history of this version.
    """

    def __init__(self, url: str, *, lease: float = LEASE) -> None:
        database = PostgresDatabase(url, "The history in PostgreSQL")
        super().__init__(database, host_id())
        self._leases = Leases(database)
        self._lease = lease
        self._lock = threading.Lock()
        self._beating: threading.Thread | None = None
        self._closing = threading.Event()
        try:
            database.migrate(HOSTS, HISTORY)
            self._recover()
        except BaseException:
            database.close()
            raise

    def write(
        self,
        started: Sequence[ExecutionRecord],
        finished: Sequence[ExecutionRecord],
        *,
        synced: bool = False,
    ) -> None:
        """See `HistoryStore`."""
        if self._beating is None:
            self._begin()
        super().write(started, finished, synced=synced)

    def close(self) -> None:
        """See `HistoryStore`."""
        with self._lock:
            beating, self._beating = self._beating, None
            if self._closing.is_set():
                return
            self._closing.set()
        if beating is not None:
            beating.join()
            with (
                contextlib.suppress(StoreUnavailable),
                self._database.transaction() as session,
            ):
                self._leases.end(session, self.host)
        super().close()

    def _begin(self) -> None:
        with self._lock:
            if self._beating is None and not self._closing.is_set():
                self._extend()
                self._beating = threading.Thread(
                    target=self._beat, name="nodegx-history-lease", daemon=True
                )
                self._beating.start()

    def _beat(self) -> None:
        while not self._closing.wait(self._lease / BEATS):
            with contextlib.suppress(StoreUnavailable):  # the next time, then
                self._extend()
                self._recover()

    def _extend(self) -> None:
        with self._database.transaction() as session:
            self._leases.extend(session, self.host, self._lease)

    def _recover(self) -> None:
        recorded = self.running_hosts()
        if not recorded:
            return
        with self._database.transaction() as session:
            living = self._leases.living(session)
        for host in recorded:
            if host not in living:
                self.mark_interrupted(host)
