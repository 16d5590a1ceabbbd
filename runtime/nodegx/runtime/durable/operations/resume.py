"""Resume: a failed execution goes on where it failed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import NamedTuple

from nodegx.runtime.durable.poison import KEY as PASSES
from nodegx.runtime.durable.state import Entry, RunState, RunStatus
from nodegx.runtime.durable.store import Finish
from nodegx.runtime.durable.tokens import answer_key
from nodegx.runtime.history.record import Status

from . import faithful
from .failures import called, decisive, redone
from .operator import INPUT, STATE, Operator, Outcome, Refusal
from .starting import PLAIN

ACTION = "resume"


def resume(operator: Operator, id: str) -> Outcome:
    """Lets a failed execution go on: the step that failed is done anew, and everything before it
    is not. If that step called another execution, which failed, that one goes on as well.

    Args:
        operator: who does it, and where.
        id: the failed execution.

    Raises:
        Refusal: it has not failed, it is not durable, or somebody else has it.
    """
    kept = operator.unfinished(id, "be resumed")
    state = kept.state
    if state.status is not RunStatus.FAILED:
        hint = "; it goes on by itself"
        if state.status is RunStatus.WAITING:
            hint = "; it can be told to go on now, or be given its answer"
        raise Refusal(STATE, f"It is {state.status}, not failed{hint}")
    if not state.durable:
        raise Refusal(STATE, "It is not durable, so it can only start anew: retry it")
    failures = decisive(state, kept.entries)
    callees = [_callee(operator, failure, kept.entries) for failure in failures]
    drop = [PASSES]  # how often it took a host down with it counts from now
    for failure, callee in zip(failures, callees, strict=True):
        drop += redone(failure, kept.entries, child=callee.way is Way.ANEW)
    entry = operator.entry(ACTION, steps=[failure.key for failure in failures])
    with operator.claimed(state, entry) as claimed:
        # A callee that ends meanwhile must find the place of its answer free.
        operator.replace(claimed, drop=drop)
        for failure, callee in zip(failures, callees, strict=True):
            _settle(operator, id, failure, callee)
        going_on = replace(
            claimed,
            status=RunStatus.WAITING,
            owner=None,
            due=operator.clock(),
            waits=(),
            error=None,
        )
        record = operator.noted(going_on)
        record.status, record.finished, record.error = Status.WAITING, None, None
        operator.history.write([], [record])
        operator.replace(going_on)
    operator.wake(going_on)
    resumed = ", ".join(callee.id for callee in callees if callee.way is Way.RESUMED)
    note = f"with {resumed}, which it called" if resumed else ""
    return Outcome(id, ACTION, id, RunStatus.WAITING.value, note)


class Way(Enum):
    """What becomes of an execution that the failed step has called."""

    ANEW = auto()  # another one is called, if any
    AWAITED = auto()  # it has not ended
    RESUMED = auto()  # it has failed, and goes on as well
    ANSWERED = auto()  # it has succeeded since


class _Callee(NamedTuple):
    way: Way
    id: str = ""
    answer: str = ""
    dead: RunState | None = None


def _callee(operator: Operator, failure: Entry, entries: Sequence[Entry]) -> _Callee:
    id = called(failure, entries)
    if id is None:
        return _Callee(Way.ANEW)
    kept = operator.runs.load(id)
    if kept is None:
        return _ended(operator, failure, id)
    if kept.state.status is not RunStatus.FAILED:
        return _Callee(Way.AWAITED, id)
    if kept.state.durable:
        return _Callee(Way.RESUMED, id)
    return _Callee(Way.ANEW, id, dead=kept.state)


def _ended(operator: Operator, failure: Entry, id: str) -> _Callee:
    record = operator.history.get(id)
    if record is None or record.status is not Status.SUCCESS:
        return _Callee(Way.ANEW, id)
    try:
        output = faithful.output(record)
    except faithful.Unfaithful as reason:
        raise Refusal(
            INPUT,
            f"`{failure.key}` called {id}, which has succeeded since; what that answered cannot be"
            f" used again, because {reason}; fork it from that step, or retry it",
        ) from None
    outcome = {"status": record.status.value, "output": output, "error": None, "execution": id}
    return _Callee(Way.ANSWERED, id, PLAIN.encode(outcome))


def _settle(operator: Operator, id: str, failure: Entry, callee: _Callee) -> None:
    if callee.way is Way.ANSWERED:
        operator.runs.answer(id, answer_key(failure.key), callee.answer)
    elif callee.way is Way.RESUMED:
        with contextlib.suppress(Refusal):  # somebody else has it; the caller waits for its end
            resume(operator, callee.id)
    elif callee.dead is not None:
        entry = operator.entry("superseded", by_resume_of=id)
        with (
            contextlib.suppress(Refusal),
            operator.claimed(callee.dead, entry) as claimed,
        ):
            operator.history.write([], [operator.noted(claimed)])
            operator.write(Finish(callee.id, claimed.fence))
