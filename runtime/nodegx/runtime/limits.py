"""Admission of a limited number of executions at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque


class Gate:
    """Lets at most `limit` executions in; the others wait in the order they came.

    Unlike `asyncio.Semaphore` it belongs to no event loop, because a workflow outlives loops.
    `limit` None admits everybody.
    """

    __slots__ = ("_waiting", "active", "limit")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.active = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait to be let in."""
        return len(self._waiting)

    async def enter(self) -> None:
        """Returns once there is room; pair it with `leave`."""
        if self.limit is None or (self.active < self.limit and not self._waiting):
            self.active += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()  # admitted and cancelled at the same moment
            else:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(place)
            raise

    def leave(self) -> None:
        """Gives the place to the next in line."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self.active -= 1
