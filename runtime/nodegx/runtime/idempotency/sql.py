"""Idempotency keys in a SQL database."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from nodegx.runtime.database.base import BATCH, Database, Schema, Session

from .store import Claim, Held, Release, Settlement

KEYS = Schema(
    "idempotency_migrations",
    (
        (
            """
            CREATE TABLE idempotency_keys (
                key {text} NOT NULL PRIMARY KEY,
                execution {text} NOT NULL,
                fingerprint {text} NOT NULL,
                host {text} NOT NULL,
                expires DOUBLE PRECISION NOT NULL, -- seconds since the epoch
                until DOUBLE PRECISION,            -- when it has ended, or is dead
                done INTEGER NOT NULL,             -- 1 once it is settled
                answer {blob}
            )
            """,
            "CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires)",
        ),
    ),
)

_CLAIM = """
    INSERT INTO idempotency_keys AS held
        (key, execution, fingerprint, host, expires, until, done, answer)
    VALUES (?, ?, ?, ?, ?, ?, 0, NULL)
    ON CONFLICT (key) DO UPDATE SET
        execution = excluded.execution, fingerprint = excluded.fingerprint,
        host = excluded.host, expires = excluded.expires, until = excluded.until,
        done = 0, answer = NULL
    WHERE held.expires <= ? OR (held.done = 0 AND held.execution = ?)
"""
_FIND = (
    "SELECT execution, fingerprint, host, until, done, answer FROM idempotency_keys WHERE key = ?"
)
_SETTLE = (
    "UPDATE idempotency_keys SET done = 1, answer = ? WHERE key = ? AND execution = ? AND done = 0"
)
_RELEASE = "DELETE FROM idempotency_keys WHERE key = ? AND execution = ? AND done = 0"
_PRUNE = (
    "DELETE FROM idempotency_keys WHERE key IN"  # noqa: S608
    f" (SELECT key FROM idempotency_keys WHERE expires <= ? LIMIT {BATCH})"
)


class SqlKeys:
    """What stores of keys in SQL databases have in common.

    Keys of one call are taken in their order, so that two processes never wait for each other.

    Args:
        database: where; its tables are made by whoever gives it.
        host: name under which this process claims keys.
        lease: see `KeyStore`.
    """

    limit = 4_000_000

    def __init__(self, database: Database, host: str, *, lease: float | None = None) -> None:
        self.host = host
        self.lease = lease
        self._database = database

    def claim(self, claims: Sequence[Claim], *, now: float) -> list[Held | None]:
        """See `KeyStore`."""
        rows: dict[int, Any] = {}
        with self._database.transaction() as session:
            self._lives(session)
            for number in _ordered(claims):
                each = claims[number]
                fields = (each.execution, each.fingerprint, self.host, each.expires, each.until)
                free = (now, each.dead or "")
                if session.execute(_CLAIM, (each.key, *fields, *free)).rowcount == 0:
                    rows[number] = session.execute(_FIND, (each.key,)).fetchone()
        found = iter(self._held(rows.values(), now))
        return [next(found) if number in rows else None for number in range(len(claims))]

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """See `KeyStore`."""
        done: dict[int, bool] = {}
        with self._database.transaction(synced=True) as session:
            for number in _ordered(settlements):
                key, execution, answer = settlements[number]
                changed = session.execute(_SETTLE, (answer, key, execution)).rowcount
                done[number] = changed == 1
        return [done[number] for number in range(len(settlements))]

    def release(self, releases: Sequence[Release]) -> list[bool]:
        """See `KeyStore`."""
        done: dict[int, bool] = {}
        with self._database.transaction() as session:
            for number in _ordered(releases):
                done[number] = session.execute(_RELEASE, releases[number]).rowcount == 1
        return [done[number] for number in range(len(releases))]

    def find(self, key: str, *, now: float) -> Held | None:
        """See `KeyStore`."""
        rows = self._database.read(f"{_FIND} AND expires > ?", (key, now))
        return self._held(rows, now)[0] if rows else None

    def beat(self) -> None:
        """See `KeyStore`."""

    def prune(self, now: float) -> int:
        """See `KeyStore`."""
        removed = 0
        while True:
            with self._database.transaction() as session:
                count = session.execute(_PRUNE, (now,)).rowcount
            removed += count
            if count < BATCH:
                return removed

    def close(self) -> None:
        """See `KeyStore`."""
        self._database.close()

    def _lives(self, session: Session) -> None:
        """Tells others that this process lives, before it claims something."""
        raise NotImplementedError

    def _dead(self, hosts: set[str]) -> set[str]:
        """Which of these processes, none of them this one, have ended."""
        raise NotImplementedError

    def _held(self, rows: Iterable[Any], now: float) -> list[Held]:
        """What rows tell. Asked outside of transactions: who is dead stays dead."""
        read, again = itertools.tee(rows)
        others = {host for _, _, host, _, done, _ in read if not done and host != self.host}
        gone = self._dead(others) if others else set[str]()
        return [
            Held(
                execution,
                fingerprint,
                bool(done),
                None if answer is None else bytes(answer),
                not done and (host in gone or (until is not None and until <= now)),
            )
            for execution, fingerprint, host, until, done, answer in again
        ]


def _ordered(wanted: Sequence[Claim | Settlement | Release]) -> list[int]:
    """Their numbers in the order of their keys."""
    return sorted(range(len(wanted)), key=lambda number: wanted[number].key)
