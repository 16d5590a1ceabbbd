"""What `nodegx dev` and containers can take: the example's webhook and many waiting executions.

Server and load are processes of their own on the same machine; executions go into SQLite with
their full history.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.row import Row
from tests.support.server_process import server_process

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "process-order"
REQUESTS = 6000
WARM_UP = 500
WAITING = {
    "name": "Waiting",
    "nodes": [
        {
            "id": "hook",
            "type": "trigger.webhook",
            "parameters": {"method": "POST", "path": "/waiting"},
        },
        {"id": "pause", "type": "logic.wait", "parameters": {"duration": "1s"}},
        {"id": "done", "type": "cloud.response", "parameters": {"body": "done"}},
    ],
    "connections": [
        {"sourceId": "hook", "sourcePort": "received", "targetId": "pause", "targetPort": "run"},
        {"sourceId": "pause", "sourcePort": "done", "targetId": "done", "targetPort": "run"},
    ],
}


def load(url: str, body: str, connections: int, requests: int) -> dict[str, Any]:
    """Fires requests from another process and returns what it measured."""
    command = [sys.executable, "-m", "tests.benchmarks.http_load", url, "--body", body]
    command += ["-c", str(connections), "-n", str(requests)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def compiled(folder: Path) -> Path:
    """The example and a workflow that waits, compiled; returns where to."""
    for name in ("nodegx.json", "workflows"):
        source = EXAMPLE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "workflows" / "waiting.json").write_text(json.dumps(WAITING))
    subprocess.run(
        [str(Path(sys.executable).with_name("nodegx")), "compile"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return folder / "build"


def succeeded(history: Path) -> int:
    """Executions that are recorded as successes."""
    with sqlite3.connect(history) as connection:
        query = "SELECT count(*) FROM executions WHERE status = 'success'"
        return int(connection.execute(query).fetchone()[0])


def measure() -> list[Row]:
    """Requests a second, and how long 1,000 executions of one second take together."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = compiled(folder)
        with server_process(build, folder / "history.sqlite3") as server:
            order = json.dumps(json.loads((EXAMPLE / "samples/small.json").read_bytes()))
            url = f"{server.url}/orders"
            load(url, order, 50, WARM_UP)
            runs = [load(url, order, 50, REQUESTS) for _ in range(3)]
            best = max(runs, key=lambda run: run["rps"])
            waits = load(f"{server.url}/waiting", "{}", 1000, 1000)
            server.stop()
        recorded = succeeded(folder / "history.sqlite3")
    errors = sum(run["errors"] for run in [*runs, waits])
    sent = WARM_UP + sum(run["requests"] for run in [*runs, waits])
    return [
        Row("webhook, 50 connections, full history", best["rps"], "req/s", None, None, 1500, True),
        Row("… median latency", best["p50"], "ms"),
        Row("… 99th percentile", best["p99"], "ms"),
        Row("1,000 executions that each wait 1 s", waits["seconds"], "s", None, None, 3),
        Row("failed requests of all these", errors, "requests", None, None, 0),
        Row("… not in the history as a success", sent - recorded, "executions", None, None, 0),
    ]
