"""A schema of a PostgreSQL database."""

# ruff: noqa: S608 - statements hold words of this module and the dialect; values are bound

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nodegx.runtime.errors import FatalError, NodegxError, StoreUnavailable

from .base import Cursor, Dialect, Schema
from .migrations import migrate
from .postgres_pool import Pool, driver, split_url

if TYPE_CHECKING:
    from .postgres_pool import Connection

POSTGRES = Dialect(
    text='TEXT COLLATE "C"',
    blob="BYTEA",
    lock=" FOR UPDATE",
    skip=" FOR UPDATE SKIP LOCKED",
    # Of the start of the statement: an index can be searched for that, as it does not go on.
    now="extract(epoch FROM statement_timestamp())::float8",
    up="extract(epoch FROM pg_postmaster_start_time())::float8",
    like="lower({} COLLATE \"C\") LIKE ? ESCAPE '!'",
)

SCHEMA = "nodegx"
"""Where tables lie unless the URL names another schema."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PASSING = ("08", "25006", "40", "53", "55P03", "57", "58")
"""How codes of errors begin that may pass: connections, standby servers, conflicts, resources,
locks, interventions, the system."""


class PostgresDatabase:
    """A `Database` in one schema.

    Args:
        url: `postgresql://…` as libpq reads it, with `schema=…` in its query for another schema
            than `nodegx`, which is made if missing. Never part of a message.
        name: what messages call it, such as `The history`.
        size: how many connections there may be.
        timeout: seconds to wait for a connection or a lock; a statement may take twice that.

    Raises:
        FatalError: the URL is none, or there is no driver.
    """

    def __init__(self, url: str, name: str, *, size: int = 8, timeout: float = 15.0) -> None:
        self.dialect = POSTGRES
        self._name = name
        url, schema = split_url(url, "schema")
        self._schema = schema or SCHEMA
        if not _NAME.fullmatch(self._schema):
            message = f"{name}: a schema's name has lower-case letters, digits and _ only"
            raise FatalError(message, code="store.url")
        milliseconds = int(timeout * 1000)
        session = {
            "search_path": self._schema,
            "client_encoding": "utf8",
            "lock_timeout": str(milliseconds),
            "statement_timeout": str(2 * milliseconds),
            "idle_in_transaction_session_timeout": str(2 * milliseconds),
        }
        self._pool = Pool(url, name, session=session, size=size, timeout=timeout)

    def migrate(self, *schemas: Schema) -> None:
        """See `Database`."""
        if all(self._is_newest(schema) for schema in schemas):
            return
        key = int.from_bytes(blake2b(f"nodegx:{self._schema}".encode(), digest_size=8).digest())
        with self.transaction() as session:
            session.execute("SELECT pg_advisory_xact_lock(?)", (key - 2**63,))
            session.execute("SET LOCAL statement_timeout = 0")
            if session.execute("SHOW server_encoding").fetchone()[0] != "UTF8":
                raise StoreUnavailable(f"{self._name} needs a database whose encoding is UTF8")
            there = session.execute(
                "SELECT 1 FROM pg_namespace WHERE nspname = ?", (self._schema,)
            ).fetchone()
            if there is None:  # asked first: `IF NOT EXISTS` wants the right to make it anyway
                session.execute(f"CREATE SCHEMA {self._schema}")
            for schema in schemas:
                try:
                    migrate(session, POSTGRES, schema)
                except ValueError as error:
                    raise StoreUnavailable(f"{self._name} cannot be opened: {error}") from error

    @contextlib.contextmanager
    def transaction(self, *, synced: bool = False) -> Generator[PostgresSession]:
        """See `Database`. Other sessions' transactions go on at the same time."""
        with self._translated(), self._begun() as connection:
            try:
                yield PostgresSession(connection)
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(driver().Error):
                    connection.execute("ROLLBACK")
                raise

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """See `Database`."""
        with self._translated(), contextlib.ExitStack() as stack:
            connection, used = stack.enter_context(self._pool.connection())
            try:
                return PostgresSession(connection).execute(sql, values).fetchall()
            except driver().Error:
                if not (used and connection.closed):
                    raise
            stack.close()
            connection, _ = stack.enter_context(self._pool.connection(fresh=True))
            return PostgresSession(connection).execute(sql, values).fetchall()

    def close(self) -> None:
        """See `Database`."""
        self._pool.close()

    def _is_newest(self, schema: Schema) -> bool:
        if not self.read("SELECT 1 WHERE to_regclass(?) IS NOT NULL", (schema.table,)):
            return False
        return self.read(f"SELECT max(number) FROM {schema.table}")[0][0] == len(schema.steps)

    @contextlib.contextmanager
    def _begun(self) -> Generator[Connection]:
        """A connection in a transaction. One that died while it lay idle is replaced."""
        with contextlib.ExitStack() as stack:
            connection, used = stack.enter_context(self._pool.connection())
            try:
                connection.execute("BEGIN")
            except driver().Error:
                if not (used and connection.closed):
                    raise
                stack.close()
                connection, _ = stack.enter_context(self._pool.connection(fresh=True))
                connection.execute("BEGIN")
            yield connection

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        """Turns the driver's errors into ours. Its messages are not trusted with values."""
        psycopg = driver()
        try:
            yield
        except psycopg.Error as error:
            lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
            state: str = error.sqlstate or ("08000" if lost else "")
            reason: str = error.diag.message_primary or (
                "the connection was lost" if lost else type(error).__name__
            )
            if state.startswith(_PASSING):
                raise StoreUnavailable(f"{self._name} is unavailable: {reason}") from None
            raise NodegxError(f"{self._name} refused it: {reason}", code="store.refused") from None


class PostgresSession:
    """A `Session` on a connection."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Cursor:
        """See `Session`."""
        return self._connection.execute(_marked(sql), values, binary=True)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Cursor:
        """See `Session`."""
        cursor = self._connection.cursor()
        cursor.executemany(_marked(sql), rows)
        return cursor


@lru_cache(maxsize=1024)
def _marked(sql: str) -> bytes:
    """A statement with the driver's placeholders."""
    return sql.replace("%", "%%").replace("?", "%s").encode()
