"""Stands between functions and the emulated cloud, and writes down who called what.

Requests pass unchanged but for a header that says they came over TLS, as they would to AWS, whose
bucket policies ask for it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Call(NamedTuple):
    """A call of an AWS service: who made it (an access key), the action as policies name it, on
    what (an ARN, or "*" where the request does not say), and the status of the answer."""

    key: str
    action: str
    resource: str
    status: int


class Recorder:
    """The proxy: `url` to be called instead of `target`, `calls` in order of their answers."""

    def __init__(self, target: str, account: str) -> None:
        self.target = urlsplit(target).netloc
        self.account = account
        self.calls: list[Call] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

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
        self._local = threading.local()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, key: str) -> list[Call]:
        """The calls made with an access key."""
        return [call for call in list(self.calls) if call.key == key]

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        connection = HTTPConnection(self.target, timeout=300)
        try:
            connection.putrequest(
                request.command, request.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                if name.lower() not in _HOP:
                    connection.putheader(name, value)
            connection.putheader("X-Forwarded-Proto", "https")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
            self._note(request, body, answer.status)
            request.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    request.send_header(name, value)
            if request.command != "HEAD":
                request.send_header("Content-Length", str(len(content)))
            elif length := answer.getheader("Content-Length"):
                request.send_header("Content-Length", length)
            request.end_headers()
            if request.command != "HEAD":
                request.wfile.write(content)
        finally:
            connection.close()

    def _note(self, request: BaseHTTPRequestHandler, body: bytes, status: int) -> None:
        found = _CREDENTIAL.search(request.headers.get("Authorization") or "")
        if found is None:
            return
        key, region, service = found.groups()
        where = f"arn:aws:{service}:{region}:{self.account}"
        headers = {name.lower(): value for name, value in request.headers.items()}
        action, resource = _named(service, request.command, request.path, headers, body, where)
        self.calls.append(
            Call(key, f"{_PREFIXES.get(service, service)}:{action}", resource, status)
        )


_PREFIXES = {"monitoring": "cloudwatch"}

_RESOURCES: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "dynamodb": lambda data, where: f"{where}:table/{data['TableName']}{_index(data)}",
    "sqs": lambda data, where: f"{where}:{str(data['QueueUrl']).rpartition('/')[2]}",
    "events": lambda data, where: f"{where}:event-bus/{_bus(data)}",
    "secretsmanager": lambda data, where: data["SecretId"],
}


def _index(data: Mapping[str, Any]) -> str:
    return f"/index/{data['IndexName']}" if "IndexName" in data else ""


def _bus(data: Mapping[str, Any]) -> str:
    name = str(data["Entries"][0]["EventBusName"])
    return name.rpartition("/")[2]


def _named(
    service: str, method: str, target: str, headers: Mapping[str, str], body: bytes, where: str
) -> tuple[str, str]:
    """Action and resource of a request: told by a header, by the path, or by a form."""
    parts = urlsplit(target)
    path = unquote(parts.path)
    if "x-amz-target" in headers:
        action = headers["x-amz-target"].rpartition(".")[2]
        data = json.loads(body or b"{}")
        try:
            return action, _RESOURCES[service](data, where)
        except (KeyError, IndexError):
            return action, "*"
    if service == "lambda" and path.endswith("/invocations"):
        return "InvokeFunction", path.split("/functions/", 1)[1].removesuffix("/invocations")
    if service == "scheduler" and path.startswith("/schedules/"):
        verb = {"POST": "CreateSchedule", "DELETE": "DeleteSchedule"}.get(method, method)
        group = json.loads(body)["GroupName"] if body else parse_qs(parts.query)["groupName"][0]
        return verb, f"{where}:schedule/{group}/{path.rpartition('/')[2]}"
    if service == "s3" and path.count("/") == 1:
        bucket = f"arn:aws:s3:::{path.strip('/')}"
        if "list-type" in parts.query:
            return "ListBucket", bucket
        if parts.query.startswith("delete") and (found := re.search(rb"<Key>([^<]+)", body)):
            return "DeleteObject", f"{bucket}/{found[1].decode()}"
    if service == "s3" and path.count("/") > 1 and not parts.query:
        verb = {"PUT": "PutObject", "GET": "GetObject", "DELETE": "DeleteObject"}.get(
            method, method
        )
        return verb, f"arn:aws:s3:::{path.lstrip('/')}"
    form = parse_qs(body.decode("utf-8", "replace")) if method == "POST" else {}
    if "Action" in form:
        return form["Action"][0], "*"
    return f"{method} {parts.path}", "*"


@contextmanager
def recording(target: str, account: str) -> Iterator[Recorder]:
    """Runs a recorder in front of `target`."""
    recorder = Recorder(target, account)
    try:
        yield recorder
    finally:
        recorder.stop()
