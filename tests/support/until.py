"""Waiting for something to become true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], T], *, within: float = 30.0) -> T:
    """What `condition` gives once it is truthy; fails after `within` seconds."""
    async with asyncio.timeout(within):
        while not (value := condition()):  # noqa: ASYNC110 - there is nothing to be told by
            await asyncio.sleep(0.005)
    return value
