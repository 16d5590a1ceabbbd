"""Executions inside a function."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nodegx.runtime.execution import Execution
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .sink import DynamoSink

if TYPE_CHECKING:
    from nodegx.runtime.host import HistorySink, Host


class FunctionExecution(Execution):
    """An execution whose start is put on record before the first node that does more than compute.
    One that is over before that is written once, as a whole; until then there is a note of it, for
    when its process is killed. If it cannot be written it fails, and may come again: nothing has
    happened.

    Args: see `Execution`. One whose `id` somebody else has chosen may have been there before, which
        only writing its start tells.
    """

    def __init__(
        self,
        workflow: Workflow,
        trigger: Trigger,
        host: Host,
        *,
        id: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(workflow, trigger, host, id=id, **options)
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
        if self._is_new and isinstance(history, DynamoSink) and history.note(self.record):
            self.unrecorded = True
        else:
            await super()._record_start(history)

    async def _record_end(self, history: HistorySink) -> None:
        if self.unrecorded and isinstance(history, DynamoSink):
            await history.whole(self.record)
            self.unrecorded = False
        else:
            await super()._record_end(history)
