"""The schema of the SQLite history, as numbered steps that are never changed, only added to."""

from __future__ import annotations

import sqlite3
import time

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE executions (
            id TEXT NOT NULL PRIMARY KEY,
            workflow TEXT NOT NULL,
            trigger_node TEXT NOT NULL,
            status TEXT NOT NULL,
            started DOUBLE PRECISION NOT NULL, -- seconds since the epoch
            finished DOUBLE PRECISION,
            parent TEXT,
            revision TEXT NOT NULL,
            host TEXT NOT NULL,
            input TEXT, -- JSON
            output TEXT, -- JSON
            error TEXT, -- JSON
            steps BLOB -- JSON lines, compressed with zlib
        )
        """,
        "CREATE INDEX executions_by_start ON executions (started, id)",
        "CREATE INDEX executions_by_workflow ON executions (workflow, started, id)",
        """
        CREATE INDEX executions_by_status ON executions (status, started, id)
        WHERE status <> 'success'
        """,
        """
        CREATE INDEX executions_by_parent ON executions (parent, started, id)
        WHERE parent IS NOT NULL
        """,
        """
        CREATE TABLE metrics (
            workflow TEXT NOT NULL,
            hour BIGINT NOT NULL, -- its start in seconds since the epoch
            count BIGINT NOT NULL,
            success BIGINT NOT NULL,
            error BIGINT NOT NULL,
            total DOUBLE PRECISION NOT NULL, -- seconds
            sketch BLOB NOT NULL,
            PRIMARY KEY (hour, workflow)
        )
        """,
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Brings a database to the newest schema, in one transaction.

    Raises:
        ValueError: it was made by a newer version of this package.
    """
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY,"
            " applied DOUBLE PRECISION NOT NULL)"
        )
        done = _version(connection)  # again: another process may have been quicker
        if done > len(MIGRATIONS):
            raise ValueError(f"it has schema {done}, and this version knows {len(MIGRATIONS)}")
        for number, statements in enumerate(MIGRATIONS[done:], done + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute("INSERT INTO migrations VALUES (?, ?)", (number, time.time()))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    try:
        row = connection.execute("SELECT max(number) FROM migrations").fetchone()
    except sqlite3.OperationalError:
        return 0  # no such table yet
    return int(row[0] or 0)
