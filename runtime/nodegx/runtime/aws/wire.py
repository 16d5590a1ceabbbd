"""HTTP/1.1 as far as AWS services speak it: a request in one piece, an answer that is read whole.

The standard library reads an answer's head with the parser for e-mail, which takes longer than
everything else that the client does.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

MAX_LINE = 65_536
MAX_HEADERS = 100
NO_BODY = (204, 304)


class Response(NamedTuple):
    """A service's raw answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Garbled(Exception):
    """What came is no answer, or not all of it."""


class Connection:
    """A connection to a service. Not safe to use from several threads.

    Args:
        endpoint: base URL, of which host and port count.
        timeout: seconds for connecting.

    Attributes:
        reusable: whether the service takes another request.

    Raises:
        OSError: nobody answers there, or the certificate is not to be trusted.
    """

    def __init__(self, endpoint: str, timeout: float) -> None:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        usual = 443 if parts.scheme == "https" else 80
        port = parts.port or usual
        self.reusable = True
        # As it is signed: without the port, if that is the usual one.
        self._host = parts.netloc.rpartition("@")[2].removesuffix(f":{usual}")
        self._socket: Any = socket.create_connection((host, port), timeout)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if parts.scheme == "https":
                from nodegx.runtime.net import tls

                context = tls.context(True)
                self._socket = context.wrap_socket(self._socket, server_hostname=host)
            self._answers = cast("BinaryIO", self._socket.makefile("rb"))
        except BaseException:
            self._socket.close()
            raise

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> Response:
        """Sends a request and reads the answer; see `send` and `receive`."""
        self.send(method, target, headers, body, timeout)
        return self.receive(method)

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> None:
        """Sends a request.

        Args:
            method: HTTP method, upper case.
            target: path and query, percent-encoded.
            headers: all but the host and the length of the body.
            body: the payload.
            timeout: seconds for each read of its answer.

        Raises:
            OSError: the connection broke.
        """
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Accept-Encoding: identity", f"Content-Length: {len(body)}", "", ""]
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            raise ValueError("a header holds a line break")
        self._socket.settimeout(timeout)
        self._socket.sendall(head.encode("latin-1") + body)

    def receive(self, method: str) -> Response:
        """Reads the answer to the request that was sent.

        Raises:
            ConnectionError: the service has closed the connection without an answer.
            Garbled: the answer makes no sense.
            OSError: the connection broke, or there was no answer in time.
        """
        line = self._answers.readline(MAX_LINE)
        if not line:
            raise ConnectionResetError("the service has closed the connection")
        while (status := _status(line)) < 200:  # such as 100 Continue
            self._head()
            line = self._answers.readline(MAX_LINE)
        headers = self._head()
        closes = headers.get("connection", "").lower()
        self.reusable = closes != "close" if line.startswith(b"HTTP/1.1") else "keep" in closes
        if method == "HEAD" or status in NO_BODY:
            return Response(status, headers, b"")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return Response(status, headers, self._chunks())
        length = headers.get("content-length")
        if length is not None:
            return Response(status, headers, self._read(_number(length, 10)))
        self.reusable = False
        return Response(status, headers, self._answers.read())

    def close(self) -> None:
        """Ends the connection."""
        self._answers.close()
        self._socket.close()

    def _head(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(MAX_HEADERS):
            line = self._answers.readline(MAX_LINE)
            if line in (b"\r\n", b"\n"):
                return headers
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not line.endswith(b"\n"):
                break
            headers[name.lower()] = value.strip()
        raise Garbled("the head of the answer makes no sense")

    def _chunks(self) -> bytes:
        found: list[bytes] = []
        while size := _number(self._answers.readline(MAX_LINE).partition(b";")[0].decode(), 16):
            found.append(self._read(size))
            self._answers.readline(MAX_LINE)
        self._head()  # trailers
        return b"".join(found)

    def _read(self, size: int) -> bytes:
        body = self._answers.read(size)
        if len(body) < size:
            raise Garbled(f"the answer ended after {len(body)} of {size} bytes")
        return body


def _status(line: bytes) -> int:
    parts = line.split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1."):
        raise Garbled("the answer is not HTTP/1")
    return _number(parts[1].decode("latin-1"), 10)


def _number(text: str, base: int) -> int:
    text = text.strip()
    if not text.isalnum() or not text.isascii():
        raise Garbled(f"{text[:20]!r} is not a number")
    try:
        return int(text, base)
    except ValueError:
        raise Garbled(f"{text[:20]!r} is not a number") from None
