"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import os
import threading
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_RANDOM_BITS = 80
_ENTROPY = 1000  # bytes fetched from the operating system at a time


class _Source:
    """Makes identifiers that ascend within this process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets fetched entropy: after a fork the child must not use what its parent has."""
        self._lock = threading.Lock()
        self._entropy = b""
        self._used = 0
        self._last = 0

    def next(self) -> int:
        milliseconds = time.time_ns() // 1_000_000
        with self._lock:
            if self._used >= len(self._entropy):
                self._entropy, self._used = os.urandom(_ENTROPY), 0
            start, self._used = self._used, self._used + 10
            random = int.from_bytes(self._entropy[start : self._used], "big")
            value = milliseconds << _RANDOM_BITS | random
            if value <= self._last:
                value = self._last + 1
            self._last = value
        return value


_source = _Source()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_source.reset)


def new_id() -> str:
    """A new identifier of 26 characters: 48 bits of milliseconds and 80 random bits, in the format
    of a ULID. Those made by one process always ascend."""
    value = _source.next()
    pairs = _PAIRS
    high, low = value >> 60, value & 0xFFF_FFFF_FFFF_FFFF  # one multi-word shift each, not twelve
    return (
        f"{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}"
        f"{pairs[high >> 30 & 1023]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}"
        f"{pairs[high & 1023]}{pairs[low >> 50]}{pairs[low >> 40 & 1023]}"
        f"{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}"
        f"{pairs[low & 1023]}"
    )


def id_time(identifier: str) -> float:
    """When an identifier of `new_id` was made, in seconds since the epoch.

    Raises:
        ValueError: it is none.
    """
    if len(identifier) != 26:
        raise ValueError(f"not an execution id: {identifier!r}")
    value = 0
    for character in identifier[:10]:
        value = value << 5 | _ALPHABET.index(character)
    return value / 1000
