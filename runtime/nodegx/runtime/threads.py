"""Threads for calls that block.

Unlike `concurrent.futures`, whose threads a process must wait for when it exits, these never keep
it alive: a server that hangs does not hold up a shutdown. They are started as they are needed and
end when they have been idle for a while.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_IDLE_SECONDS = 10.0


class Threads:
    """A pool of at most `limit` threads; calls beyond it wait for a free one, first come, first
    served.

    Args:
        name: prefix of the threads' names.
        limit: most threads at a time.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._calls: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._idle = 0
        self._alive = 0
        self._started = 0

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Awaits `function(*args, **kwargs)`, called in a thread with the caller's context.

        When the wait is cancelled, a call that has not begun never will; one that has goes on.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()
        call = partial(context.run, function, *args, **kwargs)
        self._submit(partial(_perform, loop, future, call))
        return await future

    @property
    def alive(self) -> int:
        """How many threads there are."""
        return self._alive

    @property
    def idle(self) -> int:
        """How many of them wait for calls."""
        return self._idle

    def _submit(self, call: Callable[[], None]) -> None:
        with self._changed:
            self._calls.append(call)
            if self._idle >= len(self._calls):
                self._changed.notify()
                return
            if self._alive >= self._limit:
                return
            self._alive += 1
            self._started += 1
            name = f"{self._name}-{self._started}"
        try:
            threading.Thread(target=self._work, name=name, daemon=True).start()
        except RuntimeError:  # the system has no more threads: those there are take the call
            with self._changed:
                self._alive -= 1
                if self._alive == 0:
                    self._calls.remove(call)
                    raise

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._calls:
                    self._idle += 1
                    notified = self._changed.wait(_IDLE_SECONDS)
                    self._idle -= 1
                    if not notified and not self._calls:
                        self._alive -= 1
                        return
                call = self._calls.popleft()
            call()
            del call  # what it holds must not live until the next call


def _perform(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], call: Callable[[], Any]
) -> None:
    if future.cancelled():
        return
    result: Any = None
    error: BaseException | None = None
    try:
        result = call()
    except StopIteration as stop:  # a future cannot hold one
        error = RuntimeError(f"the function raised StopIteration({stop.value!r})")
    except BaseException as raised:
        error = raised
    with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
        loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
