"""Retry: a new execution from the start, with what the old one began with."""

from __future__ import annotations

import json
from typing import Any

from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Finish
from nodegx.runtime.history.record import ExecutionRecord, Status

from .operator import STATE, Operator, Outcome, Refusal, audit_of
from .starting import Edited, Origin, anew, announce, input_of

ACTION = "retry"


def retry(
    operator: Operator, id: str, *, edited: Edited | None = None, again: bool = False
) -> Outcome:
    """Starts a new execution with the complete input of one that has ended, on the current
    revision of its workflow. A dead letter is resolved by that.

    Args:
        operator: who does it, and where.
        id: the execution that has ended.
        edited: an input in place of the original one.
        again: whether one that was retried before may be retried once more.

    Raises:
        Refusal: it has not ended, was retried before, or its input or workflow is not known.
        InputError: the edited input does not fit.
        StoreUnavailable: a store cannot be written; trying again does not start it twice.
    """
    origin = Origin.of(operator, id)
    if origin.kept is None:
        return _retry_ended(operator, origin, edited, again)
    state = origin.kept.state
    if state.status is not RunStatus.FAILED:
        raise Refusal(STATE, f"It is {state.status}; only what has ended can be retried: cancel it")
    earlier = _started(operator, state)
    if earlier is not None:
        return _resolve(operator, state, earlier)
    new = _new(operator, origin, edited)
    entry = operator.entry(ACTION, execution=new.id, edited=_edited(edited))
    with operator.claimed(state, entry) as claimed:
        announce(operator, new, [operator.noted(claimed)])
        operator.runs.create([new])
        operator.write(Finish(id, claimed.fence))
    operator.wake(new)
    return Outcome(id, ACTION, new.id, new.status.value)


def _retry_ended(operator: Operator, origin: Origin, edited: Edited | None, again: bool) -> Outcome:
    record = origin.record
    assert record is not None
    if not record.status.ended:
        raise Refusal(
            STATE, f"It is {record.status}; only what has ended can be retried: cancel it"
        )
    for entry in audit_of(record):
        if entry.get("action") == ACTION and "execution" in entry and not again:
            raise Refusal(
                STATE,
                f"It was retried by {entry.get('by')} at {entry.get('at')}, as"
                f" {entry['execution']}; ask for it again if that is meant",
            )
    new = _new(operator, origin, edited)
    note(record, operator.entry(ACTION, execution=new.id, edited=_edited(edited)))
    announce(operator, new, [record])
    operator.runs.create([new])
    operator.wake(new)
    return Outcome(origin.id, ACTION, new.id, new.status.value)


def _new(operator: Operator, origin: Origin, edited: Edited | None) -> RunState:
    target = operator.current(origin.workflow)
    text = input_of(origin, target, edited)
    return anew(operator, origin, target, text, action=ACTION, of=origin.id, edited=_edited(edited))


def _edited(edited: Edited | None) -> bool | None:
    return None if edited is None else True


def _started(operator: Operator, state: RunState) -> str | None:
    """The execution that an operator has started in place of this one, and was cut off before the
    dead letter was gone."""
    for entry in reversed(state.audit):
        new: Any = entry.get("execution")
        if entry.get("action") != ACTION or not isinstance(new, str):
            continue
        if operator.runs.load(new) is not None:
            return new
        record = operator.history.get(new)
        if record is not None and record.status is not Status.QUEUED:
            return new
    return None


def _resolve(operator: Operator, state: RunState, new: str) -> Outcome:
    with operator.claimed(state, operator.entry("resolved", execution=new)) as claimed:
        operator.history.write([], [operator.noted(claimed)])
        operator.write(Finish(state.id, claimed.fence))
    record = operator.history.get(new)
    status = Status.QUEUED if record is None else record.status
    return Outcome(state.id, ACTION, new, status.value, "it had been retried already")


def note(record: ExecutionRecord, entry: dict[str, object]) -> None:
    """Adds to what was noted down of an execution."""
    record.audit = json.dumps([*audit_of(record), entry])
