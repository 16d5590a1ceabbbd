"""Which of the processes that share a database still live.

Beside a file, each holds a lock on a file of its own. The operating system drops the lock when the
process ends, however it ends, and knows about processes in other containers too. In a database,
each has a lease, and is taken for dead once that is over.
"""

# ruff: noqa: S608 - statements hold words of this module and the dialect; values are bound

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from .base import Database, Schema, Session

if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def host_id() -> str:
    """A name for this process that no other has had or will have: machine, process number, when
    this was called, and a random part."""
    machine = socket.gethostname().replace("/", "_")[:64] or "host"
    return f"{machine}-{os.getpid()}-{time.time_ns() // 1_000_000:x}-{os.urandom(4).hex()}"


HOSTS = Schema(
    "host_migrations",
    (
        (
            """
            CREATE TABLE hosts (
                host {text} NOT NULL PRIMARY KEY,
                until DOUBLE PRECISION NOT NULL, -- seconds since the epoch
                seconds DOUBLE PRECISION NOT NULL -- that a lease lasts
            )
            """,
        ),
    ),
)
LEASE = 60.0
"""Seconds that a host's first lease lasts, if it asks for none."""

FORGOTTEN = 86_400
"""Seconds after which a dead host is forgotten."""


class Leases:
    """Which hosts live, on the clock of the database. Needs the tables `HOSTS`.

    All leases may have ended while the database was down; they are given the time that they last
    to be renewed.
    """

    def __init__(self, database: Database) -> None:
        d = database.dialect
        self._extend = (
            f"INSERT INTO hosts (host, until, seconds) VALUES (?, {d.now} + ?, ?)"
            " ON CONFLICT (host) DO"
        )
        self._forget = f"DELETE FROM hosts WHERE until <= {d.now} - {FORGOTTEN}"
        self._ended = f"until <= {d.now} AND {d.up} + seconds <= {d.now}"

    def extend(self, session: Session, host: str, seconds: float) -> None:
        """`host` has a lease for so many seconds from now."""
        session.execute(
            f"{self._extend} UPDATE SET until = excluded.until, seconds = excluded.seconds",
            (host, seconds, seconds),
        )
        session.execute(self._forget)

    def begin(self, session: Session, host: str) -> None:
        """`host` has a lease of `LEASE` seconds, if it had none."""
        session.execute(f"{self._extend} NOTHING", (host, LEASE, LEASE))

    def end(self, session: Session, host: str) -> None:
        """`host` is dead from now on."""
        session.execute("DELETE FROM hosts WHERE host = ?", (host,))

    def living(self, session: Session) -> list[str]:
        """The hosts whose leases are not over."""
        rows = session.execute(f"SELECT host FROM hosts WHERE NOT ({self._ended})").fetchall()
        return [row[0] for row in rows]


class HostLocks:
    """The lock files of the hosts that share one file.

    Args:
        folder: where they lie; made when the first lock is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: dict[str, BinaryIO] = {}

    def hold(self, host: str) -> None:
        """Tells others that `host` lives, until `release` or the end of the process. Doing it again
        is harmless.

        Raises:
            OSError: the folder cannot be written.
        """
        with self._lock:
            if host in self._held:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._path(host).open("wb")
            _lock(file)
            self._held[host] = file

    def release(self, host: str) -> None:
        """The host has ended in good order."""
        with self._lock:
            file = self._held.pop(host, None)
        if file is not None:
            with contextlib.suppress(OSError):
                self._path(host).unlink()
            file.close()

    def is_alive(self, host: str) -> bool:
        """Whether a host's process still lives."""
        if host in self._held:
            return True
        try:
            file = self._path(host).open("r+b")
        except FileNotFoundError:
            return False
        with file:
            try:
                _lock(file)
            except OSError:
                return True
        return False

    def forget(self, host: str) -> None:
        """Removes what a dead host left behind."""
        with contextlib.suppress(OSError):
            self._path(host).unlink()

    def _path(self, host: str) -> Path:
        name = "".join(c if c.isalnum() or c in "-._" else "_" for c in host)
        return self._folder / f"{name}.lock"
