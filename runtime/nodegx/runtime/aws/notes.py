"""Notes of executions that are under way and not on record yet, for the next process.

When Lambda kills a process, because it takes too long or too much memory, it starts the next one in
the same environment, with the same /tmp (source: "Understanding the Lambda execution environment
lifecycle", failures during the invoke phase, AWS Lambda Developer Guide). A note takes a hundredth
of the time of a write to a table.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import mmap
import os
from collections.abc import Iterator
from typing import Any

from nodegx.runtime.history.dynamodb_items import DynamoWriter
from nodegx.runtime.history.metrics import roll_up
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import INTERRUPTED_ERROR

SIZE = 131_072
"""Bytes of a note; an execution whose input is longer has none."""

_NAMES = ("id", "workflow", "trigger", "started", "parent", "revision", "host", "input")
_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Notes:
    """The note of this process: the first line of a file that is mapped into its memory, so that
    what is written there stays when the process is killed. The lock on it tells that it lives.

    Args:
        folder: where the notes of one function are; see `Environment`.

    Raises:
        OSError: files cannot be written there, or by others too.
    """

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not _is_ours(folder):
            raise PermissionError(f"{folder} is not ours alone")
        file = os.open(f"{folder}/{os.getpid()}", _OPEN, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(file, bytes(SIZE), 0)  # a disk that is full later is noticed too late
            self._line = mmap.mmap(file, SIZE)
        except OSError:
            os.close(file)
            raise
        self.clear()

    def write(self, record: ExecutionRecord) -> bool:
        """Notes an execution that begins; returns whether there is room for it."""
        note = json.dumps({name: getattr(record, name) for name in _NAMES}).encode() + b"\n"
        if len(note) > SIZE:
            return False
        self._line[: len(note)] = note
        return True

    def clear(self) -> None:
        """Nothing is under way that is not on record."""
        self._line[:1] = b"\n"


def recover(folder: str, writer: DynamoWriter) -> None:
    """Keeps and counts the executions during which processes were killed, if nothing is kept of
    them.

    Raises:
        AwsError: the table cannot be written.
    """
    for record in left_behind(folder):
        if writer.put_started(record):
            for metrics in roll_up([record]):
                writer.add_metrics(metrics)


def left_behind(folder: str) -> Iterator[ExecutionRecord]:
    """The executions during which processes were killed, as interrupted ones. Each is forgotten
    once the next one is asked for."""
    for name in os.listdir(folder) if _is_ours(folder) else ():
        path = f"{folder}/{name}"
        with contextlib.suppress(OSError), open(path, "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its process lives
            note: Any = None
            with contextlib.suppress(ValueError):  # killed while it wrote
                note = json.loads(file.readline().strip(b"\0\n") or b"null")
            if note is not None:
                error = INTERRUPTED_ERROR
                yield ExecutionRecord(**note, status=Status.INTERRUPTED, error=error)
            os.unlink(path)


def _is_ours(folder: str) -> bool:
    """Whether nobody else can put anything into a folder."""
    found = os.stat(folder)
    return found.st_uid == os.getuid() and not found.st_mode & 0o022
