"""What pays off in a process that has a second invocation, and may have many."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from math import inf
from time import time
from typing import TYPE_CHECKING, Any

from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord

from .notes import Notes
from .sink import DynamoSink

if TYPE_CHECKING:
    from nodegx.runtime.host import HistorySink

    from .host import AwsHost


def settle(host: AwsHost) -> None:
    """Makes a process ready for more invocations."""
    gc.freeze()  # what the first one left will stay, and need not be looked at for garbage
    if isinstance(host.history, DynamoSink):
        host.history = WarmSink(host.history, host.environment.notes)
        host.execution = WarmExecution


class WarmSink(DynamoSink):
    """Counts executions while their ends are kept, which takes another connection and its
    handshake, and takes a note of a start for its record, where that is good enough.

    Args:
        sink: the one of the first invocation.
        notes: folder for notes.
    """

    def __init__(self, sink: DynamoSink, notes: str) -> None:
        super().__init__(sink.writer, sink.deadline)
        self._mine: dict[str, float] = {}
        self._notes: Notes | None = None
        with contextlib.suppress(OSError):
            self._notes = Notes(notes)

    def note(self, record: ExecutionRecord) -> bool:
        """Notes the start of an execution that nobody but this process knows, instead of keeping
        it; returns whether that is possible now."""
        record.host = self.writer.host
        return self._notes is not None and not self.aside and self._notes.write(record)

    async def started(self, record: ExecutionRecord) -> None:
        """See `DynamoSink`."""
        record.host = self.writer.host
        deadline = self.deadline()
        new = await self.do(self.writer.put_started, record, deadline=deadline)
        self._clear()
        if new and not record.durable:
            # What is past its deadline, others may take for dead.
            self._mine[record.id] = inf if deadline is None else deadline

    async def finished(self, record: ExecutionRecord) -> None:
        """See `DynamoSink`."""
        record.host = self.writer.host
        mine = time() < self._mine.pop(record.id, -inf)
        await self.do(self.writer.put_finished, record, mine=mine)

    async def whole(self, record: ExecutionRecord) -> None:
        """Keeps an execution that was noted, and has ended.

        Raises:
            AwsError: the table cannot be written.
        """
        try:
            await self.do(self.writer.put_finished, record, mine=True)
        finally:
            self._clear()

    def _clear(self) -> None:
        if self._notes is not None:
            self._notes.clear()


class WarmExecution(Execution):
    """An execution whose start is put on record before the first node that does more than compute.
    One that is over before that is written once, as a whole; until then there is a note of it, for
    when its process is killed. If it cannot be written it fails, and may come again: nothing has
    happened.

    Args: see `Execution`. One whose `id` somebody else has chosen may have been there before, which
        only writing its start tells.
    """

    def __init__(self, *given: Any, id: str | None = None, **options: Any) -> None:
        super().__init__(*given, id=id, **options)
        self._is_new = id is None

    async def put_on_record(self) -> None:
        """See `Execution`."""
        if not self.unrecorded or self._history is None:
            return
        self.unrecorded = False
        try:
            await self._history.started(self.record)
        except Exception as error:
            self.log("error", f"the start was not written: {error}")
            self.cancel("The execution history cannot be written")
            await asyncio.sleep(0)  # where it is cancelled

    async def _record_start(self, history: HistorySink) -> None:
        if self._is_new and isinstance(history, WarmSink) and history.note(self.record):
            self.unrecorded = True
        else:
            await super()._record_start(history)

    async def _record_end(self, history: HistorySink) -> None:
        if self.unrecorded and isinstance(history, WarmSink):
            await history.whole(self.record)
            self.unrecorded = False
        else:
            await super()._record_end(history)
