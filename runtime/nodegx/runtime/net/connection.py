"""Sockets: opened to vetted addresses only, and used under a deadline."""

from __future__ import annotations

import io
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote

from nodegx.runtime.errors import FatalError, RetriableError

from . import tls
from .addresses import Policy, SocketAddress, vetted
from .deadline import Deadline
from .urls import Url, parse

_MAX_PROXY_HEAD = 16_384


class Route(NamedTuple):
    """How a server is reached. Connections with equal routes are interchangeable."""

    scheme: str
    host: str
    port: int
    policy: Policy = Policy()
    verify_tls: bool = True
    proxy: str | None = None

    @classmethod
    def to(cls, url: Url, policy: Policy, *, verify_tls: bool, proxy: str | None) -> Route:
        """The route to the server of a URL."""
        return cls(*url.origin, policy, verify_tls, proxy)


def open_socket(
    route: Route, deadline: Deadline, opened: Callable[[socket.socket], None]
) -> socket.socket:
    """Connects, through the proxy and with TLS where the route says so.

    Args:
        route: where to.
        deadline: by when.
        opened: called with every socket as soon as it exists, so that others can shut it down.

    Raises:
        OSError: the connection failed (TimeoutError: in time).
        NodegxError: the address is refused or unknown, or the proxy does not connect.
    """
    addresses = vetted(route.host, route.port, route.policy)
    if route.proxy is None:
        plain = _connect(addresses, deadline, opened)
    else:
        plain = _connect_through(route.proxy, addresses[0], deadline, opened)
    if route.scheme == "http":
        return plain
    try:
        plain.settimeout(deadline.within(None))
        secure = tls.context(route.verify_tls).wrap_socket(plain, server_hostname=route.host)
    except BaseException:
        plain.close()
        raise
    opened(secure)
    return secure


def _connect(
    addresses: list[SocketAddress], deadline: Deadline, opened: Callable[[socket.socket], None]
) -> socket.socket:
    failure: OSError = ConnectionError("there is no address to connect to")
    for family, address in addresses:
        seconds = deadline.within(None)
        try:
            candidate = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # this machine has no IPv6, say
            failure = error
            continue
        try:
            opened(candidate)
            candidate.settimeout(seconds)
            candidate.connect(address)
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return candidate
        except OSError as error:
            candidate.close()
            failure = error
        except BaseException:
            candidate.close()
            raise
    raise failure


def _connect_through(
    proxy: str,
    address: SocketAddress,
    deadline: Deadline,
    opened: Callable[[socket.socket], None],
) -> socket.socket:
    """A tunnel to an address that was vetted here, so that the proxy resolves no name."""
    credentials, url = _proxy_parts(proxy)
    made = _connect(vetted(url.host, url.port, Policy()), deadline, opened)
    host, port = str(address[1][0]), int(address[1][1])
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if credentials:
        lines.append(f"Proxy-Authorization: Basic {b64encode(credentials.encode()).decode()}")
    try:
        made.settimeout(deadline.within(None))
        made.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        status = _tunnel_status(made, deadline)
    except BaseException:
        made.close()
        raise
    if status != 200:
        made.close()
        kind = RetriableError if status >= 500 else FatalError
        raise kind(f"the proxy answered {status}", code="http.proxy")
    return made


def _proxy_parts(proxy: str) -> tuple[str, Url]:
    scheme, separator, rest = proxy.strip().partition("://")
    userinfo, _, authority = rest.rpartition("@")
    if scheme.lower() != "http":
        raise FatalError("the proxy must be an http URL", code="http.proxy")
    return unquote(userinfo), parse(f"{scheme}{separator}{authority}")


def _tunnel_status(made: socket.socket, deadline: Deadline) -> int:
    head = b""
    while not head.endswith(b"\r\n\r\n"):  # one byte at a time: what follows is the server's
        made.settimeout(deadline.within(None))
        byte = made.recv(1)
        if not byte or len(head) > _MAX_PROXY_HEAD:
            raise RetriableError("the proxy closed the connection", code="http.proxy")
        head += byte
    parts = head.split(None, 2)
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0


def shut(made: socket.socket) -> None:
    """Ends a connection from another thread: calls that are blocked on it return."""
    # SSLSocket.shutdown would take the TLS state away from under the other thread.
    with suppress(OSError):
        socket.socket.shutdown(made, socket.SHUT_RDWR)


class TimedSocket:
    """The part of a socket that http.client uses, each call within the deadline. It does not own
    the socket: `close` leaves it open."""

    def __init__(self, made: socket.socket, deadline: Deadline, read_timeout: float | None) -> None:
        self._socket = made
        self._deadline = deadline
        self._read_timeout = read_timeout

    def sendall(self, data: Any) -> None:
        """Sends all of `data`."""
        self._socket.settimeout(self._deadline.within(None))
        self._socket.sendall(data)

    def makefile(self, _mode: str, *_: Any) -> io.BufferedReader:
        """A buffered reader of what the server sends."""
        return io.BufferedReader(_Reader(self._socket, self._deadline, self._read_timeout), 65_536)

    def close(self) -> None:
        """Does nothing: http.client closes a connection before the response has been read."""


class _Reader(io.RawIOBase):
    def __init__(self, made: socket.socket, deadline: Deadline, read_timeout: float | None) -> None:
        self._socket = made
        self._deadline = deadline
        self._read_timeout = read_timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(self._deadline.within(self._read_timeout))
        try:
            return self._socket.recv_into(buffer)
        except ssl.SSLEOFError:  # the server closed without a TLS goodbye, as many do
            return 0
