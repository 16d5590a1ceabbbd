"""Progress of long work, shown to people only, and only once it takes long."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from .output import console, is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

PATIENCE = 0.4
"""Seconds of work before anything is shown."""

Report = Callable[[int, int, str], None]


@contextlib.contextmanager
def progress(verb: str, *, quiet: bool = False) -> Generator[Report]:
    """A function to report progress to: how much is done, of how much, and what comes next.

    Args:
        verb: what is done, such as `compiling`.
        quiet: shows nothing.
    """
    if quiet or not is_terminal(sys.stderr):
        yield lambda done, total, name: None
        return
    display: Display | None = None
    task: TaskID | None = None
    started = time.monotonic()

    def report(done: int, total: int, name: str) -> None:
        nonlocal display, task
        if display is None and time.monotonic() - started > PATIENCE:
            display = _display()
            display.start()
            task = display.add_task(verb, total=total, name="")
        if display is not None and task is not None:
            display.update(task, completed=done, total=total, name=name)

    try:
        yield report
    finally:
        if display is not None:
            display.stop()


def _display() -> Display:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[name]}", markup=False),
    )
    return Progress(*columns, console=console(stderr=True), transient=True)
