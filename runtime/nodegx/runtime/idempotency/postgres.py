"""Idempotency keys in PostgreSQL."""

from __future__ import annotations

import contextlib
from time import monotonic

from nodegx.runtime.database.base import Session
from nodegx.runtime.database.hosts import HOSTS, LEASE, Leases, host_id
from nodegx.runtime.database.postgres import PostgresDatabase
from nodegx.runtime.errors import StoreUnavailable

from .sql import KEYS, SqlKeys

BEATS = 4
"""How often a lease is renewed within its time."""


class PostgresKeys(SqlKeys):
    """A `KeyStore` in one schema of a PostgreSQL database, for any number of machines.

    Args:
        url: see `PostgresDatabase`.
        lease: seconds after which a process that has not been heard of is taken for dead.

    Raises:
        FatalError: the URL is none, or there is no driver.
        StoreUnavailable: the database cannot be reached.
    """

    def __init__(self, url: str, *, lease: float = LEASE) -> None:
        database = PostgresDatabase(url, "The idempotency keys in PostgreSQL", size=4)
        super().__init__(database, host_id(), lease=lease)
        self._seconds = lease
        self._leases = Leases(database)
        self._beaten: float | None = None
        try:
            database.migrate(HOSTS, KEYS)
        except BaseException:
            database.close()
            raise

    def beat(self) -> None:
        """See `KeyStore`."""
        if self._is_due():
            with self._database.transaction() as session:
                self._lives(session)

    def close(self) -> None:
        """See `KeyStore`."""
        if self._beaten is not None:
            self._beaten = None
            with contextlib.suppress(StoreUnavailable), self._database.transaction() as session:
                self._leases.end(session, self.host)
        super().close()

    def _lives(self, session: Session) -> None:
        if self._is_due():
            self._leases.extend(session, self.host, self._seconds)
            self._beaten = monotonic()

    def _is_due(self) -> bool:
        return self._beaten is None or monotonic() - self._beaten > self._seconds / BEATS

    def _dead(self, hosts: set[str]) -> set[str]:
        with self._database.transaction() as session:
            return hosts.difference(self._leases.living(session))
