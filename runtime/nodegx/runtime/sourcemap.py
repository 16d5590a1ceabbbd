"""From the lines of a compiled handler back to the nodes of its workflow.

Everything here is read on the first failure only; a run that succeeds never opens these files.
"""

from __future__ import annotations

import bisect
import itertools
import json
import os
from collections import deque
from collections.abc import Iterator
from types import FrameType, TracebackType


class SourceMap:
    """A handler's text and which node each of its lines belongs to.

    Args:
        filename: the handler's file; `handler.map.json` lies beside it.
        function: qualified name of the handler function, which tells its own code from that of
            code nodes.
        text: the handler's source as it was loaded; None reads the file when needed.
    """

    __slots__ = ("_lines", "_spans", "filename", "function")

    def __init__(self, filename: str, function: str, text: str | None = None) -> None:
        self.filename = filename
        self.function = function
        self._lines = text.splitlines() if text is not None else None
        self._spans: list[tuple[int, int, str]] | None = None

    @property
    def lines(self) -> list[str]:
        """The handler's source; empty where it cannot be read."""
        if self._lines is None:
            try:
                with open(self.filename, encoding="utf-8") as file:
                    self._lines = file.read().splitlines()
            except (OSError, UnicodeDecodeError):
                self._lines = []
        return self._lines

    @property
    def spans(self) -> list[tuple[int, int, str]]:
        """(first line, last line, node id), ascending; empty where there is no map."""
        if self._spans is None:
            try:
                path = os.path.join(os.path.dirname(self.filename), "handler.map.json")
                with open(path, encoding="utf-8") as file:
                    data = json.load(file)
                self._spans = sorted((int(a), int(b), str(node)) for a, b, node in data["lines"])
            except (OSError, ValueError, KeyError, TypeError):
                self._spans = []
        return self._spans

    def node_at(self, line: int) -> str | None:
        """Id of the node that a line (counted from 1) belongs to: the innermost of those whose
        lines enclose it."""
        spans = self.spans
        end = bisect.bisect_right(spans, line, key=lambda span: span[0])
        around = [span for span in spans[:end] if span[1] >= line]
        return min(around, key=lambda span: span[1] - span[0])[2] if around else None

    def owns(self, frame: FrameType) -> bool:
        """Whether a frame runs the handler function or one nested in it, not a code node's."""
        code = frame.f_code
        return code.co_filename == self.filename and (
            code.co_qualname == self.function
            or code.co_qualname.startswith(f"{self.function}.<locals>.")
        )

    def node_of(self, error: BaseException) -> str | None:
        """Id of the node whose lines an error passed through last, or None."""
        found = None
        for item in walk(error.__traceback__):
            if self.owns(item.tb_frame):
                found = self.node_at(item.tb_lineno) or found
        return found

    def expression_of(self, error: BaseException) -> str | None:
        """Source of the expression of the handler that raised an error, or None if something
        that it called did."""
        last = next(iter(deque(walk(error.__traceback__), maxlen=1)), None)
        if last is None or not self.owns(last.tb_frame):
            return None
        positions = last.tb_frame.f_code.co_positions()
        where = next(itertools.islice(positions, last.tb_lasti // 2, None), None)
        if where is None or None in where:
            return None
        first, end, start_column, end_column = (int(number or 0) for number in where)
        if not 0 < first <= end <= len(self.lines):
            return None
        encoded = [line.encode() for line in self.lines[first - 1 : end]]
        encoded[-1] = encoded[-1][:end_column]  # the last first: it may also be the only one
        encoded[0] = encoded[0][start_column:]
        return b"\n".join(encoded).decode("utf-8", "replace")

    def explain(self, error: BaseException) -> list[str]:
        """An error's way through the workflow, outermost first, as lines for a log: nodes and
        user code, without the frames of this package."""
        steps: list[str] = []
        for item in walk(error.__traceback__):
            frame, line = item.tb_frame, item.tb_lineno
            if frame.f_code.co_filename != self.filename:
                continue
            name = frame.f_code.co_qualname.rpartition("<locals>.")[2]
            node = self.node_at(line) if self.owns(frame) else None
            place = f"node {node}" if node else f"in {name}"
            text = self.lines[line - 1].strip() if line <= len(self.lines) else ""
            steps.append(f"{place} ({os.path.basename(self.filename)}:{line}) {text}".rstrip())
        return steps


def walk(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """The links of a traceback, outermost first."""
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next
