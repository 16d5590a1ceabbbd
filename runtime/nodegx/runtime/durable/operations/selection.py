"""Which executions an operation is about, where there are many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import RunQuery, RunStore

from .failures import error_of

PAGE = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """Which unfinished and failed executions; every condition that is given must hold.

    Args:
        workflow: full name.
        statuses: any of these; none means any.
        since: started at or after, in seconds since the epoch.
        until: started before.
        error_code: failed with that code, such as `http.status`.
        ids: one of these; None means any.
        parent: called by that execution.
    """

    workflow: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    since: float | None = None
    until: float | None = None
    error_code: str | None = None
    ids: tuple[str, ...] | None = None
    parent: str | None = None


class Chosen(NamedTuple):
    """An execution that was selected, by what is shown of it before it is operated on."""

    id: str
    workflow: str
    status: RunStatus
    started: float
    error: str


def find(
    runs: RunStore, wanted: Filter, *, limit: int, after: str | None = None
) -> tuple[list[RunState], str | None]:
    """Executions in the order of their ids.

    Args:
        runs: where to look.
        wanted: which ones.
        limit: how many at most.
        after: where the part before ended.

    Returns:
        Executions, and where they end; None if there are no more.
    """
    found: list[RunState] = []
    for state in _matching(runs, wanted, after):
        if len(found) == limit:
            return found, found[-1].id
        found.append(state)
    return found, None


def select(runs: RunStore, wanted: Filter, *, limit: int | None = None) -> list[Chosen]:
    """All executions of a filter, or the first `limit` of them, in the order of their ids."""
    chosen: list[Chosen] = []
    for state in _matching(runs, wanted, None):
        if len(chosen) == limit:
            break
        message = str(error_of(state).get("message") or "")
        chosen.append(Chosen(state.id, state.workflow, state.status, state.started, message))
    return chosen


def _matching(runs: RunStore, wanted: Filter, after: str | None) -> Iterator[RunState]:
    for ids in _parts(wanted.ids):
        query = RunQuery(
            wanted.workflow, wanted.statuses, wanted.since, wanted.until, ids, wanted.parent
        )
        place = after
        while page := runs.list(query, limit=PAGE, after=place):
            place = page[-1].id
            for state in page:
                code = wanted.error_code
                if code is None or error_of(state).get("code") == code:
                    yield state


def _parts(ids: Sequence[str] | None) -> Iterator[tuple[str, ...]]:
    """Ids in ascending order, not too many for one query; nothing if there are none to ask for."""
    if ids is None:
        yield ()
        return
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), PAGE):
        yield tuple(ordered[start : start + PAGE])
