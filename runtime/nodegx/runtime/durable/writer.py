"""Writes changes of executions from an event loop to a store, many at a time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from nodegx.runtime.errors import NodegxError, StoreUnavailable
from nodegx.runtime.threads import Threads

from .state import RunState
from .store import Change, RunStore

T = TypeVar("T")

READERS = 8


class _Wanted(NamedTuple):
    change: Change | RunState
    done: asyncio.Future[bool]


class RunWriter:
    """A `RunStore` for executions on an event loop: one thread commits whatever has come
    meanwhile; what is rarely asked for has threads of its own.

    Args:
        store: where to; it stays the caller's to close.
        holds: whether this host's lease is not over. What is written when it is, or was by then,
            counts as refused: others may have gone on already.
    """

    def __init__(self, store: RunStore, holds: Callable[[], bool] = lambda: True) -> None:
        self.store = store
        self._holds = holds
        self._wake = threading.Condition()
        self._wanted: list[_Wanted] = []
        self._closing = False
        self._threads = Threads("nodegx-runs", READERS)
        self._thread = threading.Thread(target=self._work, name="nodegx-journal", daemon=True)
        self._thread.start()

    async def create(self, state: RunState) -> bool:
        """Keeps a new execution; False if it is there already.

        Raises:
            StoreUnavailable: the store cannot be written, or the lease is over. So may every other
                method.
        """
        if state.owner is not None and not (self._holds() and state.owner == self.store.host):
            raise StoreUnavailable("The lease of this host is over")
        return await self._put(state)

    async def change(self, change: Change) -> bool:
        """Makes a change; False if the execution is not this host's any more."""
        return self._holds() and await self._put(change) and self._holds()

    async def do(self, call: Callable[..., T], *args: Any, **options: Any) -> T:
        """Calls a method of the store in a thread."""
        return await self._threads.run(call, *args, **options)

    def close(self) -> None:
        """Writes what is left and ends the thread. Blocks; closing twice is harmless."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _put(self, change: Change | RunState) -> asyncio.Future[bool]:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        with self._wake:
            if self._closing:
                raise NodegxError("The journal is closed", code="journal.closed")
            self._wanted.append(_Wanted(change, done))
            self._wake.notify()
        return done

    # --- on the thread -------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._wanted and not self._closing:
                    self._wake.wait()
                wanted, self._wanted = self._wanted, []
                if not wanted:
                    return
            self._commit([each for each in wanted if isinstance(each.change, RunState)])
            self._commit([each for each in wanted if not isinstance(each.change, RunState)])

    def _commit(self, wanted: Sequence[_Wanted]) -> None:
        if not wanted:
            return
        changes: list[Any] = [each.change for each in wanted]
        write = self.store.create if isinstance(changes[0], RunState) else self.store.change
        try:
            results = cast("Callable[[Any], list[bool]]", write)(changes)
        except Exception as error:
            if len(wanted) == 1 or getattr(error, "retriable", False):
                _settle([(each.done, error) for each in wanted])
                return
            for each in wanted:  # one of them is bad, and must be lost alone
                self._commit([each])
            return
        _settle([(each.done, result) for each, result in zip(wanted, results, strict=True)])


_Outcome = tuple[asyncio.Future[bool], bool | Exception]


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
