"""Workflows that are started with a key by something else than a request over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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

Begin = Callable[[str | None], Awaitable["Execution"]]
"""Starts the workflow as the execution of that id; None makes a new one."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Stands for the execution that was started with the same key before, as far as callers ask.

    Args:
        id: its id.
        record: what is known of it; its status is `running` while it is under way.
        answer: what it answered.
        kept: whether its answer was kept, if there was one.
        failure: None; the keys of what has failed are forgotten.
    """

    id: str
    record: ExecutionRecord
    answer: Reply | None = None
    kept: bool = True
    failure: ErrorInfo | None = None

    @property
    def done(self) -> bool:
        """Whether it has succeeded, or goes on without its caller."""
        return self.record.status is not Status.RUNNING

    async def finish(self) -> ExecutionRecord:
        """How it ended."""
        return self.record


class Starts:
    """Starts workflows, unless that was done before with the same key.

    Args:
        guard: who may start a workflow.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._live: dict[str, Execution] = {}

    async def start(
        self,
        workflow: Workflow,
        trigger: Trigger,
        settings: Settings,
        begin: Begin,
        *,
        waits: bool = False,
    ) -> Execution | Repeat:
        """Starts a workflow.

        Args:
            workflow: which one.
            trigger: what starts it.
            settings: those of the trigger.
            begin: starts it.
            waits: whether to wait for an execution that another process has under way.

        Returns:
            The execution, an earlier one that this process has under way, or what is known of it.

        Raises:
            FatalError: code `idempotency.key`; the value has no key.
            StoreUnavailable: nobody knows whether it was started before.
        """
        key = keys.computed_key(workflow.keys[trigger.node], trigger.value)
        wanted = Wanted(
            workflow, keys.place(workflow.name, trigger.node, key), "", settings, self._waiting
        )
        execution, held = await self._guard.take(wanted)
        if held is not None and not held.done:
            live = self._live.get(held.execution)
            if live is not None:
                return live
            if waits:
                execution, held = await self._guard.wait(wanted, held)
        if held is not None:
            return _repeat(wanted, trigger, held)
        try:
            begun = await begin(execution)
        except BaseException:
            await self._guard.release(wanted.key, execution)
            raise
        self._live[execution] = begun
        self._guard.aside(self._follow(wanted.key, begun))
        return begun

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
            del self._live[execution.id]

    def _waiting(self, execution: str) -> bytes | None:
        del execution  # stored beside it
        return pack_outcome(Outcome(Status.WAITING.value, None), self._guard.limit)

    def _packed(self, answer: Reply | None) -> bytes | None:
        try:
            return pack_outcome(Outcome(Status.SUCCESS.value, answer), self._guard.limit)
        except ReplyError:
            return None


def answered(repeat: Repeat) -> Repeat:
    """What a caller gets who asks for the answer.

    Raises:
        FatalError: code `idempotency.conflict`, it is under way; `idempotency.lost`, its answer was
            not kept.
    """
    details = {"execution": repeat.id}
    if not repeat.done:
        message = "An execution with this idempotency key is under way"
        raise FatalError(message, code="idempotency.conflict", details=details)
    if not repeat.kept:
        message = "An execution with this idempotency key has succeeded; its answer was not kept"
        raise FatalError(message, code="idempotency.lost", details=details)
    return repeat


def _repeat(wanted: Wanted, trigger: Trigger, held: Held) -> Repeat:
    workflow = wanted.workflow
    record = ExecutionRecord(
        held.execution,
        workflow.name,
        trigger.node,
        Status.RUNNING,
        0.0,
        revision=workflow.revision,
    )
    if not held.done:
        return Repeat(held.execution, record)
    if held.answer is None:
        record.status = Status.SUCCESS
        return Repeat(held.execution, record, kept=False)
    outcome = unpack_outcome(held.answer)
    record.status = Status(outcome.status)
    return Repeat(held.execution, record, outcome.reply)
