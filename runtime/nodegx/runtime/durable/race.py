"""Branches of which the first to arrive wins, the same one whenever the handler runs.

Once one has won, the others write nothing more to the journal: what they have there is what they
had done by then. When the handler runs again they are led through just that, and left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import ContextVar
from typing import Any

Branch = Coroutine[Any, Any, Any]
Decided = Callable[[int], Awaitable[None]]

_entered: ContextVar[tuple[tuple[_Race, int], ...]] = ContextVar("entered", default=())
_retracing: ContextVar[bool] = ContextVar("retracing", default=False)


class _Race:
    __slots__ = ("winner",)

    def __init__(self) -> None:
        self.winner: int | None = None


def is_lost() -> bool:
    """Whether this branch has lost a race that it is in."""
    return any(race.winner not in (None, branch) for race, branch in _entered.get())


def is_retraced() -> bool:
    """Whether this branch lost its race in an earlier pass of the handler."""
    return _retracing.get()


def racing(branches: Sequence[Branch], decided: Decided) -> list[Branch]:
    """The branches of a race.

    Args:
        branches: return False if they stop short of the merge.
        decided: is told which one has won, before that one returns.
    """
    race = _Race()

    async def run(branch: Branch, number: int) -> Any:
        _entered.set((*_entered.get(), (race, number)))
        result = await branch
        if result is False or race.winner is not None:
            return False
        race.winner = number
        await decided(number)
        return result

    return [run(branch, number) for number, branch in enumerate(branches)]


async def retrace(branch: Branch) -> None:
    """Leads a branch that lost through what it had done."""

    async def run() -> None:
        _retracing.set(True)
        await branch

    try:
        await asyncio.create_task(run())
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
    except Exception:  # noqa: S110 - a failure of a branch that lost does not count
        pass
