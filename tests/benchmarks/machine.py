"""How fast this machine is, at the moment."""

from __future__ import annotations

import asyncio

from tests.benchmarks.overhead import by_hand_seconds

REFERENCE = 36e-6
"""Seconds of the order by hand on the two cores that promises of absolute times were made for."""


def slowness() -> float:
    """How many times as long as there the order by hand takes here; at least 1."""
    return max(1.0, asyncio.run(by_hand_seconds()) / REFERENCE)
