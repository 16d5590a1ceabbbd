"""A real HTTP/1.1 server on loopback whose answers a test decides."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Seen(NamedTuple):
    """A request as it arrived. Header names are in lower case; `port` is the client's, the same
    for all requests on one connection."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    port: int
    target: str


class Answer(NamedTuple):
    """A response; the length is added unless `headers` frame the body."""

    status: int = 200
    body: bytes | str | Any = b""
    headers: Mapping[str, str] = MappingProxyType({})
    raw: bytes | None = None  # sent as it is, instead of everything else, and then closed


Route = Callable[[Seen], Answer]


class Loopback:
    """The server: `routes` by path, `seen` in order of arrival."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.routes: dict[str, Route] = {}
        self.seen: list[Seen] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                owner._handle(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._tls = tls
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def at(self, path: str, *answers: Answer | Route) -> str:
        """Makes the server answer at `path`: one answer after the other, the last one for ever.
        Returns the URL."""
        left = list(answers)

        def route(seen: Seen) -> Answer:
            answer = left.pop(0) if len(left) > 1 else left[0]
            return answer if isinstance(answer, Answer) else answer(seen)

        self.routes[path] = route
        return self.url + path

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("content-length") or 0)
        content = handler.rfile.read(length)
        if len(content) < length:  # its sender died over it
            handler.close_connection = True
            return
        seen = Seen(
            handler.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in handler.headers.items()},
            content,
            handler.client_address[1],
            handler.path,
        )
        self.seen.append(seen)
        route = self.routes.get(parts.path)
        answer = route(seen) if route else Answer(404, "nothing here")
        if answer.raw is not None:
            handler.wfile.write(answer.raw)
            handler.close_connection = True
            handler.connection.close() if answer.raw == b"" else None
            return
        body, headers = answer.body, dict(answer.headers)
        if not isinstance(body, bytes | str):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        data = body.encode() if isinstance(body, str) else body
        names = {name.lower() for name in headers}
        handler.send_response(answer.status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if not names & {"content-length", "transfer-encoding"} and answer.status not in (204, 304):
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if seen.method != "HEAD":
            handler.wfile.write(data)


@contextmanager
def loopback(tls: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    """A running server, stopped at the end."""
    server = Loopback(tls)
    try:
        yield server
    finally:
        server.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
