"""How long values are when they are written, which says little about the memory they take: one may
hold another one many times."""

from __future__ import annotations

from typing import Any


class _TooLong(Exception):
    pass


class _Scale:
    """A file that counts what is written to it and keeps nothing.

    Args:
        limit: bytes after which it takes no more.
    """

    __slots__ = ("_left",)

    def __init__(self, limit: int) -> None:
        self._left = limit

    def write(self, content: Any) -> int:
        """Counts."""
        self._left -= len(content)
        if self._left < 0:
            raise _TooLong
        return len(content)


def is_longer(value: Any, limit: int) -> bool:
    """Whether data written out has more than about `limit` bytes, in the time that it takes to
    write that many, at the speed of C.

    Args:
        value: what `marshal` can write, so that nothing of it runs code when it is pickled.
        limit: bytes.

    Raises:
        ValueError: the value holds itself.
        RecursionError: it is too deep.
    """
    import pickle  # here, because small values need no answer

    scale = pickle.Pickler(_Scale(limit), protocol=4)
    scale.fast = True  # writes a value each time that it is held
    try:
        scale.dump(value)
    except _TooLong:
        return True
    return False
