"""Log lines as JSON, one object a line, for whatever collects the process's standard error."""

from __future__ import annotations

import json
import sys
import threading
from time import time
from typing import Any, Literal, TextIO

from .values import iso_time

Level = Literal["debug", "info", "warning", "error"]

_ORDER = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Log:
    """Writes log lines.

    Args:
        level: the least level that is written.
        stream: where to; None is standard error as it is at the time.
    """

    __slots__ = ("_lock", "_stream", "_threshold")

    def __init__(self, level: Level = "info", stream: TextIO | None = None) -> None:
        self._stream = stream
        self._threshold = _ORDER[level]
        self._lock = threading.Lock()

    @property
    def level(self) -> Level:
        """The least level that is written."""
        return next(name for name in _ORDER if _ORDER[name] == self._threshold)  # pyright: ignore

    @level.setter
    def level(self, level: Level) -> None:
        self._threshold = _ORDER[level]

    def wants(self, level: Level) -> bool:
        """Whether lines of a level are written."""
        return _ORDER[level] >= self._threshold

    def write(
        self,
        level: Level,
        message: str,
        *,
        execution: str | None = None,
        workflow: str | None = None,
        node: str | None = None,
        **fields: Any,
    ) -> None:
        """Writes one line: `time`, `level`, `execution`, `workflow`, `node`, `message` and the
        further fields, those that are None left out. A stream that is closed or full loses it:
        logging must not fail a run."""
        if _ORDER[level] < self._threshold:
            return
        line = {
            "time": iso_time(time()),
            "level": level,
            "execution": execution,
            "workflow": workflow,
            "node": node,
            "message": message,
            **fields,
        }
        text = json.dumps({key: value for key, value in line.items() if value is not None})
        stream = self._stream if self._stream is not None else sys.stderr
        try:
            with self._lock:  # lines of several threads must not mix
                stream.write(text + "\n")
                stream.flush()
        except (OSError, ValueError, AttributeError):
            pass


default = Log()
"""The log of executions that are given none."""
