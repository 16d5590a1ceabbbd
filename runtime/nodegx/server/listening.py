"""What a server listens on and runs on."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable


class ServerError(Exception):
    """The server cannot start. The message tells its operator why."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ServerError: the address is taken, or none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise ServerError(f"cannot listen on {host}: {exc.strerror or exc}") from None
    try:
        if sys.platform != "win32":  # there it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(4096)
        listener.setblocking(False)
    except OSError as exc:
        listener.close()
        raise ServerError(f"cannot listen on {host}:{port}: {exc.strerror}") from None
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fastest event loop there is here."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
