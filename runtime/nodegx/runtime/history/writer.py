"""Writes executions from an event loop to a store, many at a time."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from collections.abc import Sequence

from nodegx.runtime import logs
from nodegx.runtime.errors import NodegxError

from .record import ExecutionRecord
from .store import HistoryStore, StoreUnavailable

_Waiter = asyncio.Future[None]
_Awaited = tuple[ExecutionRecord, _Waiter]


class HistoryWriter:
    """A `HistorySink` over a store, with one thread that commits whatever has come meanwhile.

    `started` returns once the execution is in the store, `kept` once not even a loss of power undoes
    it. `finished` returns at once, unless too much is waiting to be written. `close` writes what is
    left.

    Args:
        store: where to; it stays the caller's to close.
        max_pending: ends of executions that may wait before `finished` waits too.
        retry_delay: seconds until the next try while the store is unavailable.
        log: where losses are reported.
    """

    def __init__(
        self,
        store: HistoryStore,
        *,
        max_pending: int = 5_000,
        retry_delay: float = 1.0,
        log: logs.Log | None = None,
    ) -> None:
        self._store = store
        self._max_pending = max_pending
        self._retry_delay = retry_delay
        self._log = log or logs.default
        self._wake = threading.Condition()
        self._started: list[_Awaited] = []
        self._finished: list[ExecutionRecord] = []
        self._kept: list[_Awaited] = []
        self._flushes: list[_Waiter] = []
        self._held_back: list[_Waiter] = []
        self._unwritten = 0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="nodegx-history", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps the start of an execution; returns when a crash cannot lose it any more.

        Raises:
            StoreUnavailable: the store cannot be written.
            NodegxError: the writer is closed, or the store refuses this record.
        """
        record.host = self._store.host
        written = asyncio.get_running_loop().create_future()
        self._put(started=(record, written))
        await written

    async def finished(self, record: ExecutionRecord) -> None:
        """Takes the end of an execution to be written soon.

        Raises:
            NodegxError: the writer is closed.
        """
        record.host = self._store.host
        self._put(finished=record)
        while len(self._finished) + self._unwritten > self._max_pending:
            room = asyncio.get_running_loop().create_future()
            with self._wake:
                self._held_back.append(room)
            await room

    async def kept(self, record: ExecutionRecord) -> None:
        """Keeps an execution as it is now, after what was taken of it before; returns when that is
        safe. If it raises, nothing is written later either.

        Raises:
            StoreUnavailable: the store cannot be written.
            NodegxError: the writer is closed, or the store refuses this record.
        """
        record.host = self._store.host
        written = asyncio.get_running_loop().create_future()
        self._put(kept=(record, written))
        await written

    async def flush(self) -> None:
        """Returns when everything taken so far has been written.

        Raises:
            StoreUnavailable: that is not possible for now.
            NodegxError: the writer is closed.
        """
        flushed = asyncio.get_running_loop().create_future()
        self._put(flush=flushed)
        await flushed

    def close(self) -> None:
        """Writes what is left and ends the thread. Blocks; closing twice is harmless."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        atexit.unregister(self.close)

    def _put(
        self,
        *,
        started: _Awaited | None = None,
        finished: ExecutionRecord | None = None,
        kept: _Awaited | None = None,
        flush: _Waiter | None = None,
    ) -> None:
        with self._wake:
            if self._closing:
                raise NodegxError("The history is closed", code="history.closed")
            if started is not None:
                self._started.append(started)
            elif finished is not None:
                self._finished.append(finished)
            elif kept is not None:
                self._kept.append(kept)
            elif flush is not None:
                self._flushes.append(flush)
            self._wake.notify()

    # --- on the thread -------------------------------------------------------------------------

    def _work(self) -> None:
        unwritten: list[ExecutionRecord] = []
        while True:
            with self._wake:
                while not (self._has_work() or self._closing):
                    self._wake.wait(self._retry_delay if unwritten else None)
                    if unwritten:
                        break
                started, self._started = self._started, []
                finished, self._finished = unwritten + self._finished, []
                kept, self._kept = self._kept, []
                flushes, self._flushes = self._flushes, []
                held_back, self._held_back = self._held_back, []
                closing = self._closing
            unwritten = self._write(started, finished, kept)
            self._unwritten = len(unwritten)
            away = StoreUnavailable("The history cannot be written for now") if unwritten else None
            settle(held_back)
            settle(flushes, away)
            if closing:
                for record in unwritten:
                    self._lose(record, "the store is unavailable")
                with self._wake:
                    if not (self._has_work() or self._held_back):
                        return
                unwritten = []

    def _has_work(self) -> bool:
        return bool(self._started or self._finished or self._kept or self._flushes)

    def _write(
        self,
        started: Sequence[_Awaited] = (),
        finished: Sequence[ExecutionRecord] = (),
        kept: Sequence[_Awaited] = (),
    ) -> list[ExecutionRecord]:
        """Writes a batch and tells who waits. Returns the ends that must be tried again."""
        if not (started or finished or kept):
            return []
        starts = [record for record, _ in started]
        try:
            if kept:
                ends = [*finished, *[record for record, _ in kept]]
                self._store.write(starts, ends, synced=True)
            else:
                self._store.write(starts, finished)
        except StoreUnavailable as error:
            settle([waiter for _, waiter in (*started, *kept)], error)
            return list(finished)
        except Exception as error:
            return self._write_apart(started, finished, kept, error)
        settle([waiter for _, waiter in (*started, *kept)])
        return []

    def _write_apart(
        self,
        started: Sequence[_Awaited],
        finished: Sequence[ExecutionRecord],
        kept: Sequence[_Awaited],
        error: Exception,
    ) -> list[ExecutionRecord]:
        """One record of a batch is bad: writes the rest without it, so that it is lost alone."""
        count = len(started) + len(finished) + len(kept)
        if count > max(len(started), len(finished), len(kept)):
            left = self._write(started) + self._write(finished=finished)
            return left + self._write(kept=kept)
        if count > 1:
            half = count // 2
            left = self._write(started[:half], finished[:half], kept[:half])
            return left + self._write(started[half:], finished[half:], kept[half:])
        refused = NodegxError(f"The history refused it: {error}", code="history.refused")
        settle([waiter for _, waiter in (*started, *kept)], refused)
        for record in finished:
            self._lose(record, str(error))
        return []

    def _lose(self, record: ExecutionRecord, reason: str) -> None:
        self._log.write(
            "error",
            f"the end of the execution was not written: {reason}",
            execution=record.id,
            workflow=record.workflow,
        )


def settle(waiters: Sequence[_Waiter], error: Exception | None = None) -> None:
    """Resolves futures of any event loops from any thread, with one wake-up per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiter]] = {}
    for waiter in waiters:
        by_loop.setdefault(waiter.get_loop(), []).append(waiter)
    for loop, group in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, group, error)


def _resolve(waiters: list[_Waiter], error: Exception | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)
