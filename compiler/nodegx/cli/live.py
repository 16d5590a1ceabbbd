"""Shows a run while it goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nodegx.runtime.history.record import StepRecord
from nodegx.runtime.logs import Level, Log

from .executions import live_line, step_lines
from .output import clean, console, is_terminal, json_line, line, style

if TYPE_CHECKING:
    from rich.status import Status as Spinner

STEP_LINES = 8
"""Lines of one value that are shown before it is cut."""


class LiveSteps:
    """Prints each step as it ends, and on a terminal names those under way.

    Args:
        full: shows values whole.
    """

    def __init__(self, *, full: bool = False) -> None:
        self._limit = None if full else STEP_LINES
        self._running: dict[str, str] = {}
        self._spinner: Spinner | None = None
        if is_terminal():
            self._spinner = console().status("", spinner="dots")

    def __enter__(self) -> LiveSteps:
        if self._spinner is not None:
            self._spinner.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None

    def on_step(self, step: StepRecord, phase: str) -> None:
        """Told of every step, at its `start` and its `end`."""
        if phase == "start":
            self._running[step.id] = step.type
        else:
            self._running.pop(step.id, None)
            self.say(live_line(step), *step_lines(step, limit=self._limit))
        if self._spinner is not None:
            from rich.text import Text

            names = [f"{name} ({kind})" for name, kind in self._running.items()]
            self._spinner.update(Text(clean(", ".join(names))))

    def say(self, *lines: str) -> None:
        """Prints lines above the names of the steps under way."""
        if self._spinner is None:
            for text in lines:
                line(text)
            sys.stdout.flush()
            return
        from rich.text import Text

        self._spinner.console.print(Text.from_ansi("\n".join(lines)), soft_wrap=True)


class LiveLog(Log):
    """Shows what a run reports besides its steps, such as failed attempts, in one line each."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__("warning")
        self._say = say

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
        """Shows warnings; what went wrong in the end is shown by whoever started the run."""
        if level == "warning" and "duration" not in fields:
            who = f"{clean(node)}: " if node else ""
            self._say(f"{style('!', 'yellow')} {who}{clean(message)}")


class JsonSteps:
    """Prints each step as a line of JSON."""

    def on_step(self, step: StepRecord, phase: str) -> None:
        """Told of every step, at its `start` and its `end`."""
        from nodegx.server.present import step_data

        json_line({"event": f"step.{phase}", **step_data(step)})
        sys.stdout.flush()
