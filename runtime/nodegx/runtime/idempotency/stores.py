"""Opens the idempotency keys that a path or a URL names."""

from __future__ import annotations

from pathlib import Path

from nodegx.runtime.database.hosts import LEASE
from nodegx.runtime.database.targets import is_postgres

from .store import KeyStore


def open_keys(target: str | Path, *, lease: float = LEASE) -> KeyStore:
    """Opens a store of keys.

    Args:
        target: `postgresql://…`, see `PostgresDatabase`, or the path of a SQLite file.
        lease: seconds after which a process that a database has not heard of is taken for dead.

    Raises:
        FatalError: the URL is none, or there is no driver for it.
        StoreUnavailable: it cannot be reached, or opened, or was made by a newer version.
    """
    if is_postgres(target):
        from .postgres import PostgresKeys

        return PostgresKeys(str(target), lease=lease)
    from .sqlite import SqliteKeys

    return SqliteKeys(target)
