"""Brings tables to their newest schema."""

# ruff: noqa: S608 - statements hold words of this module and the dialect; values are bound

from __future__ import annotations

import time

from .base import Dialect, Schema, Session


def migrate(session: Session, dialect: Dialect, schema: Schema) -> None:
    """Takes the steps that were not taken yet, within a transaction that nobody shares.

    Raises:
        ValueError: the tables were made by a newer version of this package.
    """
    session.execute(
        f"CREATE TABLE IF NOT EXISTS {schema.table}"
        " (number BIGINT PRIMARY KEY, applied DOUBLE PRECISION NOT NULL)"
    )
    done = newest(session, schema)
    if done > len(schema.steps):
        raise ValueError(f"it has schema {done}, and this version knows {len(schema.steps)}")
    for number, statements in enumerate(schema.steps[done:], done + 1):
        for statement in statements:
            made = statement.replace("{text}", dialect.text).replace("{blob}", dialect.blob)
            session.execute(made)
        session.execute(
            f"INSERT INTO {schema.table} (number, applied) VALUES (?, ?)",
            (number, time.time()),
        )


def newest(session: Session, schema: Schema) -> int:
    """The number of the latest step that was taken; the table of steps must exist."""
    row = session.execute(f"SELECT max(number) FROM {schema.table}").fetchone()
    return int(row[0] or 0)
