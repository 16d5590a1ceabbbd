"""HTTP/1.1 with bounds: what uvicorn's protocol lets a caller do without end, this one cuts off.
It also sends the head of an answer together with its body."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 65_536  # bytes of request line and headers
HEAD_TIMEOUT = 30.0  # seconds in which they have to arrive
BODY_TIMEOUT = 60.0  # seconds in which the body has to arrive after them

_CLOSING = b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large" + _CLOSING
TOO_SLOW = b"HTTP/1.1 408 Request Timeout" + _CLOSING


class _JoinedWrites:
    """A transport that sends what is written to it at once within one turn of the event loop in
    one go: uvicorn writes head and body of an answer apart, and each write takes its way through
    the operating system.

    Args:
        transport: the connection.
        loop: its event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Takes bytes to be sent."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        """Sends what was taken, and closes the connection."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.writelines(parts)


class _State(Enum):
    IDLE = auto()  # between requests
    HEAD = auto()  # a request has begun, its headers are not complete
    BODY = auto()


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Its requests are bounded in time, and their heads in size; the size of bodies
    is bounded by the application, idle connections by uvicorn."""

    _state = _State.IDLE
    _head = 0  # bytes of an unfinished head, those that came along with its beginning left out
    _progress = False  # whether the chunk at hand began, or completed the head of, a request
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        joined: Any = _JoinedWrites(transport, self.loop)
        super().connection_made(joined)
        self._arm(HEAD_TIMEOUT)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._progress = False
        super().data_received(data)
        if self._state is _State.BODY:
            if self._progress:
                self._disarm()
            self._arm(BODY_TIMEOUT)
        elif self._progress and self._state is _State.IDLE:
            self._disarm()
        else:
            if not self._progress:
                self._head += len(data)
                if self._head > MAX_HEAD and not self.transport.is_closing():
                    self.transport.write(TOO_LARGE)
                    self.transport.close()
            self._arm(HEAD_TIMEOUT)

    def on_message_begin(self) -> None:
        self._state = _State.HEAD
        self._progress = True
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._state = _State.BODY
        self._progress = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._state = _State.IDLE
        self._progress = True
        super().on_message_complete()

    def _arm(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._expired)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expired(self) -> None:
        self._timer = None
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.close()
        elif self._state is _State.BODY:
            if self.flow.read_paused:  # it is we who let the sender wait
                self._arm(BODY_TIMEOUT)
                return
            if not cycle.response_started:
                self.transport.write(TOO_SLOW)
            self.transport.close()
