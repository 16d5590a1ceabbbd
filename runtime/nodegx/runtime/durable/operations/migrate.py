"""Migrate: an execution goes on with the current revision of its workflow."""

from __future__ import annotations

from dataclasses import replace

from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import Kept

from .failures import decisive, redone
from .operator import CODE, STATE, Operator, Outcome, Refusal

ACTION = "migrate"
MOVABLE = (RunStatus.WAITING, RunStatus.FAILED)


def migrate(operator: Operator, id: str, *, to: str | None = None) -> Outcome:
    """Moves a durable execution that waits or has failed to another revision, if the code there
    does what its journal says.

    Args:
        operator: who does it, and where.
        id: the execution.
        to: the revision, or the beginning of it; None means the current one.

    Raises:
        Refusal: it is in another state, the revision is not there, or its code does something
            else than the journal says.
    """
    kept = operator.unfinished(id, "be migrated")
    state = kept.state
    if not state.durable:
        raise Refusal(STATE, "It is not durable; a retry starts it on the current revision anyway")
    if state.status not in MOVABLE:
        raise Refusal(STATE, f"It is {state.status}; only what waits or has failed can be migrated")
    target = operator.current(state.workflow)
    if to is not None and not (to and target.revision.startswith(to)):
        current = target.revision
        other = operator.target(state.workflow, to) if to else None
        if other is None:
            raise Refusal(
                CODE,
                f"Revision {to} of {state.workflow} is not there; the current one is {current}",
            )
        target = other
    if state.revision == target.revision:
        return Outcome(id, ACTION, id, state.status.value, "it is on that revision already")
    if not target.durable:
        raise Refusal(CODE, f"Revision {target.revision} of {state.workflow} is not durable")
    if operator.replay is None:
        raise Refusal(CODE, "The new code cannot be compared with the journal from here")
    mismatch = operator.replay(target, _going_on(kept))
    if mismatch is not None:
        raise Refusal(CODE, f"Revision {target.revision} does not fit: {mismatch}")
    entry = operator.entry(ACTION, of=state.revision, to=target.revision)
    with operator.claimed(state, entry) as claimed:
        moved = replace(claimed, revision=target.revision)
        record = operator.noted(moved)
        record.revision = target.revision
        operator.history.write([], [record])
        if state.status is RunStatus.FAILED:
            operator.replace(replace(moved, status=RunStatus.FAILED, owner=None, due=None))
        else:
            operator.replace(moved)
            operator.write(operator.suspension(moved))
    if state.status is RunStatus.WAITING:
        operator.wake(moved)
    return Outcome(id, ACTION, id, state.status.value)


def _going_on(kept: Kept) -> Kept:
    """An execution as it will go on: what made it fail is done anew, and so may be mended in the
    new code."""
    gone = {
        key
        for failure in decisive(kept.state, kept.entries)
        for key in redone(failure, kept.entries, child=False)
    }
    return Kept(kept.state, [entry for entry in kept.entries if entry.key not in gone])
