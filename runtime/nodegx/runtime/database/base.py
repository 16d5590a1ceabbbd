"""What a store needs of a database, and where SQL differs from one to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

BATCH = 500
"""Values of one `IN (…)`, and rows of one deleting transaction, so that others need not wait long."""


class Dialect(NamedTuple):
    """Pieces of SQL that differ."""

    text: str
    """Type of texts that are compared by their bytes."""
    blob: str
    """Type of bytes."""
    lock: str
    """Ends a SELECT whose rows nobody else may change until the transaction is over."""
    skip: str
    """The same, leaving out the rows that somebody else is changing."""
    now: str
    """Seconds since the epoch, on a clock that all processes of this database share."""
    up: str
    """When the database came up, on that clock."""
    like: str
    """Whether `{}` is like a pattern in lower case, where ASCII letters alone have a case."""


class Cursor(Protocol):
    """The outcome of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        ...

    def fetchone(self) -> Any:
        """The first row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows."""
        ...


class Session(Protocol):
    """A transaction."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Cursor:
        """Runs a statement."""
        ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Cursor:
        """Runs a statement once for each row of values."""
        ...


class Schema(NamedTuple):
    """Tables, made by numbered steps that are never changed, only added to.

    Args:
        table: where the steps that were taken are noted.
        steps: the statements of each step; `{text}` and `{blob}` stand for the dialect's types.
    """

    table: str
    steps: tuple[tuple[str, ...], ...]


class Database(Protocol):
    """A database, for any number of threads."""

    dialect: Dialect

    def migrate(self, *schemas: Schema) -> None:
        """Brings the tables of each schema to its newest step, in one transaction.

        Raises:
            StoreUnavailable: that is not possible, or a newer version of this package made them.
        """
        ...

    def transaction(self, *, synced: bool = False) -> AbstractContextManager[Session]:
        """A transaction: committed at the end of the `with`, rolled back if that raises.

        Args:
            synced: whether it must outlive a loss of power, even where others need not.

        Raises:
            StoreUnavailable: the database cannot be written for now.
        """
        ...

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a SELECT.

        Raises:
            StoreUnavailable: the database cannot be read for now.
        """
        ...

    def close(self) -> None:
        """Lets go of files and connections. Closing twice is harmless."""
        ...


def marks(values: Sequence[Any]) -> str:
    """The placeholders of that many values."""
    return ",".join("?" * len(values))


def batches(values: Sequence[str]) -> Iterable[Sequence[str]]:
    """The values, as many at a time as one `IN (…)` takes."""
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))
