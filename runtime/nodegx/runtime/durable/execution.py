"""The life of a durable execution: one pass of the handler after the other, until it ends.

Each pass is an object of its own. It ends with the handler, or when all branches wait: then the
record has the status `waiting`, and a host makes the next pass when the wait is over. What is
written when keeps every moment safe:

- before the first step: the state in the `RunStore`, then the start in the history;
- after each step: its journal entry, before the handler goes on;
- at the end of a pass: the history, then the state. A crash between the two makes the next pass
  find everything in the journal and end as this one did.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from time import time
from typing import TYPE_CHECKING, Any, Protocol

from nodegx.runtime import logs
from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.recorder import OnStep
from nodegx.runtime.history.store import StoreUnavailable
from nodegx.runtime.host import Host
from nodegx.runtime.values import Reply, Trigger
from nodegx.runtime.workflow import Workflow

from .codec import Codec
from .journal import Journal
from .outcome import outcome_of
from .poison import KEY as PASS
from .run import DurableRun
from .state import Entry, Kind, RunState, RunStatus, Wait
from .store import Append, Change, Fail, Finish, Kept, Suspend
from .suspension import Lost, Mismatch, Parking, Suspended
from .tokens import answer_key, new_secret

if TYPE_CHECKING:
    from nodegx.runtime.host import HistorySink

PATIENCE = 30.0
"""Seconds for which a write is tried again while the store is unavailable."""


class Runs(Protocol):
    """Where unfinished executions are kept, as an execution sees it."""

    async def create(self, state: RunState) -> bool:
        """Keeps a new execution; False if it is there already."""
        ...

    async def change(self, change: Change) -> bool:
        """Makes a change; False if another host has the execution."""
        ...


class DurableHost(Host, Protocol):
    """The surroundings of a durable execution.

    `hold` is how many seconds a wait may last and still stay in memory, `url` how the world
    reaches this host.
    """

    @property
    def hold(self) -> float: ...
    @property
    def url(self) -> str: ...
    @property
    def runs(self) -> Runs: ...

    async def call_once(
        self,
        workflow: str,
        payload: Any,
        *,
        id: str,
        parent: str,
        step: str | None,
        depth: int,
    ) -> Mapping[str, Any] | None:
        """Runs another workflow as the execution `id`, unless there is one already.

        Args:
            workflow: its name.
            payload: its input.
            id: the execution's id.
            parent: the calling execution.
            step: where that waits for the answer; None if it does not.
            depth: how deep calls are nested.

        Returns:
            How it ended: `status`, `output`, `error`, `execution`. None if it has not: the answer
            will come to `step`.
        """
        ...

    async def answered(self, execution: str, key: str, value: str) -> bool:
        """Keeps the answer to a wait of another execution, and lets that go on. False if it has
        one, or is gone."""
        ...


class DurableExecution(Execution):
    """One pass of a durable execution. Its arguments are those of `Execution`, and:

    Args:
        kept: what there is of it; None begins a new one.
        owner: the host that has it, as the store knows it.
        parent_step: the step of `parent` that waits for its end.

    Attributes:
        state: what the store has.
        journal: what it has done.
        parking: where its branches wait.
        codec: makes text of its values.
        surroundings: the variables and the environment that it began with.
        fresh: whether it is not kept yet.
        begins: whether nothing of it has been done before.
        inner_history: where it is recorded; None for nowhere.
        lost: whether another host has it now.
        rehearses: whether it ends at the first step that is new.
    """

    host: DurableHost
    rehearses = False

    def __init__(
        self,
        workflow: Workflow,
        trigger: Trigger,
        host: DurableHost,
        *,
        kept: Kept | None = None,
        owner: str | None = None,
        id: str | None = None,
        parent: str | None = None,
        parent_step: str | None = None,
        depth: int = 0,
        deadline: float | None = None,
        capture: str | None = None,
        on_step: OnStep | None = None,
        log: logs.Log | None = None,
    ) -> None:
        self._shown_time: float | None = None
        super().__init__(
            workflow,
            trigger,
            host,
            id=id,
            parent=parent,
            depth=depth,
            deadline=deadline,
            capture=capture,
            on_step=on_step,
            log=log,
        )
        self.record.durable = True
        self.codec = Codec(self.secrets, self.secrets.read)
        self.parking = Parking(host.hold, repeats=bool(kept and kept.entries), moved=self._moved)
        self.lost = False
        self._released = False
        self._seen: dict[str, int] = {}
        self._early: dict[str, str] = {}
        self._left: float | None = None
        self.inner_history: HistorySink | None = self._history
        self._history = _Start(self)
        self.fresh = kept is None
        self.begins = kept is None or all(entry.key == PASS for entry in kept.entries)
        if kept is None:
            self.surroundings: tuple[Mapping[str, Any], Mapping[str, str]] = (host.vars, host.env)
            self.state = RunState(
                id=self.id,
                workflow=workflow.name,
                revision=workflow.revision,
                trigger=trigger.node,
                trigger_type=trigger.type,
                input=self.codec.encode(trigger.value),
                started=0.0,
                status=RunStatus.RUNNING,
                secret=new_secret(),
                vars=self.codec.encode([dict(host.vars), dict(host.env)]),
                parent=parent,
                parent_step=parent_step,
                depth=depth,
                owner=owner,
                fence=1,
            )
            entries: list[Entry] = []
        else:
            self.state, entries = kept.state, kept.entries
            self.surroundings = (host.vars, host.env)
            if self.state.vars is not None:
                variables, environment = self.codec.decode(self.state.vars)
                self.surroundings = (variables, environment)
        self.record.fence = self.state.fence
        self.journal = Journal(entries, self._append)

    # --- for the host --------------------------------------------------------------------------

    def deliver(self, key: str, value: str) -> None:
        """Brings the answer to a wait, which has begun or will."""
        if not self.parking.deliver(key, value):
            self._early[key] = value

    def early(self, key: str) -> str | None:
        """An answer that has come before its wait began."""
        entry = self.journal.find(key)
        return self._early.get(key) if entry is None else entry.value

    def release(self) -> None:
        """Leaves the execution to whoever claims it next; the step it is in is done again."""
        self._released = True
        self.parking.suspended = True
        if self._task is not None:
            self._task.cancel()

    def lose(self) -> None:
        """Stops at once: another host may have the execution."""
        self.lost = self.parking.suspended = True
        if self._task is not None:
            self._task.cancel()

    # --- for the run ---------------------------------------------------------------------------

    def occurrence(self, key: str) -> str:
        """A key that this pass has not used yet: the key itself, or with a number."""
        count = self._seen[key] = self._seen.get(key, 0) + 1
        return key if count == 1 else f"{key}~{count}"

    def at(self, moment: float | None) -> None:
        """Steps are recorded as of that time, in seconds since the epoch; None as of now."""
        self._shown_time = moment

    def replied_with(self, reply: Reply) -> None:
        """The caller has been answered, now or in an earlier pass."""
        if self.answer is None:
            self.reply(reply)
        self.state.replied = True

    # --- the pass ------------------------------------------------------------------------------

    def _clock(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return time() if self._shown_time is None else self._shown_time

    def _run(self, attempt: int) -> DurableRun:
        return DurableRun(self, self._recorder, attempt)

    async def _attempts(self) -> tuple[Status, ErrorInfo | None]:
        try:
            outcome = await super()._attempts()
        except Suspended:
            return Status.WAITING, None
        except Mismatch as mismatch:
            return Status.ERROR, _stopped(mismatch.message, "journal.mismatch")
        except Lost:
            self.lost = True
            return Status.INTERRUPTED, _stopped("Another host has the execution", "lost")
        except asyncio.CancelledError:
            if self.lost:
                return Status.INTERRUPTED, _stopped("Another host has the execution", "lost")
            if self._verdict is None and self._released:
                return Status.WAITING, None
            raise
        # An error on the way out, such as in a `finally`, does not make it anything else.
        suspended = self.parking.suspended and self._verdict is None
        return (Status.WAITING, None) if suspended else outcome

    async def _pause(self, attempt: int, delay: float) -> None:
        key = f"!{attempt}"
        entry = self.journal.find(key)
        if entry is None:
            entry = Entry(key, Kind.ATTEMPT, repr(time() + delay), started=time())
            await self.journal.keep(entry)
        spec = {"attempt": attempt + 1}
        await self.parking.park(Wait(answer_key(key), "retry", float(entry.value), spec))

    def _moved(self, quiet: bool) -> None:
        """The time limit is for work: it stands still while all branches wait."""
        timer = self._timer
        if timer is None or self._verdict is not None:
            return
        loop = asyncio.get_running_loop()
        if quiet:
            self._left = timer.when() - loop.time()
            timer.cancel()
        elif self._left is not None:
            self._timer = loop.call_later(
                max(0.0, self._left), self._expire, self._time_limit() or 0.0
            )
            self._left = None

    async def _append(self, entries: list[Entry]) -> None:
        await self._change(Append(self.id, self.state.fence, entries))

    async def _change(self, change: Change) -> None:
        """Makes a change, and tries again while the store is unavailable.

        Raises:
            Lost: another host has the execution, or nobody knows.
        """
        if not await _patiently(lambda: self.host.runs.change(change)):
            raise Lost

    # --- the end of the pass -------------------------------------------------------------------

    def _answer(self, status: Status) -> None:
        if (status is Status.WAITING or self.lost) and not self.response.done():
            body = {"executionId": self.id, "status": "running" if self.lost else "waiting"}
            self.response.set_result(Reply(202, {"content-type": "application/json"}, body))
            return
        super()._answer(status)

    def _complete(self, status: Status, info: ErrorInfo | None, duration: float) -> None:
        del duration  # that of this pass
        super()._complete(status, info, time() - self.record.started)
        if status is Status.WAITING:
            self.record.finished = None
        if self.state.audit:
            self.record.audit = json.dumps(self.state.audit)

    async def _report(self, status: Status, info: ErrorInfo | None) -> None:
        if self.lost:
            self.log("warning", "another host has the execution; it was left to it")
            return
        try:
            await self._settle(status, info)
        except Lost:
            self.lost = True
            self.log("warning", "another host has the execution; its end was left to it")

    async def _settle(self, status: Status, info: ErrorInfo | None) -> None:
        took = time() - self.record.started
        verb = "waits" if status is Status.WAITING else f"ended: {status}"
        self.log(
            "info" if info is None else "warning", f"execution {verb}", duration=round(took, 6)
        )
        fence = self.state.fence
        if info is not None:  # no step has ended just now, maybe: is it still this host's?
            await self._change(Append(self.id, fence, self.journal.rest()))
        history = self.inner_history
        if history is not None:
            await _patiently(lambda: history.kept(self.record))
        if status is Status.WAITING:
            waits = tuple(self.parking.waits.values())
            due = time() if self._released or not waits else None
            change = Suspend(self.id, fence, waits, self.journal.rest(), self.replied, due)
            await self._change(change)
            return
        await self._tell_parent()
        if info is not None and status in (Status.ERROR, Status.TIMEOUT):
            await self._call_on_error(info)
            error = self.record.error or json.dumps(info._asdict(), default=str)
            await self._change(Fail(self.id, fence, error, self.journal.rest()))
        else:
            await self._change(Finish(self.id, fence))

    async def _tell_parent(self) -> None:
        """Brings the outcome to the execution that waits for it."""
        if self.state.parent is None or self.state.parent_step is None:
            return
        text = self.codec.encode(outcome_of(self))
        await self.host.answered(self.state.parent, self.state.parent_step, text)


class _Start:
    """Takes the place of the history when an execution starts: the state comes first."""

    def __init__(self, execution: DurableExecution) -> None:
        self._execution = execution

    async def started(self, record: ExecutionRecord) -> None:
        execution = self._execution
        if execution.fresh:
            execution.state.started = record.started
            await execution.host.runs.create(execution.state)
        else:
            record.started = execution.state.started
        history: HistorySink | None = execution.inner_history
        if history is not None and execution.begins:
            await history.started(record)

    async def finished(self, record: ExecutionRecord) -> None:
        await self.kept(record)

    async def kept(self, record: ExecutionRecord) -> None:
        history: HistorySink | None = self._execution.inner_history
        if history is not None:
            await history.kept(record)


async def _patiently(write: Callable[[], Awaitable[Any]]) -> Any:
    """Awaits a write, again and again while the store is unavailable.

    Raises:
        Lost: it stays so; the lease is over by then.
    """
    end = time() + PATIENCE
    pause = 0.1
    while True:
        try:
            return await write()
        except StoreUnavailable as error:
            if time() > end:
                raise Lost from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)


def _stopped(message: str, code: str) -> ErrorInfo:
    return ErrorInfo(message, code, "fatal", None, 1, None)
