"""Claimed executions as objects that run."""

from __future__ import annotations

import json
from time import time

from nodegx.runtime import logs
from nodegx.runtime.errors import ErrorInfo, NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.on_error import Failed, call_on_error
from nodegx.runtime.secrets import Secrets
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .codec import Codec
from .execution import DurableExecution, DurableHost
from .outcome import ended_without_answer
from .state import RunState
from .store import Fail, Kept


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
    state: RunState,
    error: NodegxError,
    host: DurableHost,
    workflow: Workflow | None,
    log: logs.Log | None,
) -> None:
    """Makes a dead letter of a claimed execution that cannot go on: puts that on record, tells the
    execution that waits for it, and calls the workflow for failures.

    Args:
        state: the execution.
        error: why it cannot.
        host: the surroundings.
        workflow: its code, or what has taken its place, for where failures go; None if unknown.
        log: where that is told; None is standard error.
    """
    log = log or logs.default
    message = f"cannot go on: {error.message}"
    log.write("error", message, execution=state.id, workflow=state.workflow)
    info = ErrorInfo(error.message, error.code, "fatal", None, 1, error.details)
    codec = Codec(Secrets(host.secrets), {})
    text = json.dumps(info._asdict(), default=str)
    if host.history is not None:
        await host.history.kept(_record(state, text))
    if state.parent is not None and state.parent_step is not None:
        answer = codec.encode(ended_without_answer(state.id, Status.ERROR, info))
        await host.answered(state.parent, state.parent_step, answer)
    if workflow is not None and workflow.settings.on_error is not None:
        try:
            value = codec.decode(state.input)
        except NodegxError:  # which may be why it cannot go on
            value = None
        try:
            await call_on_error(Failed(state.id, workflow, info, value, state.depth), host)
        except Exception as problem:
            message = f"the workflow for failures was not started: {problem}"
            log.write("error", message, execution=state.id, workflow=state.workflow)
    await host.runs.change(Fail(state.id, state.fence, text))


def _record(state: RunState, error: str) -> ExecutionRecord:
    return ExecutionRecord(
        state.id,
        state.workflow,
        state.trigger,
        Status.ERROR,
        state.started,
        finished=time(),
        parent=state.parent,
        revision=state.revision,
        error=error,
        durable=state.durable,
        audit=json.dumps(state.audit) if state.audit else None,
        fence=state.fence,
    )
