"""How long large JSON data is as text, in time that depends on its size in memory alone."""

from __future__ import annotations

from typing import Any, cast

from .values import MAX_TEXT

_OPEN = -1
"""The weight that a container has while its parts are being looked at."""


def shared_weight(value: Any) -> int:
    """See `values.weight`. Looks at every container once, however often it is held; one that holds
    itself weighs more than `MAX_TEXT`.

    Args:
        value: a container.
    """
    weights = {id(value): _OPEN}
    stack = [_Opened(value)]
    while stack:
        opened = stack[-1]
        for inner in opened.inner:
            known = weights.get(id(inner))
            if known == _OPEN:
                return MAX_TEXT + 1
            if known is None:
                weights[id(inner)] = _OPEN
                stack.append(_Opened(inner))
                break
            opened.weight += known
        else:
            stack.pop()
            weights[id(opened.value)] = opened.weight
            if stack:
                stack[-1].weight += opened.weight
    return weights[id(value)]


class _Opened:
    """A container whose parts are being looked at: its weight so far, and the containers in it that
    are left."""

    __slots__ = ("inner", "value", "weight")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.weight = 1
        inner: list[Any] = []
        if isinstance(value, dict):
            held = cast("dict[Any, Any]", value)
            parts = [*held, *held.values()]
        else:
            parts = cast("list[Any]", value)
        for part in parts:
            if isinstance(part, dict | list | tuple | set | frozenset):
                inner.append(part)
            else:
                self.weight += 1 + (len(part) if isinstance(part, str) else 0)
        self.inner = iter(inner)
