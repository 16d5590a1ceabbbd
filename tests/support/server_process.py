"""A server in a process of its own, which a test can stop or kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CODE = """
import json, sys
from pathlib import Path
from nodegx.server.options import Pace, ServerOptions
from nodegx.server.serving import serve

given = json.loads(sys.argv[1])
given["pace"] = Pace(**given.pop("pace", {}))
paths = {
    name: Path(given.pop(name))
    for name in ("build", "history", "root")
    if "://" not in given.get(name, "://")
}
serve(ServerOptions(**paths, **given), lambda text: print(text, flush=True))
"""


@dataclass
class ServerProcess:
    """A running server."""

    process: subprocess.Popen[str]
    url: str

    def kill(self) -> None:
        """As if the machine had lost power to this process."""
        self.process.kill()
        self.process.wait(10)

    def stop(self, within: float = 20.0) -> int:
        """Asks it to stop and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)


@contextmanager
def server_process(build: Path, history: Path | str, **options: Any) -> Iterator[ServerProcess]:
    """A server over compiled workflows, on a free port; killed at the end if it still runs."""
    given = {
        "build": str(build),
        "history": str(history),
        "port": 0,
        "request_log": False,
        "log_level": "error",
        **options,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, json.dumps(given)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("serving "):
                yield ServerProcess(process, line.split()[-1])
                break
        else:
            raise AssertionError(f"the server ended with {process.wait(10)}")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdout.close()
