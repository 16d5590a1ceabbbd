"""Executions that this host has claimed: set going, put off, or given up."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

from nodegx.runtime.durable.poison import suspicion
from nodegx.runtime.durable.resumption import Resumption, give_up
from nodegx.runtime.durable.state import RunState
from nodegx.runtime.durable.store import Append, Fail, Finish, Kept, Suspend
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.workflow import Workflow

from .surroundings import Surroundings
from .versions import Versions

if TYPE_CHECKING:
    from .host import ServerHost


class Claimed:
    """What becomes of claimed executions.

    Args:
        host: what runs them.
        surroundings: theirs; its store is where they are kept.
        versions: the workflows that are not served any more.
    """

    def __init__(self, host: ServerHost, surroundings: Surroundings, versions: Versions) -> None:
        self._host = host
        self._surroundings = surroundings
        self._writer = surroundings.runs
        self._versions = versions

    async def begun(self, state: RunState, kept: Kept | None) -> Execution | None:
        """An execution that has been set going; None if that must not be.

        Args:
            state: how it stands.
            kept: all that there is of it, where this host has begun it; None reads that.

        Raises:
            StoreUnavailable: the store cannot be read or written.
        """
        if state.failures and not state.durable:
            # A dead letter that its operator left in the middle.
            await self._writer.change(Fail(state.id, state.fence, state.error or "null"))
            return None
        workflow = self._workflow(state)
        if workflow is None:
            await self._strand(state, _missing(state), self._served(state))
            return None
        if kept is None:
            kept = await self._writer.do(self._writer.store.load, state.id)
            if kept is None or kept.state.fence != state.fence:
                return None  # somebody else was quicker
            if not await self._is_safe(kept, workflow):
                return None
        try:
            resumption = Resumption(workflow, kept, self._surroundings)
        except NodegxError as error:
            await self._strand(state, error, workflow)
            return None
        execution: Execution
        if state.durable:
            execution = resumption.durable(log=self._host.log)
        else:
            execution = resumption.anew(log=self._host.log)
        await self._host.run(execution)
        if not state.durable:
            await self._writer.change(Finish(state.id, state.fence))
        return execution

    async def _is_safe(self, kept: Kept, workflow: Workflow) -> bool:
        """Whether to go on with an execution now: one that kills its hosts must not get them
        all."""
        state, found = kept.state, suspicion(kept)
        if found.reason is not None:
            await self._strand(state, found.reason, workflow)
        elif found.delay is not None:
            due = time() + found.delay
            entries = [found.entry]
            await self._writer.change(
                Suspend(state.id, state.fence, state.waits, entries, state.replied, due)
            )
        elif not await self._writer.change(Append(state.id, state.fence, [found.entry])):
            return False
        return found.reason is None and found.delay is None

    def _workflow(self, state: RunState) -> Workflow | None:
        """The code to go on with."""
        served = self._served(state)
        # What is not durable has not begun, so it may as well begin on what is served.
        if served is not None and (not state.durable or served.revision == state.revision):
            return served
        return self._versions.find(state.workflow, state.revision)

    def _served(self, state: RunState) -> Workflow | None:
        """The code of today."""
        served = self._host.registry.workflows.get(state.workflow)
        return None if served is None else served.workflow

    async def _strand(self, state: RunState, error: NodegxError, workflow: Workflow | None) -> None:
        """Gives an execution up that cannot go on here; it becomes a dead letter."""
        await give_up(state, error, self._surroundings, workflow, self._host.log)


def _missing(state: RunState) -> NodegxError:
    return NodegxError(
        f"The code that it began on, revision {state.revision} of {state.workflow}, is not kept "
        "any more; `nodegx executions migrate` moves it to the present one",
        code="version.missing",
    )
