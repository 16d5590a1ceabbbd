"""Unfinished executions in PostgreSQL."""

from __future__ import annotations

import contextlib

from nodegx.runtime.database.hosts import HOSTS, host_id
from nodegx.runtime.database.postgres import PostgresDatabase
from nodegx.runtime.errors import StoreUnavailable

from .migrations import RUNS
from .sql import SqlRuns


class PostgresRuns(SqlRuns):
    """A `RunStore` in one schema of a PostgreSQL database, for any number of machines.

    The clock of the database decides what is due and whose lease is over.

    Args:
        url: see `PostgresDatabase`.

    Raises:
        FatalError: the URL is none, or there is no driver.
        StoreUnavailable: the database cannot be reached or has no store of this version.
    """

    def __init__(self, url: str) -> None:
        database = PostgresDatabase(url, "The store of executions in PostgreSQL")
        super().__init__(database, host_id(), shared_clock=True)
        try:
            database.migrate(HOSTS, RUNS)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """See `RunStore`."""
        if self._entered:
            with contextlib.suppress(StoreUnavailable):
                self.leave()
        super().close()
