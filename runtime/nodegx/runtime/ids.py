"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import os
import threading
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_RANDOM_BITS = 80
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A new identifier of 26 characters: 48 bits of milliseconds and 80 random bits, in the format
    of a ULID. Those made by one process always ascend."""
    global _last
    value = time.time_ns() // 1_000_000 << _RANDOM_BITS | int.from_bytes(os.urandom(10), "big")
    with _lock:
        if value <= _last:
            value = _last + 1
        _last = value
    pairs = _PAIRS
    return "".join([pairs[value >> shift & 1023] for shift in range(120, -1, -10)])


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
