"""Connections to PostgreSQL that threads take turns with."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from nodegx.runtime.errors import FatalError, StoreUnavailable

from .postgres_text import decoded, encoded

if TYPE_CHECKING:
    import psycopg
    from psycopg.adapt import AdaptersMap

    Connection = psycopg.Connection[tuple[Any, ...]]

DEFAULTS: Mapping[str, str | int] = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
    "application_name": "nodegx",
}
"""How connections behave, unless the URL says otherwise."""

_REASONS = (
    ("authentication failed", "the user or password is wrong"),
    ("no password supplied", "it wants a password"),
    ("Connection refused", "nothing listens there"),
    ("No such file", "nothing listens there"),
    ("timeout expired", "it does not answer"),
    ("could not translate host", "the host is unknown"),
    ("starting up", "it is starting"),
    ("shutting down", "it is stopping"),
    ("terminat", "it is stopping"),
    ("too many", "it has too many connections"),
    ("remaining connection slots", "it has too many connections"),
    ("SSL", "TLS was not agreed on"),
    ("does not exist", "there is no such database or user"),
)
"""What libpq's messages tell, without what they repeat of the URL."""


class Pool:
    """Up to `size` connections, made when they are needed.

    Args:
        url: `postgresql://…` as libpq reads it. Never part of a message.
        name: what messages call the database.
        session: settings of each connection's session.
        size: how many connections there may be.
        timeout: seconds to wait for one of them.

    Raises:
        FatalError: code `store.url`, the URL is none; `store.driver`, there is no driver.
    """

    def __init__(
        self, url: str, name: str, *, session: Mapping[str, str], size: int, timeout: float
    ) -> None:
        psycopg = driver()
        try:
            given = psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error:
            raise FatalError(f"{name}: this is no PostgreSQL URL", code="store.url") from None
        self._info = {**DEFAULTS, **given}
        self._name = name
        self._session = session
        self._timeout = timeout
        self._slots = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def connection(self, *, fresh: bool = False) -> Generator[tuple[Connection, bool]]:
        """A connection for the time of the `with`, and whether it was used before.

        Args:
            fresh: whether to make one anew, as those that lie idle have turned out to be dead.

        Raises:
            StoreUnavailable: there is none to be had.
        """
        if not self._slots.acquire(timeout=self._timeout):
            raise StoreUnavailable(f"{self._name} is overloaded: all its connections are in use")
        try:
            taken = None if fresh else self._take()
            if fresh:
                self._drop_idle()
            connection = taken or self._connect()
            try:
                yield connection, taken is not None
            finally:
                self._give_back(connection)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Closes what lies idle now, and what is in use once it is given back."""
        self._closed = True
        self._drop_idle()

    def _take(self) -> Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: Connection) -> None:
        idle = driver().pq.TransactionStatus.IDLE
        with self._lock:
            if not self._closed and connection.info.transaction_status == idle:
                self._idle.append(connection)
                return
        connection.close()

    def _drop_idle(self) -> None:
        with self._lock:
            dropped, self._idle = self._idle, []
        for connection in dropped:
            connection.close()

    def _connect(self) -> Connection:
        if self._closed:
            raise StoreUnavailable(f"{self._name} is closed")
        psycopg = driver()
        settings = [text for pair in self._session.items() for text in pair]
        calls = ", ".join(["set_config(%s, %s, false)"] * len(self._session))
        try:
            connection = psycopg.connect(**self._info, autocommit=True, context=_adapters())
            connection.execute(f"SELECT {calls}".encode(), settings)
        except psycopg.Error as error:
            raise StoreUnavailable(f"{self._name} cannot be reached: {_reason(error)}") from None
        return connection


def split_url(url: str, parameter: str) -> tuple[str, str | None]:
    """A URL without one of its query's parameters, and that."""
    base, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    found = [value for name, value in pairs if name == parameter]
    rest = urlencode([pair for pair in pairs if pair[0] != parameter], quote_via=quote)
    return f"{base}?{rest}" if rest else base, found[-1] if found else None


@cache
def driver() -> Any:
    """The module `psycopg`.

    Raises:
        FatalError: code `store.driver`; it is not installed.
    """
    try:
        import psycopg
    except ImportError as error:
        message = "PostgreSQL needs a driver: pip install 'nodegx[postgres]'"
        raise FatalError(message, code="store.driver") from error
    return psycopg


def _reason(error: Exception) -> str:
    text = str(error)
    return next((reason for part, reason in _REASONS if part in text), "the connection failed")


@cache
def _adapters() -> AdaptersMap:
    """How values travel: as the driver has it, but for texts."""
    from psycopg import adapters
    from psycopg.adapt import AdaptersMap
    from psycopg.types.string import StrDumperUnknown, TextBinaryLoader, TextLoader

    class Dumper(StrDumperUnknown):
        def dump(self, obj: str) -> bytes:
            return encoded(obj)

    class Loader(TextLoader):
        def load(self, data: Any) -> str:
            return decoded(data)

    class BinaryLoader(TextBinaryLoader):
        def load(self, data: Any) -> str:
            return decoded(data)

    made = AdaptersMap(adapters)
    made.register_dumper(str, Dumper)
    made.register_loader("text", Loader)
    made.register_loader("text", BinaryLoader)
    return made
