"""Limits of expressions, and the counters of loops inside loops.

Expressions run on data from outside. What they build is limited where a short expression could
turn modest data into more than the process can hold or compute.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeGuard, TypeVar

from nodegx.runtime import values
from nodegx.runtime.errors import FatalError

_Items = TypeVar("_Items")
_Sized = TypeVar("_Sized", bound=Collection[Any])

MAX_SIZE = values.MAX_TEXT
"""Characters of a text, or elements of an array, that one function may build."""
MAX_STEPS = 10_000_000
"""Steps of all loops inside one outermost loop."""
_CHARACTERS_A_STEP = 50
MAX_RANGE = 100_000
"""Elements of a range."""
MAX_BITS = 14_000
"""Bits of an integer; more digits than Python converts to text (4,300) are of no use."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[Collection[Any]]:
    """Whether a value is an array, or what expressions may have in its place."""
    return isinstance(value, list | tuple | set | frozenset)


def is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether a value is an array with an order."""
    return isinstance(value, list | tuple)


def too_large(what: str, hint: str = "") -> FatalError:
    """The error for a result beyond its limit."""
    return FatalError(what, code="expression.limit", details={"hint": hint} if hint else None)


def wrong(message: str) -> FatalError:
    """The error for a value that a function cannot work with."""
    return FatalError(message, code="expression.value")


def check_size(size: int) -> None:
    """Refuses to build a text or an array of more than `MAX_SIZE`."""
    if size > MAX_SIZE:
        raise too_large(f"the result would have {size:,} characters or elements")


class _Budget(threading.local):
    """Expressions never wait, so on one thread only one of them is inside a loop."""

    steps: int = MAX_STEPS
    size: int = MAX_SIZE


_budget = _Budget()


def loop(items: _Items) -> _Items:
    """The source of an outermost loop: starts counting anew."""
    _budget.steps = MAX_STEPS
    _budget.size = MAX_SIZE
    return items


def nested(items: _Sized) -> _Sized:
    """The source of a loop inside a loop: its steps are counted."""
    _spend(len(items) + 1)
    return items


def scanned(value: _Items) -> _Items:
    """A value that is looked through in every step of a loop: its length is counted."""
    _spend(_length(value) + 1)
    return value


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // _CHARACTERS_A_STEP
    return len(value) if is_sequence(value) else 0


def _spend(steps: int) -> None:
    _budget.steps -= steps
    if _budget.steps < 0:
        raise too_large(f"loops inside loops took more than {MAX_STEPS:,} steps")


def counted(value: _Sized) -> _Sized:
    """A text or array that was built inside a loop: its size is counted."""
    _budget.size -= len(value)
    if _budget.size < 0:
        raise too_large(f"a loop built more than {MAX_SIZE:,} characters or elements")
    return value


def weighed(items: Iterable[Any]) -> Iterator[Any]:
    """The same values. All of them together may not be longer than `MAX_SIZE` as JSON."""
    weight = 0
    for value in items:
        if is_object(value) or is_array(value):
            weight = weigh(value, weight)
        yield value


def weigh(value: Any, weight: int = 0) -> int:
    """Refuses JSON that is longer than `MAX_SIZE` when written out, however often it shares parts
    of itself in memory.

    Args:
        value: JSON.
        weight: the weight of what was looked at before.

    Returns:
        The weight of everything so far, in characters.
    """
    weight = values.weight(value, weight)
    if weight > MAX_SIZE:
        raise too_large(f"the JSON would have more than {MAX_SIZE:,} characters")
    return weight
