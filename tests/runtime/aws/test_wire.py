"""The protocol, byte by byte, against a server that sends what it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from nodegx.runtime.aws.wire import Connection, Garbled


class Server:
    """Answers each request on one connection with the next of its answers, then closes it."""

    def __init__(self, *answers: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.seen: list[bytes] = []
        self.thread = threading.Thread(target=self._serve, args=(answers,), daemon=True)
        self.thread.start()

    def _serve(self, answers: tuple[bytes, ...]) -> None:
        connection, _ = self.listener.accept()
        with connection:
            for answer in answers:
                self.seen.append(connection.recv(65_536))
                connection.sendall(answer)

    def stop(self) -> None:
        self.thread.join(30)
        self.listener.close()


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: list[Server] = []

    def start(*answers: bytes) -> tuple[Server, Connection]:
        servers.append(Server(*answers))
        return servers[-1], Connection(servers[-1].url, 30)

    yield start
    for server in servers:
        server.stop()


def ask(connection: Connection, method: str = "POST", **headers: str) -> Any:
    return connection.exchange(method, "/a?b=1", headers, b"{}", 30)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One:  a b \r\n\r\nhi"


def test_requests_and_answers_on_one_connection(serve: Any) -> None:
    server, connection = serve(OK, OK)
    for _ in range(2):
        assert ask(connection, Authorization="x") == (
            200,
            {"content-length": "2", "x-one": "a b"},
            b"hi",
        )
        assert connection.reusable
    host = server.url.removeprefix("http://")
    assert (
        server.seen[0]
        == (
            f"POST /a?b=1 HTTP/1.1\r\nHost: {host}\r\nAuthorization: x\r\n"
            "Accept-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}"
        ).encode()
    )
    connection.close()


@pytest.mark.parametrize(
    ("answer", "body", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", b"hi", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"hi", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", b"", True),
    ],
)
def test_ways_to_answer(serve: Any, answer: bytes, body: bytes, reusable: bool) -> None:
    if b"chunked" in answer:
        answer += b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n"
        body = b"abc0123456789"
    _, connection = serve(answer)
    assert ask(connection).body == body
    assert connection.reusable is reusable


def test_head_has_no_body(serve: Any) -> None:
    _, connection = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
    assert ask(connection, "HEAD").body == b""


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ],
)
def test_what_is_no_answer(serve: Any, answer: bytes) -> None:
    _, connection = serve(answer)
    with pytest.raises(Garbled):
        ask(connection)
    connection.close()


def test_a_service_that_hangs_up(serve: Any) -> None:
    _, connection = serve(b"")
    with pytest.raises(ConnectionError):
        ask(connection)


def test_headers_end_no_line(serve: Any) -> None:
    _, connection = serve(OK)
    for value in ("a\r\nX-Evil: 1", "a\nb", "a\rb"):
        with pytest.raises(ValueError, match="line break"):
            ask(connection, Name=value)
    assert ask(connection).status == 200


def test_a_service_that_is_silent(serve: Any) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    connection = Connection(f"http://127.0.0.1:{listener.getsockname()[1]}", 30)
    with pytest.raises(TimeoutError):
        connection.exchange("GET", "/", {}, b"", 0.1)
    connection.close()
    listener.close()
