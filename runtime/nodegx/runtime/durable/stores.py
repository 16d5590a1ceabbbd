"""Opens the store of unfinished executions that a path or a URL names."""

from __future__ import annotations

from pathlib import Path

from nodegx.runtime.database.targets import is_postgres

from .store import RunStore


def open_runs(target: str | Path) -> RunStore:
    """Opens a store of unfinished executions.

    Args:
        target: `postgresql://…`, see `PostgresDatabase`, or the path of a SQLite file.

    Raises:
        FatalError: the URL is none, or there is no driver for it.
        StoreUnavailable: it cannot be reached, or opened, or was made by a newer version.
    """
    if is_postgres(target):
        from .postgres import PostgresRuns

        return PostgresRuns(str(target))
    from .sqlite import SqliteRuns

    return SqliteRuns(target)
