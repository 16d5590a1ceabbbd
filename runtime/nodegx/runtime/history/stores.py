"""Opens the history that a path or a URL names."""

from __future__ import annotations

from pathlib import Path

from nodegx.runtime.database.targets import is_postgres

from .store import HistoryStore


def open_history(target: str | Path) -> HistoryStore:
    """Opens a history.

    Args:
        target: `postgresql://…`, see `PostgresDatabase`, or the path of a SQLite file.

    Raises:
        FatalError: the URL is none, or there is no driver for it.
        StoreUnavailable: it cannot be reached, or opened, or was made by a newer version.
    """
    if is_postgres(target):
        from .postgres import PostgresHistory

        return PostgresHistory(str(target))
    from .sqlite import SqliteStore

    return SqliteStore(target)
