"""Which processes that recorded executions still live.

Each holds a lock on a file of its own beside the history. The operating system drops the lock
when the process ends, however it ends, and knows about processes in other containers too.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from pathlib import Path
from typing import BinaryIO

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


class HostLocks:
    """The lock files of the hosts that share one history.

    Args:
        folder: where they lie; made when the first lock is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, BinaryIO] = {}

    def hold(self, host: str) -> None:
        """Tells others that `host` lives, until `release` or the end of the process.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._path(host).open("wb")
        _lock(file)
        self._held[host] = file

    def release(self, host: str) -> None:
        """The host has ended in good order."""
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
