"""AWS Lambda as a function sees it: the Runtime API, and Lambda's own runtime client as a process.

The client (`awslambdaric`) runs in a bare interpreter that finds the bundle and the client, nothing
else, so a dependency that the bundle lacks shows.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.installed import PYTHON, installed

CLIENT = "4.2.2"
ROOT = "/2018-06-01/runtime"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:test:live"


def client() -> Path:
    """The directory of Lambda's runtime client."""
    return installed("awslambdaric", CLIENT)


class TimedOut(AssertionError):
    """The function did not answer within its time; it has been killed."""


class InitFailed(AssertionError):
    """The function's module could not be loaded."""


@dataclass
class Invocation:
    """One event on its way. `result` or `error` is what the function answered; `seconds` is the
    time from when it could take the event to its answer."""

    event: Any
    timeout: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: Any = None
    error: dict[str, Any] | None = None
    taken: float = 0.0
    seconds: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)


class RuntimeApi(ThreadingHTTPServer):
    """The API that a function's process asks for work."""

    daemon_threads = True

    def __init__(self, arn: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arn = arn
        self.waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.under_way: dict[str, Invocation] = {}
        self.ready = threading.Event()  # the function has asked for its first event
        self.ready_at = 0.0
        self.init_error: dict[str, Any] | None = None
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that is killed resets its connection."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi  # type: ignore[assignment]
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server = self.server
        if not server.ready.is_set():
            server.ready_at = time.perf_counter()
            server.ready.set()
        invocation = server.waiting.get()
        if invocation is None:  # the server ends
            self.close_connection = True
            return
        server.under_way[invocation.id] = invocation
        body = json.dumps(invocation.event).encode()
        deadline = int((time.time() + invocation.timeout) * 1000)
        self.send_response_only(200)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": server.arn,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        invocation.taken = time.perf_counter()
        self.wfile.write(body)

    def do_POST(self) -> None:
        moment = time.perf_counter()
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        payload = json.loads(raw) if raw else None
        what, _, end = self.path.removeprefix(f"{ROOT}/").partition("/")
        if what == "init":
            self.server.init_error = payload
            self.server.ready.set()
        else:
            id, _, kind = end.partition("/")
            invocation = self.server.under_way.pop(id)
            invocation.seconds = moment - invocation.taken
            if kind == "error":
                invocation.error = payload
            else:
                invocation.result = payload
            invocation.done.set()
        answer = b'{"status":"OK"}'
        self.send_response_only(202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None: ...


class Function:
    """A function's process. Use `function`."""

    def __init__(self, api: RuntimeApi, process: subprocess.Popen[bytes], log: Path) -> None:
        self._api = api
        self.process = process
        self._log = log
        self.spawned = time.perf_counter()

    def ready(self, timeout: float = 20.0) -> float:
        """Waits until it asks for its first event; seconds since its process was started.

        Raises:
            InitFailed: its module could not be loaded.
        """
        ends = time.monotonic() + timeout
        while not self._api.ready.wait(0.05):
            if self.process.poll() is not None or time.monotonic() > ends:
                raise InitFailed(f"the function ended: {self.log}")
        if self._api.init_error is not None:
            raise InitFailed(json.dumps(self._api.init_error))
        return self._api.ready_at - self.spawned

    def send(self, event: Any, *, timeout: float = 20.0) -> Invocation:
        """Hands it an event and waits for its answer.

        Args:
            event: JSON data.
            timeout: the function's time limit in seconds.

        Raises:
            TimedOut: it did not answer in time.
        """
        invocation = Invocation(event, timeout)
        self._api.waiting.put(invocation)
        ends = time.monotonic() + timeout + 20.0 * (not self._api.ready.is_set())
        while not invocation.done.wait(0.05):
            if self._api.init_error is not None or self.process.poll() is not None:
                raise InitFailed(json.dumps(self._api.init_error) + self.log)
            if time.monotonic() > ends:
                self.process.kill()
                raise TimedOut(f"no answer within {timeout} s: {self.log}")
        return invocation

    def invoke(self, event: Any, *, timeout: float = 20.0) -> Any:
        """Hands it an event and returns its answer.

        Raises:
            TimedOut: it did not answer in time.
            AssertionError: it failed.
        """
        invocation = self.send(event, timeout=timeout)
        assert invocation.error is None, f"{json.dumps(invocation.error)}\n{self.log}"
        return invocation.result

    @property
    def log(self) -> str:
        """What it has written to its standard output and error."""
        return self._log.read_text("utf-8", "replace")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log lines that are JSON objects."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]


def seal(bundle: Path) -> None:
    """Keeps Python from leaving compiled modules in a bundle, whose folder Lambda mounts read-only.
    Root may write anywhere, so what is in the way is a file."""
    for folder in {path.parent for path in bundle.rglob("*.py")}:
        if not (folder / "__pycache__").exists():
            (folder / "__pycache__").touch()


@contextmanager
def function(
    bundle: Path,
    environment: Mapping[str, str] | None = None,
    *,
    handler: str = "entry.handler",
    python_path: tuple[Path, ...] = (),
    write_bytecode: bool = True,
    arn: str = ARN,
) -> Generator[Function]:
    """A function in a process of its own, as Lambda would run it; killed at the end.

    Args:
        bundle: the folder that its zip would hold.
        environment: the function's variables.
        handler: module and attribute.
        python_path: further folders to import from.
        write_bytecode: whether Python may leave compiled modules in the bundle.
        arn: by which it is invoked.
    """
    if not write_bytecode:
        seal(bundle)
    api = RuntimeApi(arn)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        search = [bundle, client(), *python_path]
        variables = {
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, search)),
            "LAMBDA_TASK_ROOT": str(bundle),
            "_HANDLER": handler,
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "test",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/test",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[1]0123456789abcdef",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            **(environment or {}),
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [PYTHON, "-s", "-S", "-m", "awslambdaric", handler],
                cwd=bundle,
                env=variables,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield Function(api, process, log)
        finally:
            process.kill()
            process.wait(10)
            api.waiting.put(None)
            api.shutdown()
            api.server_close()
