"""Claimed executions as objects that run."""

from __future__ import annotations

import json
from time import time
from typing import TYPE_CHECKING

from nodegx.runtime import logs
from nodegx.runtime.errors import ErrorInfo, NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.secrets import Secrets
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .codec import Codec
from .execution import DurableExecution, DurableHost, Runs
from .state import RunState
from .store import Fail, Kept

if TYPE_CHECKING:
    from nodegx.runtime.host import HistorySink


class Resumption:
    """An execution that this host has claimed.

    Args:
        workflow: the code it goes on with.
        kept: what there is of it.
        host: the surroundings.

    Raises:
        FatalError: its trigger's value cannot be read.
    """

    def __init__(self, workflow: Workflow, kept: Kept, host: DurableHost) -> None:
        self._workflow = workflow
        self._kept = kept
        self._host = host
        state = kept.state
        value = Codec(Secrets(host.secrets), {}).decode(state.input)
        self._trigger = Trigger(state.trigger, state.trigger_type, value)

    def durable(
        self,
        *,
        deadline: float | None = None,
        log: logs.Log | None = None,
        kind: type[DurableExecution] = DurableExecution,
    ) -> DurableExecution:
        """The next pass of a durable execution; `kind` tells what sort of pass."""
        state = self._kept.state
        return kind(
            self._workflow,
            self._trigger,
            self._host,
            kept=self._kept,
            id=state.id,
            parent=state.parent,
            depth=state.depth,
            deadline=deadline,
            log=log,
        )

    def anew(self, *, deadline: float | None = None, log: logs.Log | None = None) -> Execution:
        """The start of an execution that is not durable, and waited for its turn."""
        state = self._kept.state
        execution = Execution(
            self._workflow,
            self._trigger,
            self._host,
            id=state.id,
            parent=state.parent,
            depth=state.depth,
            deadline=deadline,
            log=log,
        )
        if state.audit:
            execution.record.audit = json.dumps(state.audit)
        return execution


async def give_up(
    state: RunState, error: NodegxError, runs: Runs, history: HistorySink | None
) -> None:
    """Puts on record that a claimed execution cannot go on, and makes it a dead letter."""
    info = ErrorInfo(error.message, error.code, "fatal", None, 1, error.details)
    text = json.dumps(info._asdict(), default=str)
    if history is not None:
        record = ExecutionRecord(
            state.id,
            state.workflow,
            state.trigger,
            Status.ERROR,
            state.started,
            finished=time(),
            parent=state.parent,
            revision=state.revision,
            error=text,
            durable=state.durable,
            audit=json.dumps(state.audit) if state.audit else None,
            fence=state.fence,
        )
        await history.kept(record)
    await runs.change(Fail(state.id, state.fence, text))
