"""Where a function's executions are recorded."""

from __future__ import annotations

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
        together: whether an execution is counted while its end is kept. That takes a second
            connection, whose handshake a process's first invocation had better not wait for.
    """

    def __init__(self, writer: DynamoWriter, deadline: Callable[[], float | None]) -> None:
        self.aside = False
        self._writer = writer
        self._deadline = deadline
        self.together = False
        self._mine: dict[str, float] = {}

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps a start.

        Raises:
            AwsError: the table cannot be written.
        """
        record.host = self._writer.host
        deadline = self._deadline()
        new = await self._do(self._writer.put_started, record, deadline=deadline)
        if new and self.together and not record.durable:
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

    async def _do(self, write: Callable[..., T], *args: Any, **options: Any) -> T:
        if self.aside:
            return await self._threads.run(write, *args, **options)
        return write(*args, **options)

    @cached_property
    def _threads(self) -> Threads:
        # Of its own: what workflows wait for in threads must not keep ends from being written.
        from nodegx.runtime.threads import Threads

        return Threads("history", 8)
