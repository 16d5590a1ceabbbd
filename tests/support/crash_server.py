"""Server processes that die at a given moment, started quickly.

Run as a script this is a process that has imported all a server needs. It reads a JSON object from
each line of its standard input, forks a server for it, waits until that has ended, and prints

    up URL          once the server listens,
    ended NUMBER    with the signal that has killed it, or 0.

The object has the settings of the server (`options`), and may have `log`, `death` and `any_step`
as `DyingRuns` takes them.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

from nodegx.runtime.database.postgres_pool import driver
from nodegx.runtime.durable import postgres as _postgres  # noqa: F401
from nodegx.runtime.durable import sqlite as _sqlite  # noqa: F401
from nodegx.runtime.durable import waits as _waits  # noqa: F401
from nodegx.runtime.history import postgres as _history_postgres  # noqa: F401
from nodegx.runtime.history import sqlite as _history_sqlite  # noqa: F401
from nodegx.runtime.nodes import data as _data  # noqa: F401
from nodegx.runtime.nodes import http as _http  # noqa: F401
from nodegx.server import serving
from nodegx.server.options import Pace, ServerOptions

from tests.support.crash_store import Death, DyingRuns

PATHS = ("build", "root", "history", "runs")


def options_of(given: dict[str, Any]) -> ServerOptions:
    """A server's settings of JSON."""
    values = dict(given)
    if "pace" in values:
        values["pace"] = Pace(**values["pace"])
    for name in PATHS:
        text = values.get(name)
        if text is not None and "://" not in text:
            values[name] = Path(text)
    return ServerOptions(**values)


def serve(order: dict[str, Any]) -> None:
    """Serves until it is told to stop, or dies."""
    if "log" in order:
        opened = serving.open_runs
        death = Death(*order["death"]) if order.get("death") else None

        def open_runs(target: str | Path) -> Any:
            return DyingRuns(
                opened(target),
                Path(order["log"]),
                death,
                any_step=order.get("any_step", False),
            )

        serving.open_runs = open_runs
    serving.serve(options_of(order["options"]), _notify)


def _notify(text: str) -> None:
    if text.startswith("serving "):
        _say(f"up {text.split()[-1]}")
    elif text.startswith("not served"):
        print(text, file=sys.stderr, flush=True)


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    """Serves one order after the other."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    driver()
    serving.loop_factory()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.dup2(nothing, 0)
            code = 1
            try:
                serve(order)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        _say(f"pid {child}")
        _, status = os.waitpid(child, 0)
        _say(f"ended {os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}")


if __name__ == "__main__":
    main()
