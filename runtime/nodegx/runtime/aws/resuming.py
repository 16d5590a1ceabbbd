"""Goes on with executions: one that somebody has asked for, or those that nobody has."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from time import time
from typing import TYPE_CHECKING, Any

from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.dynamodb_access import Sleeper
from nodegx.runtime.durable.dynamodb_changes import Taken
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.poison import MOST
from nodegx.runtime.durable.resumption import Resumption, give_up
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Finish, Kept
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.secrets import Secrets
from nodegx.runtime.triggers.given import trigger_value

from .adapter import Adapter
from .client import AwsError
from .passes import Pass
from .surroundings import CALLED, Surroundings
from .waking import MISSING

if TYPE_CHECKING:
    from .host import AwsHost

TARDY = 60.0
"""Seconds after which a schedule has surely been lost; AWS lets it be that late."""
SWEPT = 500
"""Executions that one sweep wakes."""
DAY, HOUR = 86_400, 3600.0


class Resuming:
    """Goes on with the executions of a workflow.

    Args:
        callee: the trigger that takes calls.
        surroundings: those of the executions.
        host: the function's host.
    """

    def __init__(self, callee: Adapter, surroundings: Surroundings, host: AwsHost) -> None:
        self._callee = callee
        self._workflow = callee.workflow
        self._surroundings = surroundings
        self._host = host
        self._pruned = 0.0

    # --- one of them ---------------------------------------------------------------------------

    async def resume(self, id: str) -> dict[str, Any]:
        """Makes the next pass of an execution, if it may go on. Whoever is woken in vain does
        nothing.

        Returns:
            `execution` and its `status`, or None for one that was not touched.
        """
        surroundings = self._surroundings
        store = surroundings.store
        taken = await surroundings.writer.do(store.take, id, revision=self._workflow.revision)
        if taken is None:
            sleeper = await surroundings.writer.do(store.sleeper, id)
            if sleeper is not None and sleeper.due is not None and sleeper.due > time():
                await surroundings.arm(sleeper)  # it was woken on the way to a time far away
            return {"execution": id, "status": None}
        await self._silence(taken)
        state = taken.kept.state
        if taken.claims > MOST:
            reason = f"Its functions have died {MOST} times without getting any further with it"
            await self._strand(state, NodegxError(reason, code="execution.poison"))
            return {"execution": id, "status": "error"}
        try:
            resumption = Resumption(self._workflow, self._begun(taken.kept), surroundings)
        except NodegxError as error:
            await self._strand(state, error)
            return {"execution": id, "status": "error"}
        options: dict[str, Any] = {"deadline": self._host.deadline, "log": self._host.log}
        execution: Execution
        if state.durable:
            execution = resumption.durable(kind=Pass, **options)
        else:
            execution = resumption.anew(**options)
        await execution.start()
        await execution.finish()
        if not isinstance(execution, DurableExecution):
            await surroundings.runs.change(Finish(state.id, state.fence))
        return {"execution": id, "status": execution.record.status.value}

    def _begun(self, kept: Kept) -> Kept:
        """An execution as it is with its trigger, if it was called.

        Raises:
            NodegxError: this is nothing that it can be started with.
        """
        state, callee = kept.state, self._callee
        if state.trigger != CALLED:
            return kept
        codec = Codec(Secrets(self._host.secrets), {})
        value = trigger_value(callee.type, callee.config, codec.decode(state.input))
        begun = replace(
            state, trigger=callee.node, trigger_type=callee.type, input=codec.encode(value)
        )
        return Kept(begun, kept.entries)

    async def _silence(self, taken: Taken) -> None:
        """Removes the schedule of an execution that goes on before it was due."""
        state = taken.kept.state
        if taken.alarm is None or taken.alarm <= time():
            return
        forget = self._surroundings.waker.forget
        try:
            await self._surroundings.writer.do(forget, state.id, state.fence - 1)
        except AwsError as error:  # it will wake nobody
            message = f"a schedule was left behind: {error.message}"
            self._host.log.write("warning", message, execution=state.id)

    async def _strand(self, state: RunState, error: NodegxError) -> None:
        """Makes a dead letter of an execution that cannot go on."""
        await give_up(state, error, self._surroundings, self._workflow, self._host.log)

    # --- all of them ---------------------------------------------------------------------------

    async def sweep(self) -> dict[str, Any]:
        """Wakes what should have gone on and has not: because its function has died, or a wake-up
        was lost. Removes dead letters whose time is over.

        Returns:
            `woken`: how many.
        """
        surroundings = self._surroundings
        found = await surroundings.writer.do(self._overdue)
        for sleeper in found:
            await self._wake(sleeper)
        if time() - self._pruned > HOUR:
            before = time() - self._host.environment.retention_days * DAY
            await surroundings.writer.do(surroundings.store.prune, before)
            self._pruned = time()
        return {"woken": len(found)}

    def _overdue(self) -> list[Sleeper]:
        overdue = self._surroundings.store.overdue(self._workflow.name, late=TARDY)
        return list(islice(overdue, SWEPT))

    async def _wake(self, sleeper: Sleeper) -> None:
        surroundings = self._surroundings
        target = surroundings.target_of(sleeper)
        if target is None:
            return
        try:
            await surroundings.writer.do(surroundings.waker.now, sleeper.id, target)
        except AwsError as error:
            if error.code != MISSING:
                raise
            statuses = (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.RUNNING)
            state = await surroundings.writer.do(
                surroundings.store.claim_one, sleeper.id, statuses=statuses
            )
            if state is not None:
                await self._strand(state, _gone(state))


def _gone(state: RunState) -> NodegxError:
    return NodegxError(
        f"The version that it began on, revision {state.revision} of {state.workflow}, is not kept "
        "any more; `nodegx executions migrate` moves it to the present one",
        code="version.missing",
    )
