"""Cancel: an execution ends early."""

from __future__ import annotations

import json

from nodegx.runtime.durable.outcome import ended_without_answer
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Finish, Kept
from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.history.record import Status

from .operator import BUSY, STATE, Operator, Outcome, Refusal
from .starting import PLAIN

ACTION = "cancel"
REASON = "It was cancelled by hand"


def cancel(operator: Operator, id: str, *, reason: str | None = None) -> Outcome:
    """Ends an execution. One that waits or is queued ends at once, and so do those that it waits
    for; one that runs is cancelled by the host that has it, as soon as that looks.

    Args:
        operator: who does it, and where.
        id: the execution.
        reason: why, to be recorded.

    Raises:
        Refusal: it has ended already, or somebody else has it.
    """
    kept = operator.unfinished(id, "be cancelled")
    entry = operator.entry(ACTION, reason=reason)
    text = reason or REASON
    if kept.state.status is RunStatus.FAILED:
        raise Refusal(STATE, "It has failed already; discard it to resolve it")
    try:  # of those that run, this takes only what a dead host has left
        return _end(operator, kept, entry, text)
    except Refusal as refusal:
        if kept.state.status is not RunStatus.RUNNING or refusal.code != BUSY:
            raise
    if operator.runs.request_cancel(id, text, entry):
        return Outcome(id, ACTION, id, RunStatus.RUNNING.value, "its host has been asked to end it")
    raise Refusal(BUSY, "It has moved on meanwhile; look at it again")


def _end(operator: Operator, kept: Kept, entry: dict[str, object], reason: str) -> Outcome:
    id = kept.state.id
    info = ErrorInfo(reason, "cancelled", "fatal", None, 1, None)
    with operator.claimed(kept.state, entry) as state:
        record = operator.noted(state)
        record.status, record.finished = Status.CANCELLED, operator.clock()
        record.error = json.dumps(info._asdict())
        for step in record.steps:
            if step.status is Status.WAITING:
                step.status = Status.CANCELLED
                step.duration = max(0.0, record.finished - step.started)
        operator.history.write([], [record])
        _tell_parent(operator, state, info)
        operator.write(Finish(id, state.fence))
    for wait in state.waits:
        if wait.kind == "call" and wait.spec is not None:
            _cancel_called(operator, str(wait.spec.get("execution")), id)
    return Outcome(id, ACTION, id, Status.CANCELLED.value)


def _tell_parent(operator: Operator, state: RunState, info: ErrorInfo) -> None:
    """The execution that waits for this one goes on with its failure."""
    if state.parent is None or state.parent_step is None:
        return
    outcome = ended_without_answer(state.id, Status.CANCELLED, info)
    if operator.runs.answer(state.parent, state.parent_step, PLAIN.encode(outcome)):
        parent = operator.runs.load(state.parent)
        if parent is not None:
            operator.wake(parent.state)


def _cancel_called(operator: Operator, id: str, parent: str) -> None:
    """Nobody waits any more for an execution that the cancelled one has called."""
    try:
        cancel(operator, id, reason=f"{parent}, which called it, was cancelled")
    except Refusal:
        return
