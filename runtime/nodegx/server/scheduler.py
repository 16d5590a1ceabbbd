"""Fires schedules: a heap of due moments and one timer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import NamedTuple, cast

from nodegx.runtime.triggers.timetable import Timetable

log = logging.getLogger("nodegx.scheduler")

GRACE = 10.0  # seconds: a tick that is later than this was missed
LONGEST_SLEEP = 30.0  # seconds: how soon a changed clock or a resumed laptop is noticed
SAVE_DELAY = 1.0  # seconds


class Schedule(NamedTuple):
    """A trigger that fires by the clock. Two that are equal keep their place over a reload."""

    workflow: str
    node: str
    table: Timetable
    catch_up: bool = False

    @property
    def key(self) -> str:
        """Its name in the saved state."""
        return f"{self.workflow}#{self.node}"


@dataclass(order=True, slots=True)
class _Due:
    moment: datetime
    order: int
    schedule: Schedule = field(compare=False)


Fire = Callable[[Schedule, datetime, datetime], None]


def _now() -> datetime:
    return datetime.now(UTC)


class Scheduler:
    """Calls `fire(schedule, scheduled, now)` at every due moment.

    A moment that passed unnoticed, because the machine slept or the server was down, is skipped;
    a schedule that catches up fires once for all it missed.

    Args:
        fire: starts the workflow; must not block.
        state: file that remembers when schedules that catch up fired last; None forgets.
        clock: the current time, zone included.
    """

    def __init__(
        self, fire: Fire, state: Path | None = None, clock: Callable[[], datetime] = _now
    ) -> None:
        self._fire = fire
        self._state = state
        self._clock = clock
        self._heap: list[_Due] = []
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.TimerHandle | None = None
        self._last: dict[str, float] = _read(state)
        self._running = False

    @property
    def upcoming(self) -> list[tuple[Schedule, datetime]]:
        """Every schedule with its next moment, soonest first."""
        return [(due.schedule, due.moment) for due in sorted(self._heap)]

    def start(self) -> None:
        """Begins to fire."""
        self._running = True
        self._tick()

    def stop(self) -> None:
        """Fires no more; what it remembers is saved."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._saving is not None:
            self._saving.cancel()
            self._save()

    def replace(self, schedules: Iterable[Schedule]) -> None:
        """Exchanges the schedules. One that stays the same keeps its next moment."""
        now = self._clock()
        kept = {due.schedule: due.moment for due in self._heap}
        heap: list[_Due] = []
        for order, schedule in enumerate(schedules):
            moment = kept.get(schedule) or self._first(schedule, now)
            if moment is not None:
                heap.append(_Due(moment, order, schedule))
        heapify(heap)
        self._heap = heap
        if self._running:
            self._tick()

    def _first(self, schedule: Schedule, now: datetime) -> datetime | None:
        """The next moment, or the one that was missed since the schedule fired last."""
        if schedule.catch_up:
            last = self._last.get(schedule.key)
            if last is None:  # known from now on, so that the next stop can be made up for
                self._remember(schedule, now)
            else:
                missed = schedule.table.latest(datetime.fromtimestamp(last, UTC), now)
                if missed is not None:
                    return missed
        return schedule.table.following(now)

    def _tick(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock()
        while self._heap and self._heap[0].moment <= now:
            due = heappop(self._heap)
            self._due(due.schedule, due.moment, now)
            following = due.schedule.table.following(max(now, due.moment))
            if following is not None:
                heappush(self._heap, _Due(following, due.order, due.schedule))
        if self._heap and self._running:
            delay = (self._heap[0].moment - self._clock()).total_seconds()
            # A timer may fire a little early; the moment must have come by then.
            delay = min(max(delay, 0.0) + 0.001, LONGEST_SLEEP)
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _due(self, schedule: Schedule, moment: datetime, now: datetime) -> None:
        if (now - moment).total_seconds() > GRACE:
            moment = schedule.table.latest(moment, now) or moment
            if not schedule.catch_up and (now - moment).total_seconds() > GRACE:
                log.warning("%s missed its start of %s", schedule.workflow, moment.isoformat())
                return
        if schedule.catch_up:
            self._remember(schedule, moment)
        try:
            self._fire(schedule, moment, now.astimezone(moment.tzinfo))
        except Exception:
            log.exception("%s could not be started", schedule.workflow)

    def _remember(self, schedule: Schedule, moment: datetime) -> None:
        self._last[schedule.key] = moment.timestamp()
        if self._state is not None and self._saving is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                self._save()
            else:
                self._saving = loop.call_later(SAVE_DELAY, self._save)

    def _save(self) -> None:
        self._saving = None
        if self._state is None:
            return
        temporary = self._state.with_suffix(".tmp")
        try:
            self._state.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._last, indent=2, sort_keys=True))
            os.replace(temporary, self._state)
        except OSError as exc:
            log.warning("cannot remember when schedules fired: %s", exc)


def _read(state: Path | None) -> dict[str, float]:
    if state is None:
        return {}
    with contextlib.suppress(OSError, ValueError):
        content: object = json.loads(state.read_text())
        if isinstance(content, dict):
            items = cast("dict[str, object]", content).items()
            return {key: float(at) for key, at in items if isinstance(at, int | float)}
    return {}
