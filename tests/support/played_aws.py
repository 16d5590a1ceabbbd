"""Lambda and EventBridge Scheduler as a function sees them when it wakes executions, played so that a
test decides when what happens; deployments are tested on an emulator that really does it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

_INVOKE = re.compile(r"/2015-03-31/functions/(.+)/invocations")
_SCHEDULE = re.compile(r"/schedules/(.+)")


class Invocation(NamedTuple):
    """An invocation that was asked for: of which ARN, with what, and whether it is waited for."""

    target: str
    payload: Any
    waits: bool


class PlayedAws:
    """The services.

    Attributes:
        url: where they are.
        invoked: what was asked for, in order.
        schedules: those there are, by name.
        removed: names of schedules that were removed.
        answer: gives what an invocation that is waited for has returned.
        gone: ARNs of versions that there are no more.
        broken: whether every request fails.
    """

    def __init__(self) -> None:
        self.invoked: list[Invocation] = []
        self.schedules: dict[str, dict[str, Any]] = {}
        self.removed: list[str] = []
        self.answer: Callable[[Any], Any] = lambda _: {"status": "success", "output": None}
        self.gone: set[str] = set()
        self.broken = False
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                owner._handle(self, json.loads(self.rfile.read(length) or b"null"))

            do_DELETE = do_POST

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def events(self) -> list[Any]:
        """The payloads of invocations that nobody waits for, which are taken away by this."""
        found = [each.payload for each in self.invoked if not each.waits]
        self.invoked = [each for each in self.invoked if each.waits]
        return found

    def _handle(self, request: BaseHTTPRequestHandler, body: Any) -> None:
        parts = urlsplit(request.path)
        path = unquote(parts.path)
        if self.broken:
            return _send(request, 400, {"message": "no"}, "AccessDeniedException")
        if found := _INVOKE.fullmatch(path):
            waits = request.headers["X-Amz-Invocation-Type"] == "RequestResponse"
            if found[1] in self.gone:
                return _send(request, 404, {"Message": "no"}, "ResourceNotFoundException")
            self.invoked.append(Invocation(found[1], body, waits))
            return _send(request, 200 if waits else 202, self.answer(body) if waits else None)
        found = _SCHEDULE.fullmatch(path)
        assert found is not None, path
        if request.command == "DELETE":
            assert parse_qs(parts.query)["groupName"] == ["group"]
            self.removed.append(found[1])
            if self.schedules.pop(found[1], None) is None:
                return _send(request, 404, {"Message": "no"}, "ResourceNotFoundException")
            return _send(request, 200, {})
        if found[1] in self.schedules:
            return _send(request, 409, {"Message": "there is one"}, "ConflictException")
        self.schedules[found[1]] = body
        return _send(request, 200, {})


def _send(request: BaseHTTPRequestHandler, status: int, body: Any, error: str = "") -> None:
    content = b"" if body is None else json.dumps(body).encode()
    request.send_response_only(status)
    request.send_header("Content-Length", str(len(content)))
    if error:
        request.send_header("x-amzn-ErrorType", error)
    request.end_headers()
    request.wfile.write(content)


@contextmanager
def played_aws() -> Iterator[PlayedAws]:
    """The services, ended afterwards."""
    played = PlayedAws()
    try:
        yield played
    finally:
        played.close()
