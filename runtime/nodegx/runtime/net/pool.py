"""Connections that wait for their next request."""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from time import monotonic

from .connection import Route


class Pool:
    """Idle connections by route; the one used last is used next. Safe to use from any thread.

    Args:
        idle_seconds: how long a connection is kept.
        per_route: most connections kept to one server.
        total: most connections kept in all.
    """

    def __init__(self, idle_seconds: float = 30.0, per_route: int = 32, total: int = 256) -> None:
        self._idle_seconds = idle_seconds
        self._per_route = per_route
        self._total = total
        self._idle: dict[Route, deque[tuple[socket.socket, float]]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def take(self, route: Route) -> socket.socket | None:
        """An idle connection that is still open, or None."""
        while True:
            with self._lock:
                waiting = self._idle.get(route)
                if not waiting:
                    return None
                made, since = waiting.pop()
                self._count -= 1
                if not waiting:
                    del self._idle[route]
            if monotonic() - since < self._idle_seconds and _is_quiet(made):
                return made
            made.close()

    def give(self, route: Route, made: socket.socket) -> None:
        """Keeps a connection whose response has been read to its end."""
        surplus: list[socket.socket] = []
        with self._lock:
            waiting = self._idle.setdefault(route, deque())
            waiting.append((made, monotonic()))
            self._count += 1
            if len(waiting) > self._per_route:
                surplus.append(waiting.popleft()[0])
                self._count -= 1
            while self._count > self._total:
                surplus.append(self._oldest())
        for old in surplus:
            old.close()

    def clear(self) -> None:
        """Closes all idle connections."""
        with self._lock:
            idle = [made for waiting in self._idle.values() for made, _ in waiting]
            self._idle.clear()
            self._count = 0
        for made in idle:
            made.close()

    def __len__(self) -> int:
        return self._count

    def _oldest(self) -> socket.socket:
        route = min(self._idle, key=lambda route: self._idle[route][0][1])
        waiting = self._idle[route]
        made, _ = waiting.popleft()
        self._count -= 1
        if not waiting:
            del self._idle[route]
        return made


def _is_quiet(made: socket.socket) -> bool:
    """Whether an idle connection is open: a server that closed it, or talks unasked, makes it
    readable."""
    try:
        if hasattr(select, "poll"):  # select() itself fails for descriptors past 1023
            poll = select.poll()
            poll.register(made, select.POLLIN)
            return not poll.poll(0)
        return not select.select([made], [], [], 0)[0]
    except (OSError, ValueError):
        return False
