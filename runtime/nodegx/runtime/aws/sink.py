"""Where a function's executions are recorded."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import cached_property
from math import inf
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.history.dynamodb_items import DynamoWriter
from nodegx.runtime.history.record import ExecutionRecord

from .client import AwsError

if TYPE_CHECKING:
    from nodegx.runtime.threads import Threads

    from .notes import Notes


T = TypeVar("T")


class DynamoSink:
    """A `HistorySink` in DynamoDB.

    Args:
        writer: where to.
        deadline: tells when the current invocation will be dead if it has not ended, in seconds
            since the epoch; None if that is not known.

    Attributes:
        aside: whether to write in threads, because several executions go on at the same time. One
            alone has nothing else to do while it is written, and threads take their time too.
    """

    def __init__(self, writer: DynamoWriter, deadline: Callable[[], float | None]) -> None:
        self.aside = False
        self._writer = writer
        self._deadline = deadline
        self._is_warm = False
        self._notes: Notes | None = None
        self._mine: dict[str, float] = {}

    def recover(self, folder: str) -> None:
        """Keeps the executions during which earlier processes of this environment were killed.

        Raises:
            AwsError: the table cannot be written.
        """
        if os.path.isdir(folder):
            from .notes import left_behind

            for record in left_behind(folder):
                self._writer.put_interrupted(record)

    def warm(self, folder: str) -> None:
        """The process has a second invocation, and may have many: from now on executions are
        counted while their ends are kept, which takes another connection and its handshake, and
        their starts may be noted in files of `folder`."""
        from .notes import Notes

        self._is_warm = True
        with contextlib.suppress(OSError):
            self._notes = Notes(folder)

    def note(self, record: ExecutionRecord) -> bool:
        """Notes the start of an execution that nobody but this process knows, instead of keeping
        it; returns whether that is possible now."""
        if self._notes is None or self.aside:
            return False
        record.host = self._writer.host
        return self._notes.write(record)

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps a start.

        Raises:
            AwsError: the table cannot be written.
        """
        record.host = self._writer.host
        deadline = self._deadline()
        new = await self._do(self._writer.put_started, record, deadline=deadline)
        self._clear()
        if new and self._is_warm and not record.durable:
            # What is past its deadline, others may take for dead.
            self._mine[record.id] = inf if deadline is None else deadline

    async def finished(self, record: ExecutionRecord) -> None:
        """Keeps an end.

        Raises:
            AwsError: the table cannot be written.
        """
        record.host = self._writer.host
        mine = time() < self._mine.pop(record.id, -inf)
        await self._do(self._writer.put_finished, record, mine=mine)

    async def whole(self, record: ExecutionRecord) -> None:
        """Keeps an execution that was noted, and has ended.

        Raises:
            AwsError: the table cannot be written.
        """
        try:
            await self._do(self._writer.put_finished, record, mine=True)
        finally:
            self._clear()

    async def kept(self, record: ExecutionRecord) -> None:
        """Keeps an execution as it is now.

        Raises:
            StoreUnavailable: the table cannot be written for now.
        """
        try:
            await self.finished(record)
        except AwsError as error:
            if error.retriable:
                raise StoreUnavailable(f"The history is unavailable: {error.message}") from error
            raise

    def _clear(self) -> None:
        if self._notes is not None:
            self._notes.clear()

    async def _do(self, write: Callable[..., T], *args: Any, **options: Any) -> T:
        if self.aside:
            return await self._threads.run(write, *args, **options)
        return write(*args, **options)

    @cached_property
    def _threads(self) -> Threads:
        # Of its own: what workflows wait for in threads must not keep ends from being written.
        from nodegx.runtime.threads import Threads

        return Threads("history", 8)
