"""Discard: a dead letter is resolved without running it again."""

from __future__ import annotations

from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import Finish

from .operator import STATE, Operator, Outcome, Refusal


def discard(operator: Operator, id: str, *, reason: str | None = None) -> Outcome:
    """Removes an execution from the dead letters. Its history stays.

    Args:
        operator: who does it, and where.
        id: the failed execution.
        reason: why, to be noted down.

    Raises:
        Refusal: it is none, or somebody else has it.
    """
    state = operator.unfinished(id, "be discarded").state
    if state.status is not RunStatus.FAILED:
        raise Refusal(STATE, f"It is {state.status}, not failed; cancel it to end it")
    with operator.claimed(state, operator.entry("discard", reason=reason)) as claimed:
        record = operator.noted(claimed)
        operator.history.write([], [record])
        operator.write(Finish(id, claimed.fence))
    return Outcome(id, "discard", id, record.status.value)
