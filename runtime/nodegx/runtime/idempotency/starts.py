"""Workflows that are started with a key by something else than a request over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nodegx.runtime.errors import ErrorInfo, FatalError
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.triggers.reply import ReplyError
from nodegx.runtime.values import Reply, Trigger

from . import keys
from .answers import Outcome, pack_outcome, unpack_outcome
from .guard import Guard, Wanted
from .settings import Settings

if TYPE_CHECKING:
    from nodegx.runtime.execution import Execution
    from nodegx.runtime.workflow import Workflow

    from .store import Held

Begin = Callable[[str | None], Awaitable["Execution | None"]]
"""Starts the workflow as the execution of that id, or of a new one; gives None where another
process may do so later."""


class Repeat:
    """Stands for the execution that was started with the same key before, as far as callers ask.

    Args:
        record: what is known of it.
        answer: what it answered.
        done: whether it has succeeded, or goes on without its caller.
        kept: whether its answer was kept, if there was one.
        live: the execution, where this process has it under way.

    Attributes:
        id: its id.
        failure: why it failed, if it was under way until then; the keys of what has failed are
            forgotten.
    """

    def __init__(
        self,
        record: ExecutionRecord,
        *,
        answer: Reply | None = None,
        done: bool = False,
        kept: bool = True,
        live: Execution | None = None,
    ) -> None:
        self.id = record.id
        self.record = record
        self.answer = answer
        self.done = done
        self.failure: ErrorInfo | None = None
        self._kept = kept
        self._live = live

    async def finish(self) -> ExecutionRecord:
        """How it ended; waits for that where this process has it under way.

        Raises:
            FatalError: code `idempotency.conflict`, it is under way; `idempotency.lost`, its answer
                was not kept.
        """
        if self._live is not None:
            self.record = await self._live.finish()
            self.answer, self.failure = self._live.answer, self._live.failure
        elif not self.done:
            raise self._refusal("is under way", "idempotency.conflict")
        elif not self._kept:
            raise self._refusal("has succeeded; its answer was not kept", "idempotency.lost")
        return self.record

    def cancel(self, reason: str = "") -> None:
        """Does nothing: whoever started it first wants it."""

    def _refusal(self, what: str, code: str) -> FatalError:
        message = f"An execution with this idempotency key {what}"
        return FatalError(message, code=code, details={"execution": self.id})


class Starts:
    """Starts workflows, unless that was done before with the same key.

    Args:
        guard: who may start a workflow.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._live: dict[str, tuple[Execution, asyncio.Task[None]]] = {}

    async def start(
        self,
        workflow: Workflow,
        trigger: Trigger,
        settings: Settings,
        begin: Begin,
        *,
        id: str | None = None,
        waits: bool = False,
    ) -> Execution | Repeat | None:
        """Starts a workflow.

        Args:
            workflow: which one.
            trigger: what starts it.
            settings: those of the trigger.
            begin: starts it.
            id: the id that the execution is to have; None makes a new one.
            waits: whether to wait for an execution that another process has under way.

        Returns:
            What `begin` does, or what is known of an earlier execution.

        Raises:
            FatalError: code `idempotency.key`; the value has no key.
            StoreUnavailable: nobody knows whether it was started before.
        """
        key = keys.computed_key(workflow.keys[trigger.node], trigger.value)
        place = keys.place(workflow.name, trigger.node, key)
        wanted = Wanted(workflow, place, "", settings, self._waiting, id)
        execution, held = await self._guard.take(wanted)
        if held is not None and not held.done:
            live = self._live.get(held.execution)
            if live is not None and waits:
                return Repeat(live[0].record, live=live[0])
            if waits:
                execution, held = await self._guard.wait(wanted, held)
        if held is not None:
            return _repeat(workflow, trigger, held)
        try:
            begun = await begin(execution)
        except BaseException:
            await self._guard.release(place, execution)
            raise
        if begun is None:
            await self._guard.settle(place, execution, self._waiting(execution))
        else:
            self._live[execution] = begun, self._guard.aside(self._follow(place, begun))
        return begun

    async def settled(self, execution: Execution) -> None:
        """Waits until an execution has ended and its key is settled, or forgotten."""
        live = self._live.get(execution.id)
        if live is not None:
            await asyncio.shield(live[1])

    async def _follow(self, key: str, execution: Execution) -> None:
        """Settles the key once the execution has ended."""
        try:
            status = (await execution.finish()).status
            # What waits, or another host has taken over, is not lost; nor does it answer here.
            if status is Status.WAITING or getattr(execution, "lost", False):
                await self._guard.settle(key, execution.id, self._waiting(execution.id))
            elif status is Status.SUCCESS:
                await self._guard.settle(key, execution.id, self._packed(execution.answer))
            else:
                await self._guard.release(key, execution.id)
        finally:
            self._live.pop(execution.id, None)

    def _waiting(self, execution: str) -> bytes | None:
        del execution  # stored beside it
        return pack_outcome(Outcome(Status.WAITING.value, None), self._guard.limit)

    def _packed(self, answer: Reply | None) -> bytes | None:
        try:
            return pack_outcome(Outcome(Status.SUCCESS.value, answer), self._guard.limit)
        except ReplyError:
            return None


def _repeat(workflow: Workflow, trigger: Trigger, held: Held) -> Repeat:
    name, revision = workflow.name, workflow.revision
    record = ExecutionRecord(
        held.execution, name, trigger.node, Status.RUNNING, 0.0, revision=revision
    )
    if not held.done:
        return Repeat(record)
    if held.answer is None:
        record.status = Status.SUCCESS
        return Repeat(record, done=True, kept=False)
    status, answer = unpack_outcome(held.answer)
    record.status = Status(status)
    return Repeat(record, answer=answer, done=True)
