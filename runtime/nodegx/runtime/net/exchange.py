"""One request and its response over one connection, blocking."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any, cast

from nodegx.runtime.errors import FatalError, NodegxError, RetriableError

from .connection import Route, TimedSocket, open_socket, shut
from .deadline import Deadline
from .decoding import read_body
from .message import Limits, RawResponse, Request
from .pool import Pool

# Requests that may be sent a second time when a kept connection turns out to be dead.
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Exchange:
    """A request on its way, redirects included.

    `run` blocks and belongs to one thread; `abort` may be called from any other and makes it end.
    """

    def __init__(self, request: Request, limits: Limits, pool: Pool, deadline: Deadline) -> None:
        self._request = request
        self._limits = limits
        self._pool = pool
        self._deadline = deadline
        self._socket: socket.socket | None = None
        self._aborted = False

    def abort(self) -> None:
        """Breaks the connection under the request."""
        self._aborted = True
        if self._socket is not None:
            shut(self._socket)

    def run(self) -> RawResponse:
        """Sends the request and follows redirects.

        Raises:
            FatalError, RetriableError: with a code that begins with `http.`.
        """
        request = self._request
        limits = self._limits
        for _ in range(limits.max_redirects + 1):
            response = self._guarded(request)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or location is None or limits.max_redirects == 0:
                return response
            request = request.redirected(response.status, location)
        raise FatalError(
            f"more than {limits.max_redirects} redirects, the last to {request.url.display}",
            code="http.redirects",
        )

    def _guarded(self, request: Request) -> RawResponse:
        """One request, what goes wrong with it told in our terms."""
        where = f"{request.method} {request.url.display}"
        try:
            return self._over_some_connection(request)
        except NodegxError:
            raise
        except TimeoutError:
            raise self._timed_out(where) from None
        except ssl.SSLCertVerificationError as error:
            raise FatalError(
                f"{where}: the server's certificate was not accepted: {error.verify_message}",
                code="http.tls",
            ) from None
        except IncompleteRead:
            raise RetriableError(
                f"{where}: the connection ended before the response did", code="http.connection"
            ) from None
        except (OSError, HTTPException) as error:
            if isinstance(error, HTTPException) and not isinstance(error, OSError):
                raise FatalError(
                    f"{where}: the server does not speak HTTP ({type(error).__name__})",
                    code="http.protocol",
                ) from None
            reason = error.strerror or str(error) or type(error).__name__
            raise RetriableError(f"{where}: {reason}", code="http.connection") from None

    def _timed_out(self, where: str) -> RetriableError:
        try:
            self._deadline.within(None)
        except TimeoutError:
            message = f"{where} took longer than {self._deadline.seconds:g} s"
        else:
            message = f"{where}: the server was silent for too long"
        return RetriableError(message, code="http.timeout")

    def _over_some_connection(self, request: Request) -> RawResponse:
        limits = self._limits
        route = Route.to(
            request.url, limits.policy, verify_tls=limits.verify_tls, proxy=limits.proxy
        )
        # The host's policy may have become stricter since the connection was made.
        route = route._replace(policy=route.policy.within_host())
        kept = self._pool.take(route)
        if kept is not None:
            self._hold(kept)
            try:
                return self._over(kept, route, request)
            except (ConnectionError, ssl.SSLEOFError):
                if request.method not in _REPEATABLE or self._aborted:
                    raise
        return self._over(self._connect(route, request), route, request)

    def _connect(self, route: Route, request: Request) -> socket.socket:
        seconds = self._deadline.within(self._limits.connect_timeout)
        try:
            return open_socket(route, Deadline(seconds), self._hold)
        except TimeoutError:
            self._deadline.within(None)
            raise RetriableError(
                f"{request.method} {request.url.display}: no connection within {seconds:g} s",
                code="http.timeout",
            ) from None

    def _hold(self, made: socket.socket) -> None:
        self._socket = made
        if self._aborted:
            shut(made)

    def _over(self, made: socket.socket, route: Route, request: Request) -> RawResponse:
        reusable = False
        try:
            timed = TimedSocket(made, self._deadline, self._limits.read_timeout)
            response = _converse(timed, request)
            content = read_body(response, self._limits.max_bytes)
            reusable = not response.will_close and not self._aborted
        finally:
            self._socket = None
            if reusable:
                self._pool.give(route, made)
            else:
                made.close()
        return RawResponse(response.status, response.reason, response.headers, content, request.url)


def _converse(timed: TimedSocket, request: Request) -> HTTPResponse:
    """Sends the request and reads the response up to its body."""
    connection = HTTPConnection(request.url.host, request.url.port)
    connection.sock = cast("Any", timed)
    target = request.credentials.apply(request.url).target
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.lines():
        connection.putheader(name, _latin(value))
    content = request.content
    if content is not None or request.method in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(content or b"")))
    try:
        connection.endheaders(content or None)
    except (BrokenPipeError, ConnectionResetError):
        # A server that refuses a large body may answer and close without reading it.
        try:
            return connection.getresponse()
        except (OSError, HTTPException):
            pass
        raise
    return connection.getresponse()


def _latin(value: str) -> bytes:
    """A header's value in bytes: Latin-1 as HTTP has it, UTF-8 where that is not enough."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")
