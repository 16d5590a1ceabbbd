"""That a host lives, as those see it that share its store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from nodegx.runtime.durable.writer import RunWriter
from nodegx.runtime.errors import StoreUnavailable

log = logging.getLogger("nodegx.server")

PARTS = 3
"""How often a lease is renewed while it lasts."""


class Lease:
    """Renews a host's lease, and knows when it is over: because the store was away, or because this
    process was halted or too busy. The host then has to leave everything to the others; it goes on
    under another name.

    Args:
        writer: asks the store.
        seconds: how long a lease lasts.
        lost: is called once others may have what this host has.
        renewed: is awaited after each renewal.
    """

    def __init__(
        self,
        writer: RunWriter,
        seconds: float,
        lost: Callable[[], None],
        renewed: Callable[[], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._seconds = seconds
        self._lost = lost
        self._renewed = renewed
        self._until = 0.0
        self._is_lost = False
        self._ending = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def holds(self) -> bool:
        """Whether nobody else may have what this host has."""
        return monotonic() < self._until and not self._is_lost

    async def start(self) -> None:
        """Takes the lease, and keeps it.

        Raises:
            StoreUnavailable: the store cannot be written.
        """
        await self._renew()
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Renews it no more."""
        self._ending.set()
        if self._keeping is not None:
            await self._keeping

    async def _renew(self) -> None:
        begin = monotonic()
        await self._writer.do(self._writer.store.beat, self._seconds)
        self._until = begin + self._seconds

    async def _keep(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._ending.wait()
                    return
            if not self.holds and not self._is_lost:
                log.warning("the lease of this host is over: its executions are left to others")
                self._is_lost = True
                self._lost()
            try:
                if self._is_lost:
                    await self._writer.do(self._writer.store.leave)
                await self._renew()
                self._is_lost = False
                await self._renewed()
            except StoreUnavailable as error:
                log.warning("the store of executions is away: %s", error)
            except Exception:  # whatever it is, a host without a lease is worth nothing
                log.exception("the lease of this host was not renewed")

    def _pause(self) -> float:
        """Seconds until it is time to renew, or to see that it is too late for that."""
        part = self._seconds / PARTS
        left = self._until - monotonic()
        return min(part, left) if left > 0 else part
