"""HTTP/1.1 with bounds: what uvicorn's protocol lets a caller do without end, this one cuts off."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 65_536  # bytes of request line and headers
HEAD_TIMEOUT = 30.0  # seconds in which they have to arrive

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)


class _State(Enum):
    IDLE = auto()  # between requests
    HEAD = auto()  # a request has begun, its headers are not complete
    BODY = auto()


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Its request heads are bounded in size and time; bodies are bounded by the
    application, idle connections by uvicorn."""

    _state = _State.IDLE
    _head = 0  # bytes of an unfinished head, those that came along with its beginning left out
    _progress = False  # whether the chunk at hand began or completed a request
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._progress = False
        super().data_received(data)
        if self._state is _State.BODY or (self._progress and self._state is _State.IDLE):
            self._disarm()
            return
        if not self._progress:
            self._head += len(data)
            if self._head > MAX_HEAD and not self.transport.is_closing():
                self.transport.write(TOO_LARGE)
                self.transport.close()
        self._arm()

    def on_message_begin(self) -> None:
        self._state = _State.HEAD
        self._progress = True
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._state = _State.BODY
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._state = _State.IDLE
        self._progress = True
        super().on_message_complete()

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_TIMEOUT, self._expired)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expired(self) -> None:
        self._timer = None
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.close()
