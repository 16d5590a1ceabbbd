"""What every store of unfinished executions can do.

Stores are synchronous and safe to use from several threads. Several hosts may share one; which of
them has an execution is decided by one conditional write: each claim raises the execution's
`fence`, and whatever an owner writes names the fence it claimed and is refused once that has
changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from .state import Entry, RunState, RunStatus, Wait


class Append(NamedTuple):
    """Entries that an owner adds to a journal. One whose key is there already replaces it, unless
    that is an answer."""

    id: str
    fence: int
    entries: Sequence[Entry]


class Suspend(NamedTuple):
    """An owner lets go of an execution until a wait is over. An answer that has come meanwhile
    makes it due at once."""

    id: str
    fence: int
    waits: tuple[Wait, ...]
    entries: Sequence[Entry] = ()
    replied: bool = False
    due: float | None = None
    """When to go on at the latest; None finds it in the waits."""


class Fail(NamedTuple):
    """An owner gives an execution up; it becomes a dead letter."""

    id: str
    fence: int
    error: str
    entries: Sequence[Entry] = ()


class Finish(NamedTuple):
    """An owner is done with an execution; nothing of it stays."""

    id: str
    fence: int


Change = Append | Suspend | Fail | Finish


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which executions to list; every condition that is given must hold. Times are in seconds
    since the epoch and mean `started`."""

    workflow: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    since: float | None = None
    until: float | None = None
    ids: tuple[str, ...] = ()
    parent: str | None = None


class Fire(NamedTuple):
    """A moment of a schedule, for which one host alone starts `run`."""

    schedule: str
    moment: float
    run: RunState


@dataclass(frozen=True, slots=True)
class Kept:
    """An execution with its journal, in the order in which that was written."""

    state: RunState
    entries: list[Entry] = field(default_factory=list[Entry])


class RunStore(Protocol):
    """A place that keeps unfinished executions."""

    host: str
    """Name under which this process claims executions."""

    def beat(self, seconds: float) -> None:
        """This host lives: what it has is its own for so many seconds more.

        Raises:
            StoreUnavailable: trying again later may help. So may every other method.
        """
        ...

    def leave(self) -> None:
        """This host ends in good order: what it still has may be claimed at once. Whatever it
        does afterwards, it does under another name."""
        ...

    def create(self, runs: Sequence[RunState]) -> list[bool]:
        """Keeps new executions; with `owner` set they are this host's. False for one that is
        there already, which stays as it is."""
        ...

    def fire(self, moments: Sequence[Fire]) -> list[bool]:
        """Keeps the executions of moments that no host has fired before, both in one
        transaction. False for those that one has."""
        ...

    def change(self, changes: Sequence[Change]) -> list[bool]:
        """Makes changes, all in one transaction where the store has them. False for each whose
        fence is not the execution's any more, or that is gone: nothing was changed then."""
        ...

    def claim(self, limit: int, *, now: float) -> list[RunState]:
        """Takes executions that may go on: queued (oldest first), due, or left by dead hosts.
        They are this host's, running, when this returns."""
        ...

    def claim_one(
        self, id: str, *, statuses: Sequence[RunStatus], audit: dict[str, object] | None = None
    ) -> RunState | None:
        """Takes one execution, due or not, if it has one of these statuses (one that runs is
        taken from a dead host only), and adds to its audit. None if that is not possible."""
        ...

    def next_due(self) -> float | None:
        """When the next execution wants to go on, in seconds since the epoch; None if none
        does."""
        ...

    def load(self, id: str) -> Kept | None:
        """An execution with its journal."""
        ...

    def answer(self, id: str, key: str, value: str) -> bool:
        """Keeps the answer to a wait, before or after that has begun, and makes the execution due
        if it waits for it. False if it has one already, or the execution is gone."""
        ...

    def update(self, state: RunState, *, drop: Sequence[str] = ()) -> bool:
        """Replaces an execution that this host has claimed by a state with the same fence, and
        drops entries of its journal by key. With `owner` None it lets go of it. False if it has
        another owner now."""
        ...

    def request_cancel(self, id: str, reason: str, audit: dict[str, object]) -> bool:
        """Asks the owner of a running execution to cancel it. False if none runs by that id."""
        ...

    def cancels(self) -> list[RunState]:
        """This host's executions that somebody wants cancelled."""
        ...

    def list(
        self, query: RunQuery, *, limit: int = 100, after: str | None = None
    ) -> list[RunState]:
        """Executions ordered by id, ascending; those after the id `after`."""
        ...

    def counts(self) -> dict[RunStatus, int]:
        """How many executions there are of each status."""
        ...

    def revisions(self) -> set[tuple[str, str]]:
        """Workflow and revision of all executions there are."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Removes executions with their journals, whoever has them. Returns how many."""
        ...

    def prune(self, before: float) -> int:
        """Removes what failed, and remembered moments of schedules, from before a time. Returns
        how many executions these were."""
        ...

    def close(self) -> None:
        """Lets go of files and connections, after `leave`. Closing twice is harmless."""
        ...
