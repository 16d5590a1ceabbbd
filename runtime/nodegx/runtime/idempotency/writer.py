"""Idempotency keys for an event loop, whose store blocks."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic, time
from typing import Any, NamedTuple, Protocol

from nodegx.runtime.errors import NodegxError

from .store import Claim, Held, KeyStore, Release, Settlement

PRUNING = 600.0
"""Seconds from one removal of old keys to the next."""

_BEATS = 4
"""How often a lease is renewed within its time."""


class Keys(Protocol):
    """A `KeyStore` for an event loop; see there."""

    limit: int

    async def claim(self, claim: Claim) -> Held | None:
        """Claims a key; who has it if somebody else does."""
        ...

    async def settle(self, settlement: Settlement) -> bool:
        """Keeps an answer."""
        ...

    async def release(self, release: Release) -> bool:
        """Forgets a key."""
        ...

    async def find(self, key: str) -> Held | None:
        """Who has a key."""
        ...


class KeyCalls:
    """Calls a store for one key at a time.

    Args:
        store: where to.
        do: awaits a call that blocks.
    """

    def __init__(self, store: KeyStore, do: Callable[..., Awaitable[Any]]) -> None:
        self.limit = store.limit
        self._store = store
        self._do = do

    async def claim(self, claim: Claim) -> Held | None:
        """See `Keys`."""
        return (await self._do(self._store.claim, [claim], now=time()))[0]

    async def settle(self, settlement: Settlement) -> bool:
        """See `Keys`."""
        return (await self._do(self._store.settle, [settlement]))[0]

    async def release(self, release: Release) -> bool:
        """See `Keys`."""
        return (await self._do(self._store.release, [release]))[0]

    async def find(self, key: str) -> Held | None:
        """See `Keys`."""
        return await self._do(self._store.find, key, now=time())


class _Wanted(NamedTuple):
    change: Claim | Settlement | Release | str
    done: asyncio.Future[Any]


class KeyWriter:
    """Has one thread that does whatever has been asked for meanwhile, many at a time; it also
    tells others that this process lives, and removes old keys.

    Args:
        store: where to; it stays the caller's to close.
    """

    def __init__(self, store: KeyStore) -> None:
        self.limit = store.limit
        self._store = store
        self._wake = threading.Condition()
        self._wanted: list[_Wanted] = []
        self._closing = False
        self._mine: set[str] = set()
        self._pruned = monotonic()
        self._thread = threading.Thread(target=self._work, name="nodegx-keys", daemon=True)
        self._thread.start()

    async def claim(self, claim: Claim) -> Held | None:
        """See `Keys`."""
        return await self._put(claim)

    async def settle(self, settlement: Settlement) -> bool:
        """See `Keys`."""
        return await self._put(settlement)

    async def release(self, release: Release) -> bool:
        """See `Keys`."""
        return await self._put(release)

    async def find(self, key: str) -> Held | None:
        """See `Keys`."""
        return await self._put(key)

    def close(self) -> None:
        """Does what is left and ends the thread. Blocks; closing twice is harmless."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _put(self, change: Claim | Settlement | Release | str) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        with self._wake:
            if self._closing:
                raise NodegxError("The idempotency keys are closed", code="idempotency.closed")
            self._wanted.append(_Wanted(change, done))
            self._wake.notify()
        return done

    # --- on the thread -------------------------------------------------------------------------

    def _work(self) -> None:
        acts: tuple[tuple[type, Callable[[Any], Sequence[Any]]], ...] = (
            (Settlement, self._store.settle),
            (Release, self._store.release),
            (Claim, self._claim),
            (str, self._find),
        )
        while True:
            with self._wake:
                if not self._wanted and not self._closing:
                    self._wake.wait(self._pause())
                wanted, self._wanted = self._wanted, []
                if not wanted and self._closing:
                    return
            for kind, act in acts:
                self._do([each for each in wanted if type(each.change) is kind], act)
            self._keep_house()

    def _claim(self, claims: Sequence[Claim]) -> list[Held | None]:
        return self._store.claim(claims, now=time())

    def _find(self, keys: Sequence[str]) -> list[Held | None]:
        return [self._store.find(key, now=time()) for key in keys]

    def _pause(self) -> float | None:
        """Seconds until there is something to do that nobody asks for."""
        lease = self._store.lease
        return lease / _BEATS if lease is not None and self._mine else None

    def _keep_house(self) -> None:
        with contextlib.suppress(NodegxError):  # the next time, then
            if self._mine and self._store.lease is not None:
                self._store.beat()
            if monotonic() - self._pruned > PRUNING:
                self._pruned = monotonic()
                self._store.prune(time())

    def _do(self, wanted: Sequence[_Wanted], act: Callable[[Any], Sequence[Any]]) -> None:
        if not wanted:
            return
        try:
            results = act([each.change for each in wanted])
        except Exception as error:
            if len(wanted) == 1 or getattr(error, "retriable", False):
                _settle([(each.done, error) for each in wanted])
                return
            for each in wanted:  # one of them is bad, and must be lost alone
                self._do([each], act)
            return
        for each, result in zip(wanted, results, strict=True):
            if isinstance(each.change, Settlement | Release):
                self._mine.discard(each.change.execution)
            elif isinstance(each.change, Claim) and result is None:
                self._mine.add(each.change.execution)
        _settle([(each.done, result) for each, result in zip(wanted, results, strict=True)])


_Outcome = tuple[asyncio.Future[Any], Any]


def _settle(outcomes: Sequence[_Outcome]) -> None:
    """Resolves futures of any event loops from any thread, with one wake-up per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome[0].get_loop(), []).append(outcome)
    for loop, group in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, group)


def _resolve(outcomes: list[_Outcome]) -> None:
    for future, outcome in outcomes:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
