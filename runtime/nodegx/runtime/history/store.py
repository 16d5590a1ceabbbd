"""What every store of execution histories can do.

Stores are synchronous and safe to use from several threads: writing happens on one background
thread (`writer`), reading wherever a host likes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from nodegx.runtime.errors import StoreUnavailable as StoreUnavailable

from .metrics import HourlyMetrics
from .record import ExecutionRecord, Status

INTERRUPTED_ERROR = json.dumps(
    {
        "message": "The process that ran it has ended",
        "code": "interrupted",
        "category": "retriable",
        "node": None,
        "attempts": 1,
        "details": None,
    },
    separators=(",", ":"),
)
"""The error of an execution whose process has died, as JSON text."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which executions to list; every condition that is given must hold.

    Args:
        workflow: full name.
        statuses: any of these.
        since: started at or after, in seconds since the epoch.
        until: started before.
        parent: called by that execution.
        text: occurs, regardless of the case of ASCII letters, in the id, the workflow's name, or
            the JSON text of the input, the output or the error.
    """

    workflow: str | None = None
    statuses: tuple[Status, ...] = ()
    since: float | None = None
    until: float | None = None
    parent: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some executions, the latest first, without steps, inputs and outputs. `cursor` continues the list; None
    at its end."""

    records: list[ExecutionRecord]
    cursor: str | None


class HistoryStore(Protocol):
    """A place that keeps executions."""

    host: str
    """Name under which this process's executions are recorded."""

    def write(
        self,
        started: Sequence[ExecutionRecord],
        finished: Sequence[ExecutionRecord],
        *,
        synced: bool = False,
    ) -> None:
        """Keeps starts and ends, all of them or, raising, none. Writing the same again changes
        nothing.

        Args:
            started: executions that begin; those that are there already stay as they are, unless
                they were queued.
            finished: executions as they are now, which replaces what was kept of them. Those
                that have ended count in the metrics, unless they had ended before. In a SQL
                database, one with a lower fence than was kept changes nothing.
            synced: whether all of this must outlive a loss of power.

        Raises:
            StoreUnavailable: trying again later may help.
        """
        ...

    def get(self, id: str) -> ExecutionRecord | None:
        """One execution with its steps, or None."""
        ...

    def list(self, query: Query, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Executions, the latest first.

        Args:
            query: which ones.
            limit: how many at most.
            cursor: that of the page before.

        Raises:
            ValueError: the cursor is none of this store's.
        """
        ...

    def export(self, query: Query) -> Iterator[ExecutionRecord]:
        """All executions of a query with their steps, the latest first, however many."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Removes executions. Returns how many there were."""
        ...

    def prune(self, before: float, *, workflow: str | None = None) -> int:
        """Removes executions that ended before a time, of one workflow or of all. Those that run,
        wait or are queued stay. Returns how many there were."""
        ...

    def running_hosts(self) -> list[str]:
        """Hosts of the executions that are recorded as running, but for durable ones."""
        ...

    def mark_interrupted(self, host: str) -> int:
        """The process `host` is dead: what it left running becomes `interrupted`, and counts as
        an error in the metrics. Durable executions stay as they are, as another host goes on with
        them. Returns how many these were."""
        ...

    def metrics(
        self, *, workflow: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[HourlyMetrics]:
        """Metrics per workflow and hour, ascending by hour, then workflow; of hours that begin at
        or after `since` and before `until`."""
        ...

    def close(self) -> None:
        """Lets go of files and connections. Closing twice is harmless."""
        ...


def ascii_text(text: str) -> str:
    """A text to search for, as it is written in the JSON that records hold, which is ASCII."""
    return "".join([c if c.isascii() else json.dumps(c)[1:-1] for c in text])


def encode_cursor(started: float, id: str) -> str:
    """The cursor that continues a list after this execution."""
    return base64.urlsafe_b64encode(json.dumps([started, id]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[float, str]:
    """What `encode_cursor` made a cursor of.

    Raises:
        ValueError: it did not.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        started, id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return float(started), str(id)
    except (ValueError, TypeError) as error:
        raise ValueError(f"not a cursor: {cursor[:80]!r}") from error
