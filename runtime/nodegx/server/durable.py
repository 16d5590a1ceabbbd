"""The part of a server that goes on with executions: it claims what is queued, due or orphaned,
and tells the others that it lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Finish, Fire, Kept, RunStore
from nodegx.runtime.durable.tokens import new_secret
from nodegx.runtime.durable.writer import RunWriter
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import Status
from nodegx.runtime.history.store import HistoryStore, StoreUnavailable
from nodegx.runtime.ids import new_id
from nodegx.runtime.secrets import Secrets
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .claimed import Claimed
from .lease import Lease
from .options import Pace
from .retention import keep_leftovers_pruned
from .scheduler import GRACE
from .strays import MOMENT, let_go, owned
from .surroundings import Surroundings
from .versions import Versions

if TYPE_CHECKING:
    from .host import ServerHost

log = logging.getLogger("nodegx.server")

FAILED = frozenset({Status.ERROR, Status.TIMEOUT})

PATIENCE = 5.0
"""Seconds for which the end of a claim is waited for."""


class DurableRuns:
    """Goes on with the executions of a store, beside other hosts.

    Args:
        host: what runs them.
        store: where they are kept; shared with other hosts, maybe.
        versions: the workflows that are not served any more.
        pace: how often, how many.
        retention_days: days after which dead letters are removed; None keeps them.
        history: where executions are recorded that are over; None for nowhere.
    """

    def __init__(
        self,
        host: ServerHost,
        store: RunStore,
        versions: Versions,
        pace: Pace | None = None,
        *,
        retention_days: int | None = None,
        history: HistoryStore | None = None,
    ) -> None:
        self.host = host
        self.store = store
        self.versions = versions
        self.pace = pace or Pace()
        self.writer = RunWriter(store, lambda: self.lease.holds)
        self.lease = Lease(self.writer, self.pace.lease, self._lose, self._heed_cancels)
        self.surroundings = Surroundings(host, self.writer, self.pace.hold, self._deliver, history)
        self._claimed = Claimed(host, self.surroundings, versions)
        self._retention_days = retention_days
        self._wake = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._going: set[asyncio.Task[None]] = set()
        self._beginning: dict[asyncio.Task[None], str] = {}
        self._stopping = False
        self._unsure = False

    async def start(self) -> None:
        """Begins to look for executions to go on with.

        Raises:
            StoreUnavailable: the store cannot be written.
        """
        await self.lease.start()
        self._loops = [
            asyncio.create_task(self._keep_claiming()),
            asyncio.create_task(
                keep_leftovers_pruned(
                    self.store,
                    self.versions,
                    lambda: self.host.registry.workflows.values(),
                    self._retention_days,
                )
            ),
        ]

    async def stop(self) -> None:
        """Claims nothing more; to be called before executions are drained. What this host has
        stays its own."""
        self._stopping = True
        self.wake()
        claiming, pruning = self._loops or (None, None)
        if claiming is not None and pruning is not None:
            pruning.cancel()
            # Not cancelled at once: what the store is about to give must not be lost.
            await asyncio.wait([claiming], timeout=PATIENCE)
            claiming.cancel()
            await asyncio.gather(claiming, pruning, return_exceptions=True)

    async def close(self) -> None:
        """Writes what is left, and lets others have what is not done."""
        for task in self._going:
            task.cancel()
        await self.lease.stop()
        await asyncio.to_thread(self.writer.close)
        try:
            await asyncio.to_thread(self.store.leave)
        except StoreUnavailable as error:
            log.warning("others will have to wait for the lease to end: %s", error)
        await asyncio.to_thread(self.store.close)

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    # --- for the server ------------------------------------------------------------------------

    def begin(self, workflow: Workflow, trigger: Trigger, **origin: Any) -> DurableExecution:
        """A new durable execution; `origin` are further arguments of it."""
        return DurableExecution(
            workflow,
            trigger,
            self.surroundings,
            owner=self.store.host,
            log=self.host.log,
            **origin,
        )

    async def enqueue(
        self,
        workflow: Workflow,
        trigger: Trigger,
        *,
        id: str | None = None,
        parent: str | None = None,
        depth: int = 0,
    ) -> str:
        """Starts a workflow that may have to wait for its turn; should this host die meanwhile,
        another one starts it. Returns the execution's id.

        Raises:
            StoreUnavailable: the store cannot be written.
        """
        state = self._own(workflow, trigger, parent=parent, depth=depth)
        await self.writer.create(state)
        self._go(self._go_on(state, Kept(state)))
        return state.id

    async def fire(self, workflow: Workflow, trigger: Trigger, key: str, moment: float) -> None:
        """Starts a workflow for a moment of a schedule, unless another host has done so.

        Raises:
            StoreUnavailable: the store could not be written until it was too late.
        """
        end, id, unsure = time() + GRACE, new_id(), False
        while True:
            state = self._own(workflow, trigger, id=id)
            try:
                if not self.lease.holds:
                    raise StoreUnavailable("The lease of this host is over")
                [first] = await self.writer.do(self.store.fire, [Fire(key, moment, state)])
                if unsure and not first:  # it was this host that has fired it, maybe
                    kept = await self.writer.do(self.store.load, id)
                    first = kept is not None and kept.state.fence == state.fence
                break
            except StoreUnavailable:
                unsure = True
                if time() > end:
                    raise
                await asyncio.sleep(MOMENT)
        if first and self.lease.holds:
            self._go(self._go_on(state, Kept(state)))

    def forget(self, execution: DurableExecution) -> None:
        """An execution could not be started, and whoever wanted that is told so: nothing of it may
        stay."""
        state = execution.state
        end = partial(self.store.change, [Finish(state.id, state.fence)])
        self._go(self._persistently(end))

    def ended(self, execution: Execution) -> None:
        """An execution of this server has ended, or waits outside of it. What failed and is not
        durable becomes a dead letter, too."""
        if isinstance(execution, DurableExecution):
            self.wake()
        elif execution.record.status in FAILED:
            self._go(self._bury(execution))

    def release(self, execution: Execution) -> bool:
        """Leaves an execution to its next host; False if it is not durable."""
        if not isinstance(execution, DurableExecution):
            return False
        execution.release()
        return True

    def state(
        self, workflow: Workflow, trigger: Trigger, status: RunStatus, **fields: Any
    ) -> RunState:
        """The state of an execution that has not begun, or is not durable."""
        codec = Codec(Secrets(self.host.secrets), {})
        return RunState(
            id=fields.pop("id", None) or new_id(),
            workflow=workflow.name,
            revision=workflow.revision,
            trigger=trigger.node,
            trigger_type=trigger.type,
            input=codec.encode(trigger.value),
            started=fields.pop("started", None) or time(),
            status=status,
            durable=workflow.settings.durable,
            secret=new_secret(),
            **fields,
        )

    def _own(self, workflow: Workflow, trigger: Trigger, **fields: Any) -> RunState:
        """The state of an execution that this host is about to start."""
        return self.state(
            workflow, trigger, RunStatus.RUNNING, owner=self.store.host, fence=1, **fields
        )

    async def _bury(self, execution: Execution) -> None:
        record = execution.record
        state = self.state(
            execution.workflow,
            execution.trigger,
            RunStatus.FAILED,
            id=record.id,
            started=record.started,
            parent=record.parent,
            depth=execution.depth,
            failures=1,
            error=record.error,
        )
        state.input = Codec(execution.secrets, execution.secrets.read).encode(
            execution.trigger.value
        )
        state.durable = False
        await self.writer.create(state)

    def _deliver(self, execution: str, key: str, value: str) -> None:
        active = self.host.active.get(execution)
        if isinstance(active, DurableExecution):
            active.deliver(key, value)
        else:
            self.wake()

    # --- the lease -----------------------------------------------------------------------------

    def _lose(self) -> None:
        """Others may have what this host has: it must do no further step of it."""
        for execution in list(self.host.active.values()):
            if isinstance(execution, DurableExecution):
                execution.lose()
        for task in list(self._beginning):
            task.cancel()

    async def _heed_cancels(self) -> None:
        for state in await self.writer.do(self.store.cancels):
            execution = self.host.active.get(state.id)
            if execution is not None:
                execution.cancel(state.cancel or "It was cancelled by hand")

    # --- claiming ------------------------------------------------------------------------------

    async def _keep_claiming(self) -> None:
        while not self._stopping:
            self._wake.clear()
            claimed = await self._claim()
            if claimed:
                continue  # there may be more
            pause = await self._pause()
            # Not `wait_for`, which in Python 3.11 may swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _claim(self) -> int:
        if not self.lease.holds:
            return 0
        room = self.pace.most - len(self._going)
        if room <= 0:
            await asyncio.wait(
                self._going, timeout=self.pace.poll, return_when=asyncio.FIRST_COMPLETED
            )
            return 1
        try:
            states = await self.writer.do(self.store.claim, room, now=time())
            if self._unsure:
                self._unsure = False
                self._go(self._let_strays_go())
        except StoreUnavailable as error:
            log.warning("the store of executions is away: %s", error)
            self._unsure = True
            return 0
        for state in states:
            self._go(self._go_on(state))
        return len(states)

    async def _pause(self) -> float:
        """Seconds until something is due here, or until it is time to see what others have left."""
        try:
            due = await self.writer.do(self.store.next_due)
        except StoreUnavailable:
            return self.pace.poll
        return self.pace.poll if due is None else min(max(due - time(), 0.0), self.pace.poll)

    @property
    def busy(self) -> bool:
        """Whether it is about to start executions, or waits for them to end."""
        return bool(self._going)

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._going.add(task)
        self.host.rest()
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._going.discard(task)
        self.host.rest()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an execution could not go on: %s", error, exc_info=error)

    async def _go_on(self, state: RunState, kept: Kept | None = None) -> None:
        """Goes on with an execution of this host's; one that this fails with is claimed again."""
        task = asyncio.current_task()
        assert task is not None
        self._beginning[task] = state.id
        try:
            execution = await self._claimed.begun(state, kept)
            self._beginning.pop(task)
            if execution is not None:
                await execution.finish()
        except Exception as error:
            log.error("execution %s could not go on: %s", state.id, error, exc_info=error)
            await self._let_go(state)
        finally:
            self._beginning.pop(task, None)

    async def _let_go(self, state: RunState) -> None:
        """Leaves an execution to whoever claims it, in a moment."""
        await self._persistently(partial(let_go, self.store, state))

    async def _persistently(self, call: Callable[[], object]) -> None:
        """Asks the store until it answers, or others have what this host has."""
        while self.lease.holds:
            try:
                await self.writer.do(call)
            except StoreUnavailable:
                await asyncio.sleep(MOMENT)
            else:
                return

    async def _let_strays_go(self) -> None:
        """Lets go of what this host does not know that it has."""
        strays = await self.writer.do(owned, self.store)
        for _ in range(2):  # what has only just been created will be known by then
            await asyncio.sleep(MOMENT)
            known = {*self.host.known(), *self._beginning.values()}
            strays = {id: state for id, state in strays.items() if id not in known}
        for state in strays.values():
            await self._let_go(state)


def versions_folder(root: Path) -> Path:
    """Where a project's server keeps the code of executions under way."""
    return root / ".nodegx" / "versions"
