"""Stands between a function and the services it uses, and kills its process at a write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

WRITES = ("PutItem", "UpdateItem", "DeleteItem")


class Kill(NamedTuple):
    """At which write to kill, from 1: before the service has it, or once it has."""

    write: int
    before: bool


class KillingProxy:
    """The proxy: `url` is to be called for all services.

    Args:
        table: URL of DynamoDB and S3.
        others: URL of Lambda and Scheduler.

    Attributes:
        writes: what has been written, in order.
        kill: at which write to kill; None kills nobody any more.
        victim: kills the process.
        killed: set once it is dead.
    """

    def __init__(self, table: str, others: str) -> None:
        self.writes: list[str] = []
        self.kill: Kill | None = None
        self.victim: Callable[[], Any] = lambda: None
        self.killed = threading.Event()
        self._targets = (urlsplit(table).netloc, urlsplit(others).netloc)
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def handle_any(self) -> None:
                owner._handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

            def log_message(self, format: str, *args: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None: ...

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        name = _write(request)
        now = None
        if name is not None:
            with self._lock:
                self.writes.append(name)
                if self.kill is not None and len(self.writes) == self.kill.write:
                    now, self.kill = self.kill, None
        if now is not None and now.before:
            return self._end(request)
        played = request.path.startswith(("/2015-03-31/", "/schedules/"))
        connection = HTTPConnection(self._targets[played], timeout=60)
        headers = {
            key: value for key, value in request.headers.items() if key.lower() != "connection"
        }
        connection.request(request.command, request.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if now is not None:
            return self._end(request)
        request.send_response_only(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("connection", "content-length", "transfer-encoding"):
                request.send_header(key, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
        return None

    def _end(self, request: BaseHTTPRequestHandler) -> None:
        self.victim()
        request.close_connection = True
        self.killed.set()


def _write(request: BaseHTTPRequestHandler) -> str | None:
    """What a request writes; None for those that read."""
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    if target:
        return target if target in WRITES else None
    if request.command in ("PUT", "DELETE", "POST"):
        return f"{request.command} {request.path.split('/')[1]}"
    return None


@contextmanager
def killing_proxy(table: str, others: str) -> Iterator[KillingProxy]:
    """A running proxy."""
    proxy = KillingProxy(table, others)
    try:
        yield proxy
    finally:
        proxy.close()
