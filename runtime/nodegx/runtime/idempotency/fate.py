"""What became of an execution whose process has died."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from nodegx.runtime.history.record import GOING_ON, Status

if TYPE_CHECKING:
    from nodegx.runtime.durable.store import RunStore
    from nodegx.runtime.history.store import HistoryStore


class Fate(Enum):
    """Whether its key is free again."""

    GOES_ON = "goes on"  # another process goes on with it
    DONE = "done"  # it has succeeded; only its answer is lost
    DEAD = "dead"  # it has failed, or never ended


FindFate = Callable[[str], Awaitable[Fate]]
"""Tells it of an execution by its id."""

_BY_STATUS = {
    Status.SUCCESS.value: Fate.DONE,
    **{status.value: Fate.GOES_ON for status in GOING_ON},
}


def fate_of(status: str | None) -> Fate:
    """The fate of a durable execution by its status; None where nobody knows of it."""
    return _BY_STATUS.get(status or "", Fate.DEAD)


def fates(history: HistoryStore | None, runs: RunStore | None = None) -> FindFate:
    """Asks the stores; what neither knows is dead."""

    def find(execution: str) -> Fate:
        kept = runs.load(execution) if runs is not None else None
        if kept is not None:
            return Fate.DEAD if kept.state.status == "failed" else Fate.GOES_ON
        record = history.get(execution) if history is not None else None
        return Fate.DONE if record is not None and record.status is Status.SUCCESS else Fate.DEAD

    return partial(asyncio.to_thread, find)
