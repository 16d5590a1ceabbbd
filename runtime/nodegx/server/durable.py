"""The part of a server that goes on with executions: it claims what is queued, due or orphaned,
and tells the others that it lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.poison import suspicion
from nodegx.runtime.durable.resumption import Resumption, give_up
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Append, Fail, Finish, Fire, Kept, RunStore, Suspend
from nodegx.runtime.durable.tokens import new_secret
from nodegx.runtime.durable.writer import RunWriter
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import Status
from nodegx.runtime.history.store import StoreUnavailable
from nodegx.runtime.ids import new_id
from nodegx.runtime.secrets import Secrets
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .options import Pace
from .retention import DAY, INTERVAL
from .surroundings import Surroundings
from .versions import Versions

if TYPE_CHECKING:
    from .host import ServerHost

log = logging.getLogger("nodegx.server")

FAILED = frozenset({Status.ERROR, Status.TIMEOUT})


class DurableRuns:
    """Goes on with the executions of a store, beside other hosts.

    Args:
        host: what runs them.
        store: where they are kept; shared with other hosts, maybe.
        versions: the workflows that are not served any more.
        pace: how often, how many.
        retention_days: days after which dead letters are removed; None keeps them.
    """

    def __init__(
        self,
        host: ServerHost,
        store: RunStore,
        versions: Versions,
        pace: Pace | None = None,
        retention_days: int | None = None,
    ) -> None:
        self.host = host
        self.store = store
        self.versions = versions
        self.pace = pace or Pace()
        self.writer = RunWriter(store)
        self.surroundings = Surroundings(host, self.writer, self.pace.hold, self._deliver)
        self._retention_days = retention_days
        self._wake = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._going: set[asyncio.Task[None]] = set()
        self._alive_until = 0.0

    async def start(self) -> None:
        """Begins to look for executions to go on with.

        Raises:
            StoreUnavailable: the store cannot be written.
        """
        await self._beat()
        self._loops = [
            asyncio.create_task(self._keep_beating()),
            asyncio.create_task(self._keep_claiming()),
            asyncio.create_task(self._keep_pruning()),
        ]

    async def stop(self) -> None:
        """Claims nothing more; to be called before executions are drained."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    async def close(self) -> None:
        """Writes what is left, and lets others have what is not done."""
        for task in self._going:
            task.cancel()
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
        """Starts a workflow for a moment of a schedule, unless another host has done so."""
        state = self._own(workflow, trigger)
        [first] = await self.writer.do(self.store.fire, [Fire(key, moment, state)])
        if first:
            self._go(self._go_on(state, Kept(state)))

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

    async def _beat(self) -> None:
        begin = monotonic()
        await self.writer.do(self.store.beat, self.pace.lease)
        self._alive_until = begin + self.pace.lease

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self.pace.lease / 3)
            try:
                await self._beat()
                for state in await self.writer.do(self.store.cancels):
                    execution = self.host.active.get(state.id)
                    if execution is not None:
                        execution.cancel(state.cancel or "It was cancelled by hand")
            except StoreUnavailable as error:
                log.warning("the store of executions is away: %s", error)
                if monotonic() >= self._alive_until:
                    self._lose()

    def _lose(self) -> None:
        """Others may have what this host has: it must do no further step of it."""
        for execution in list(self.host.active.values()):
            if isinstance(execution, DurableExecution):
                execution.lose()

    # --- what is not needed any more ---------------------------------------------------------

    async def _keep_pruning(self) -> None:
        """Removes dead letters that are too old, and code that no execution needs."""
        while True:
            try:
                await self.writer.do(self._prune)
            except (StoreUnavailable, OSError) as error:
                log.warning("old executions could not be removed: %s", error)
            await asyncio.sleep(INTERVAL)

    def _prune(self) -> None:
        if self._retention_days is not None:
            self.store.prune(time() - self._retention_days * DAY)
        used = self.store.revisions()
        for entry in self.host.registry.workflows.values():
            used.add((entry.name, entry.workflow.revision))
        self.versions.prune(used)

    # --- claiming ------------------------------------------------------------------------------

    async def _keep_claiming(self) -> None:
        while True:
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
        room = self.pace.most - len(self._going)
        if room <= 0:
            await asyncio.wait(self._going, return_when=asyncio.FIRST_COMPLETED)
            return 1
        try:
            states = await self.writer.do(self.store.claim, room, now=time())
        except StoreUnavailable as error:
            log.warning("the store of executions is away: %s", error)
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
        if (
            state.failures and not state.durable
        ):  # a dead letter that its operator left in the middle
            await self.writer.change(Fail(state.id, state.fence, state.error or "null"))
            return
        workflow = self._workflow(state)
        if workflow is None:
            await self.strand(state, _missing(state))
            return
        if kept is None:
            kept = await self.writer.do(self.store.load, state.id)
            if kept is None or kept.state.fence != state.fence:
                return  # somebody else was quicker
            if not await self._is_safe(kept):
                return
        try:
            resumption = Resumption(workflow, kept, self.surroundings)
        except NodegxError as error:
            await self.strand(state, error)
            return
        execution: Execution
        if state.durable:
            execution = resumption.durable(log=self.host.log)
        else:
            execution = resumption.anew(log=self.host.log)
        await self.host.run(execution)
        if not state.durable:
            await self.writer.change(Finish(state.id, state.fence))
        await execution.finish()

    async def _is_safe(self, kept: Kept) -> bool:
        """Whether to go on with an execution now: one that kills its hosts must not get them
        all."""
        state, found = kept.state, suspicion(kept)
        if found.reason is not None:
            await self.strand(state, found.reason)
        elif found.delay is not None:
            due = time() + found.delay
            entries = [found.entry]
            await self.writer.change(
                Suspend(state.id, state.fence, state.waits, entries, state.replied, due)
            )
        elif not await self.writer.change(Append(state.id, state.fence, [found.entry])):
            return False
        return found.reason is None and found.delay is None

    def _workflow(self, state: RunState) -> Workflow | None:
        served = self.host.registry.workflows.get(state.workflow)
        if served is not None and served.workflow.revision == state.revision:
            return served.workflow
        if not state.durable and served is not None:
            return served.workflow  # it has not begun, so it may as well begin on what is served
        return self.versions.find(state.workflow, state.revision)

    async def strand(self, state: RunState, error: NodegxError) -> None:
        """Gives an execution up that cannot go on here; it becomes a dead letter."""
        await give_up(state, error, self.writer, self.host.history)
        log.warning("%s cannot go on with execution %s: %s", state.workflow, state.id, error)


def _missing(state: RunState) -> NodegxError:
    return NodegxError(
        f"The code that it began on, revision {state.revision} of {state.workflow}, is not kept "
        "any more; `nodegx executions migrate` moves it to the present one",
        code="version.missing",
    )


def versions_folder(root: Path) -> Path:
    """Where a project's server keeps the code of executions under way."""
    return root / ".nodegx" / "versions"
