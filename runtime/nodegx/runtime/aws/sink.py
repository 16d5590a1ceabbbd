"""Where a function's executions are recorded."""

from __future__ import annotations

from collections.abc import Callable

from nodegx.runtime.history.dynamodb_items import DynamoWriter
from nodegx.runtime.history.record import ExecutionRecord
from nodegx.runtime.threads import Threads


class DynamoSink:
    """A `HistorySink` in DynamoDB. It has threads of its own: what a workflow waits for in others
    must not keep its end from being written.

    Args:
        writer: where to.
        deadline: tells when the current invocation will be dead if it has not ended, in seconds
            since the epoch; None if that is not known.
    """

    def __init__(self, writer: DynamoWriter, deadline: Callable[[], float | None]) -> None:
        self._writer = writer
        self._deadline = deadline
        self._threads = Threads("history", 8)

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps a start.

        Raises:
            AwsError: the table cannot be written.
        """
        record.host = self._writer.host
        await self._threads.run(self._writer.put_started, record, deadline=self._deadline())

    async def finished(self, record: ExecutionRecord) -> None:
        """Keeps an end.

        Raises:
            AwsError: the table cannot be written.
        """
        record.host = self._writer.host
        await self._threads.run(self._writer.put_finished, record)
