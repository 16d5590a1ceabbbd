"""What became of an execution whose process has died."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from nodegx.runtime.history.record import Status

if TYPE_CHECKING:
    from nodegx.runtime.durable.store import RunStore
    from nodegx.runtime.history.store import HistoryStore


class Fate(Enum):
    """Whether its key is free again."""

    GOES_ON = "goes on"  # another process goes on with it
    DONE = "done"  # it has succeeded; only its answer is lost
    DEAD = "dead"  # it has failed, or never ended


FindFate = Callable[[str], Fate]
"""Tells it of an execution by its id. Blocks."""


def fates(history: HistoryStore | None, runs: RunStore | None = None) -> FindFate:
    """Asks the stores; what neither knows is dead."""

    def find(execution: str) -> Fate:
        kept = runs.load(execution) if runs is not None else None
        if kept is not None:
            return Fate.DEAD if kept.state.status == "failed" else Fate.GOES_ON
        record = history.get(execution) if history is not None else None
        return Fate.DONE if record is not None and record.status is Status.SUCCESS else Fate.DEAD

    return find
