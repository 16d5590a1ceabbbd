"""How an execution leaves its process: what unwinds the handler, and who decides when.

An execution suspends when none of its branches can go on: all are parked in waits. Branches of a
merge or of a concurrent loop are counted as they start and end, so that this is known at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from time import time
from types import TracebackType
from typing import Any

from nodegx.runtime.history.record import Status

from .state import Wait
from .tokens import answer_key


class Unwound(BaseException):
    """The handler is left in the middle. A BaseException, so that no handler's `except Exception`
    mistakes it for a failure."""


class Suspended(Unwound):
    """The execution waits, and goes on in another process or later in this one."""

    status = Status.WAITING
    """What becomes of the steps that are left."""


class Lost(Unwound):
    """Another host has the execution now; this one must not touch it any more."""


class Mismatch(Unwound):
    """The handler does not do what its journal says it did. The message names both."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Parking:
    """Where the branches of one execution wait.

    Args:
        hold: seconds that a wait may last and still stay in memory.
        repeats: whether the handler first repeats what an earlier pass has done.
        moved: called whenever all branches have parked (True), or one goes on again (False).

    Attributes:
        waits: what parked branches wait for, by key.
        suspended: whether the execution is being suspended. Whoever parks or takes a step now is
            sent away with `Suspended`.
    """

    def __init__(
        self,
        hold: float,
        *,
        repeats: bool = False,
        moved: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.waits: dict[str, Wait] = {}
        self.suspended = False
        self._hold = hold
        self._moved = moved
        self._yielding = False
        self._repeats = repeats
        self._ahead: list[asyncio.Future[None]] = []
        self._active = 1
        self._places: dict[str, asyncio.Future[Any]] = {}

    async def park(self, wait: Wait) -> Any:
        """Waits, in memory or by suspension.

        Returns:
            What `deliver` brought, or None if the wait's time has come.

        Raises:
            Suspended: the execution leaves its process meanwhile.
        """
        if self.suspended:
            raise Suspended
        if wait.due is not None and wait.due <= time():
            return None
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Any] = loop.create_future()
        timer: asyncio.TimerHandle | None = None
        if wait.due is not None:
            timer = loop.call_later(wait.due - time(), _settle, place)
        self._places[wait.key] = place
        self.waits[wait.key] = wait
        self._active -= 1
        self.settle()
        try:
            return await place
        finally:
            if self._active == 0:
                self._moved(False)
            self._active += 1
            del self._places[wait.key]
            if not self.suspended:
                del self.waits[wait.key]
            if timer is not None:
                timer.cancel()
            if place.done() and not place.cancelled():
                place.exception()  # seen, even if this branch was cancelled first

    async def gate(self, key: str) -> None:
        """To be passed before each step.

        Raises:
            Suspended: the execution leaves its process.
        """
        if self.suspended:
            raise Suspended
        if self._yielding:
            await self.park(Wait(answer_key(key), "yield"))

    async def catch_up(self) -> None:
        """To be passed before each step that no earlier pass has done: lets the other branches
        repeat all they did before anything new happens, as it did happen before."""
        if not self._repeats:
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ahead.append(place)
        self._active -= 1
        self.settle()
        try:
            if place.done():  # the last to come goes last
                await asyncio.sleep(0)
            await place
        except BaseException:
            if place in self._ahead:
                self._ahead.remove(place)
                self._active += 1
            raise

    def yield_soon(self) -> None:
        """Suspends the execution once each of its branches has ended the step it is in."""
        self._yielding = True

    def deliver(self, key: str, value: Any) -> bool:
        """Ends a wait that is parked in memory. False if there is none of that key."""
        place = self._places.get(key)
        if place is None or place.done():
            return False
        place.set_result(value)
        return True

    def settle(self) -> None:
        """Lets the branches go on that are ahead of the others, if all have come that far;
        suspends the execution if all its branches wait, and longer than is worth staying."""
        if self._active > 0:
            return
        if self._ahead:
            self._repeats = False
            self._active += len(self._ahead)
            for place in self._ahead:
                place.set_result(None)
            self._ahead.clear()
            return
        if not self._places or self.suspended:
            return
        if any(place.done() for place in self._places.values()):
            return  # one goes on at once
        ends = [wait.due for wait in self.waits.values() if wait.due is not None]
        if self._yielding or not ends or min(ends) - time() > self._hold:
            self.suspended = True
            for place in self._places.values():
                place.set_exception(Suspended())
        else:
            self._moved(True)

    def fork(self, branches: int, *, first_wins: bool = False) -> Fork:
        """Counts concurrent branches for the time of a `with`.

        Args:
            branches: how many; at least one.
            first_wins: whether the first to arrive ends the fork.
        """
        return Fork(self, branches, first_wins)

    def count(self, change: int) -> None:
        """So many more branches are active."""
        self._active += change
        if change < 0:
            self.settle()


class Fork:
    """Concurrent branches; `run` each of them, within the `with`.

    The branch that decides what comes after the fork keeps its place for that, so that there is
    never a moment at which the execution seems to be quiet though it is about to go on.
    """

    __slots__ = ("_counted", "_decided", "_first_wins", "_left", "_parking")

    def __init__(self, parking: Parking, branches: int, first_wins: bool) -> None:
        self._parking = parking
        self._left = branches
        self._counted = branches
        self._first_wins = first_wins
        self._decided = False

    def __enter__(self) -> Fork:
        self._parking.count(self._counted - 1)  # the branch that forks becomes one of them
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._parking.count(1 - self._counted)  # those that never began, too

    async def run(self, branch: Coroutine[Any, Any, Any]) -> Any:
        """Runs one of the branches."""
        decides = True  # whatever is raised ends the fork, unless the first to arrive wins
        try:
            result = await branch
            decides = self._first_wins and result is not False
            return result
        except Exception:
            decides = not self._first_wins
            raise
        finally:
            self._left -= 1
            if (decides or self._left == 0) and not self._decided:
                self._decided = True
            else:
                self._counted -= 1
                self._parking.count(-1)

    def all(self, branches: Sequence[Coroutine[Any, Any, Any]]) -> list[Coroutine[Any, Any, Any]]:
        """The branches, counted, to be awaited in place of those given."""
        return [self.run(branch) for branch in branches]


def _settle(place: asyncio.Future[Any]) -> None:
    if not place.done():
        place.set_result(None)
