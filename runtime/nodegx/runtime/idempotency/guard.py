"""Who may start a workflow with a key, and what repeats get."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from nodegx.runtime import logs
from nodegx.runtime.errors import NodegxError, StoreUnavailable
from nodegx.runtime.ids import new_id

from .fate import Fate
from .store import Claim, Held, Release, Settlement

if TYPE_CHECKING:
    from nodegx.runtime.workflow import Workflow

    from .fate import FindFate
    from .settings import Settings
    from .writer import Keys

T = TypeVar("T")

PATIENCE = 300.0
"""Seconds that a repeat waits at most where the workflow has no time limit."""

MARGIN = 10.0
"""Seconds beyond a workflow's time limit until it has surely answered."""

_FIRST_LOOK = 0.05  # seconds until another process's execution is looked after again
_LAST_LOOK = 1.0
_ATTEMPTS = 6  # to settle or to release, over some 6 seconds


def patient(workflow: Workflow) -> float:
    """Seconds within which a workflow has surely answered."""
    timeout = workflow.settings.timeout
    return PATIENCE if timeout is None else timeout + MARGIN


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that somebody wants to start a workflow with.

    Args:
        workflow: what is to be started.
        key: the key, as `keys.place` gives it.
        fingerprint: that of the request; empty where that does not matter.
        settings: those of the trigger.
        lost: what to settle a key with whose execution another process goes on with.
        id: the id that the execution is to have; None makes a new one.
    """

    workflow: Workflow
    key: str
    fingerprint: str
    settings: Settings
    lost: Callable[[str], bytes | None]
    id: str | None = None


class Guard:
    """Gives keys to executions.

    Args:
        keys: where they are remembered.
        find_fate: what became of executions whose process has died; None takes them for dead.
        end: when what begins now has surely ended, in seconds since the epoch; None where only
            the end of its process tells.
        patience: seconds that a repeat waits at most for a workflow's answer.
        log: where losses are reported.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        find_fate: FindFate | None = None,
        end: Callable[[], float | None] = lambda: None,
        patience: Callable[[Workflow], float] | None = None,
        log: logs.Log | None = None,
    ) -> None:
        self.limit = keys.limit
        self._keys = keys
        self._find_fate = find_fate
        self._end = end
        self.patience = patience or patient
        self._log = log or logs.default
        self._tasks: set[asyncio.Task[Any]] = set()
        self._leaving = asyncio.Event()

    async def take(self, wanted: Wanted) -> tuple[str, Held | None]:
        """Claims a key.

        Returns:
            The id that the execution is to have, and None; or who has the key.

        Raises:
            StoreUnavailable: nobody knows who has it.
        """
        execution = wanted.id or new_id()
        dead: str | None = None
        while True:
            held = await self._claim(wanted, execution, dead)
            if held is not None and held.execution == execution and not held.done:
                return execution, None  # it has begun before
            if held is None or not held.dead:
                return execution, held
            held = await self._inherited(wanted, held)
            if held.done:
                return execution, held
            dead = held.execution

    async def wait(self, wanted: Wanted, held: Held) -> tuple[str, Held | None]:
        """As `take`, but waits while another execution that has the key is under way. When that
        takes too long, it is still under way."""
        limit = time() + self.patience(wanted.workflow)
        pause = _FIRST_LOOK
        taken: tuple[str, Held | None] = ("", held)
        while (found := taken[1]) is not None and not found.done and time() < limit:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), pause)
                break
            pause = min(2 * pause, _LAST_LOOK)
            looked = await self._keys.find(wanted.key)
            if looked is None or looked.done or looked.dead:
                taken = await self.take(wanted)
        return taken

    async def settle(self, key: str, execution: str, answer: bytes | None) -> None:
        """Keeps an answer. If that cannot be done, the key stays with the execution: repeats are
        refused rather than run."""
        settlement = Settlement(key, execution, answer)
        if await self._persistently(lambda: self._keys.settle(settlement), execution) is False:
            self._report(execution, "its idempotency key belongs to another execution by now")

    async def release(self, key: str, execution: str) -> None:
        """Forgets a key, as its execution has failed."""
        release = Release(key, execution)
        await self._persistently(lambda: self._keys.release(release), execution)

    def aside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Does something that no caller's hanging up may end."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._settled)
        return task

    def stop_waiting(self) -> None:
        """No repeat waits any more for what another process has under way."""
        self._leaving.set()

    async def drain(self) -> None:
        """Waits for everything that goes on aside."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _settled(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it gets it, and perhaps nobody does any more

    async def _claim(self, wanted: Wanted, execution: str, dead: str | None) -> Held | None:
        expires = time() + wanted.settings.window
        claim = Claim(wanted.key, execution, wanted.fingerprint, expires, self._end(), dead)
        try:
            return await self._keys.claim(claim)
        except BaseException:
            # It may have been written nevertheless, and nobody would ever settle it.
            self.aside(self.release(wanted.key, execution))
            raise

    async def _inherited(self, wanted: Wanted, held: Held) -> Held:
        """A key whose execution's process has died, settled if that execution is not dead."""
        if self._find_fate is None:
            return held
        fate = await self._find_fate(held.execution)
        if fate is Fate.DEAD:
            return held
        answer = wanted.lost(held.execution) if fate is Fate.GOES_ON else None
        await self.settle(wanted.key, held.execution, answer)
        return held._replace(done=True, answer=answer, dead=False)

    async def _persistently(
        self, write: Callable[[], Awaitable[bool]], execution: str
    ) -> bool | None:
        """Awaits a write, again while the store is unavailable; None if it was given up."""
        pause = 0.2
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await write()
            except StoreUnavailable as error:
                if attempt == _ATTEMPTS:
                    self._report(execution, f"its idempotency key was not written: {error}")
                else:
                    await asyncio.sleep(pause)
                    pause *= 2
            except NodegxError as error:
                self._report(execution, f"its idempotency key was not written: {error}")
                break
        return None

    def _report(self, execution: str, message: str) -> None:
        self._log.write("error", message, execution=execution)
