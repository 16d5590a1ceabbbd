"""Structured concurrency: no task outlives the construct that started it.

`asyncio.TaskGroup` wraps errors into groups and cannot say which branch arrived first; workflows
need the first plain error, and branches that stop short of a merge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from .errors import FatalError

T = TypeVar("T")
Branch = Coroutine[Any, Any, Any]


async def join_all(branches: Sequence[Branch]) -> bool:
    """Runs branches concurrently until all have ended. The first error cancels the others and
    propagates.

    Returns:
        Whether at least one branch arrived: a branch that stops short returns False.
    """
    if not branches:
        return False
    async with _Tasks(branches) as tasks:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        _raise_first(tasks)
        return any(task.result() is not False for task in tasks)


async def join_any(
    branches: Sequence[Branch], failed: Callable[[Exception], object] | None = None
) -> bool:
    """Runs branches concurrently until the first arrives; then the others are cancelled.

    A failed branch counts only if none arrives: then the last error propagates. What is not an
    `Exception`, such as the end of the whole run, propagates at once.

    Args:
        branches: the branches.
        failed: is told of every error, also of those that do not count.
    """
    async with _Tasks(branches) as tasks:
        waiting = set(tasks)
        last: BaseException | None = None
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in (task for task in tasks if task in done):
                error = _error_of(task)
                if error is None:
                    if task.result() is not False:
                        return True
                elif isinstance(error, Exception):
                    last = error
                    if failed is not None:
                        failed(error)
                else:
                    raise error
        if last is not None:
            raise last
        return False


async def each(
    items: Sequence[T],
    body: Callable[[T, int], Awaitable[None]],
    concurrency: int,
    around: Callable[[Branch], Branch] = lambda worker: worker,
) -> None:
    """Calls `body(item, index)` for every item, at most `concurrency` at a time. The first error
    cancels the calls under way and propagates.

    Args:
        items: the items.
        body: what to call.
        concurrency: workers that take one item after the other, where there are several of both.
        around: is given each worker, and returns what runs in its place.
    """
    numbered = enumerate(items)
    if concurrency <= 1 or len(items) <= 1:
        for index, item in numbered:
            await body(item, index)
        return

    async def work(remaining: Iterator[tuple[int, T]]) -> None:
        for index, item in remaining:
            await body(item, index)

    workers = [around(work(numbered)) for _ in range(min(concurrency, len(items)))]
    async with _Tasks(workers) as tasks:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        _raise_first(tasks)


class _Tasks:
    """Coroutines as tasks for the time of an `async with`; leaving it cancels those that still
    run and waits until they have ended."""

    __slots__ = ("tasks",)

    def __init__(self, coroutines: Sequence[Branch]) -> None:
        self.tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]

    async def __aenter__(self) -> list[asyncio.Task[Any]]:
        return self.tasks

    async def __aexit__(self, *_: object) -> None:
        running = [task for task in self.tasks if not task.done()]
        interrupted = False
        while running:
            for task in running:
                task.cancel()
            try:
                await asyncio.wait(running)
            except asyncio.CancelledError:
                interrupted = True
            running = [task for task in running if not task.done()]
        for task in self.tasks:
            _error_of(task)  # marks it as seen
        if interrupted:
            raise asyncio.CancelledError


def _error_of(task: asyncio.Task[Any]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def _raise_first(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Raises the most telling error of those that have ended: the end of the run before failures,
    failures before cancellations."""
    errors = [error for task in tasks if task.done() and (error := _error_of(task)) is not None]
    if errors:
        raise min(errors, key=_weight)


def _weight(error: BaseException) -> int:
    if isinstance(error, asyncio.CancelledError):
        return 2
    return 1 if isinstance(error, Exception) else 0


def count(value: Any, name: str) -> int:
    """A whole number of at least 1, such as a loop's concurrency.

    Raises:
        FatalError: code `forEach.count`; it is none.
    """
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise FatalError(
            f"`{name}` must be a whole number of at least 1, not {value!r}", code="forEach.count"
        )
    return number


def elements(items: Any, batch_size: Any) -> list[Any]:
    """What the iterations of a loop over `items` get: single items, or lists of `batch_size`.

    Raises:
        FatalError: code `forEach.items`, `items` is no list; or as `count`.
    """
    if items is None:
        return []
    if not isinstance(items, (list, tuple)):
        from .messages import describe_type

        kind = describe_type(items)
        raise FatalError(f"`items` must be a list, not {kind}", code="forEach.items")
    found: list[Any] = list(items)  # pyright: ignore[reportUnknownArgumentType]
    if batch_size is None:
        return found
    size = count(batch_size, "batchSize")
    return [found[start : start + size] for start in range(0, len(found), size)]
