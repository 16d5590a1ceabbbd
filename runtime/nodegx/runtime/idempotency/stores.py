"""Opens the idempotency keys that a path or a URL names."""

from __future__ import annotations

from pathlib import Path

from nodegx.runtime.database.targets import is_postgres

from .store import KeyStore


def open_keys(target: str | Path) -> KeyStore:
    """Opens a store of keys.

    Args:
        target: `postgresql://…`, see `PostgresDatabase`, or the path of a SQLite file.

    Raises:
        FatalError: the URL is none, or there is no driver for it.
        StoreUnavailable: it cannot be reached, or opened, or was made by a newer version.
    """
    if is_postgres(target):
        from .postgres import PostgresKeys

        return PostgresKeys(str(target))
    from .sqlite import SqliteKeys

    return SqliteKeys(target)
