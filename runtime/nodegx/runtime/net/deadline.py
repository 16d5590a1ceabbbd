"""Time limits of blocking calls."""

from __future__ import annotations

from time import monotonic


class Deadline:
    """A moment by which something must be finished.

    Args:
        seconds: from now.
    """

    __slots__ = ("_end", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds

    def within(self, seconds: float | None) -> float:
        """Seconds that are left, at most `seconds`.

        Raises:
            TimeoutError: none are left.
        """
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left if seconds is None else min(left, seconds)
