"""Executions that the store takes for this host's, and that this host knows nothing of: because the
store did what it was asked and could not say so."""

from __future__ import annotations

from time import time

from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import RunQuery, RunStore

MOMENT = 1.0
"""Seconds until something that failed is tried again."""

_PAGE = 500


def owned(store: RunStore) -> dict[str, RunState]:
    """What the store takes for this host's, by id."""
    found: dict[str, RunState] = {}
    after: str | None = None
    query = RunQuery(statuses=(RunStatus.RUNNING,))
    while page := store.list(query, limit=_PAGE, after=after):
        found.update({state.id: state for state in page if state.owner == store.host})
        after = page[-1].id
    return found


def let_go(store: RunStore, state: RunState) -> None:
    """Leaves an execution to whoever claims it, in a moment; if it is still this host's."""
    kept = store.load(state.id)
    if kept is not None and kept.state.fence == state.fence:
        again = kept.state
        again.status, again.owner, again.due = RunStatus.WAITING, None, time() + MOMENT
        store.update(again)
