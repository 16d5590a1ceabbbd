"""Passes of durable executions inside a Lambda function."""

from __future__ import annotations

import asyncio
from time import time
from typing import Any

from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.history.record import Status
from nodegx.runtime.values import Reply

from .surroundings import Surroundings

SHARE = 0.9
"""Part of the time that an invocation has after which an execution goes on in another one, if its
workflow allows it more."""


class Pass(DurableExecution):
    """A pass that sees to it that there is a next one, if it ends with a wait."""

    host: Surroundings  # pyright: ignore[reportIncompatibleVariableOverride]

    async def start(self) -> None:
        """See `Execution`."""
        active = self.host.active
        active[self.id] = self
        try:
            await super().start()
        except BaseException:
            del active[self.id]
            raise
        if self.state.cancel is not None:
            self.cancel(self.state.cancel)
        left = None if self.deadline is None else self.deadline - time()
        limit = self.workflow.settings.timeout
        if left is not None and (limit is None or limit > left):
            loop = asyncio.get_running_loop()
            loop.call_later(SHARE * left, self.parking.yield_soon)

    async def _report(self, status: Status, info: ErrorInfo | None) -> None:
        try:
            await super()._report(status, info)
            if status is Status.WAITING and not self.lost:
                await self.host.sleeps(self)
        finally:
            self.host.active.pop(self.id, None)


class AnsweringPass(Pass):
    """A pass whose caller waits for the answer and nothing else: what follows that goes on in
    another invocation."""

    def replied_with(self, reply: Reply) -> None:
        """See `DurableExecution`."""
        super().replied_with(reply)
        self.parking.yield_soon()


class PassingPass(AnsweringPass):
    """The same for a workflow that is not durable: until it goes on elsewhere it is none that
    could go on after a crash, and is on record as such."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.record.durable = False

    def _complete(self, status: Status, info: ErrorInfo | None, duration: float) -> None:
        self.record.durable = status is Status.WAITING
        super()._complete(status, info, duration)
