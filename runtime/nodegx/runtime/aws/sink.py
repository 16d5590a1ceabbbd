"""Where a function's executions are recorded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
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
        writer: as given.
        deadline: as given.
    """

    def __init__(self, writer: DynamoWriter, deadline: Callable[[], float | None]) -> None:
        self.aside = False
        self.writer = writer
        self.deadline = deadline

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps a start.

        Raises:
            AwsError: the table cannot be written.
        """
        record.host = self.writer.host
        await self.do(self.writer.put_started, record, deadline=self.deadline())

    async def finished(self, record: ExecutionRecord) -> None:
        """Keeps an end.

        Raises:
            AwsError: the table cannot be written.
        """
        record.host = self.writer.host
        await self.do(self.writer.put_finished, record)

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

    async def do(self, write: Callable[..., T], *args: Any, **options: Any) -> T:
        """Calls the writer, in a thread where that is done `aside`."""
        if self.aside:
            return await self._threads.run(write, *args, **options)
        return write(*args, **options)

    @cached_property
    def _threads(self) -> Threads:
        # Of its own: what workflows wait for in threads must not keep ends from being written.
        from nodegx.runtime.threads import Threads

        return Threads("history", 8)
