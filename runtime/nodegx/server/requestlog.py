"""The request log: one readable line for each request."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TextIO

from nodegx.runtime.triggers.webhook import Access

FLUSH_DELAY = 0.05  # seconds: lines are written together, a write each would cost too much
COLOURS = {2: "\x1b[32m", 3: "\x1b[36m", 4: "\x1b[33m", 5: "\x1b[31m"}
DIM, RESET = "\x1b[2m", "\x1b[0m"


class RequestLog:
    """Writes `POST /orders 201 3.4 ms ProcessOrder 01JD…`, in colour on a terminal.

    Args:
        stream: where to; standard error by default.
        colour: None decides by the stream.
    """

    def __init__(self, stream: TextIO | None = None, colour: bool | None = None) -> None:
        self._stream = stream or sys.stderr
        self._colour = self._stream.isatty() if colour is None else colour
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, access: Access) -> None:
        """Notes a request."""
        self._lines.append(render(access, self._colour))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_DELAY, self.flush)

    def flush(self) -> None:
        """Writes what has gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            try:
                self._stream.write("".join(lines))
                self._stream.flush()
            except (OSError, ValueError):  # a closed pipe must not fail requests
                return


def render(access: Access, colour: bool = False) -> str:
    """One line. Control characters in the path are escaped: callers choose it."""
    path = access.path if access.path.isprintable() else ascii(access.path)[1:-1]
    workflow = access.workflow.rpartition("/")[2]
    milliseconds = f"{access.seconds * 1000:.1f} ms"
    if not colour:
        return (
            f"{access.method} {path} {access.status} {milliseconds} "
            f"{workflow or '-'} {access.execution or '-'}\n"
        )
    shade = COLOURS.get(access.status // 100, "")
    return (
        f"{access.method} {path} {shade}{access.status}{RESET} {milliseconds} "
        f"{workflow} {DIM}{access.execution}{RESET}\n"
    )


Observe = Callable[[Access], None]
