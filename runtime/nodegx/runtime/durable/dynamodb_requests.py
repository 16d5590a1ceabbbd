"""Requests to DynamoDB, written piece by piece: every name and value gets a placeholder, so that no
word is a reserved one and no text is taken for part of an expression."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

from nodegx.runtime.aws.client import AwsError
from nodegx.runtime.errors import StoreUnavailable

Value = dict[str, Any]
Item = dict[str, Value]

KEY = "pk"


def text(value: str) -> Value:
    """A text as an attribute."""
    return {"S": value}


def number(value: float) -> Value:
    """A number as an attribute."""
    return {"N": repr(value)}


def hashes(values: Iterable[bytes]) -> Value:
    """A set of hashes as an attribute; DynamoDB has no empty sets."""
    return {"BS": [b64encode(value).decode("ascii") for value in values]}


class Expressions:
    """The names and values of one request."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Value] = {}

    def name(self, *path: str) -> str:
        """The placeholder of an attribute, or of a key in one that is a map."""
        return ".".join(self._names.setdefault(part, f"#{len(self._names)}") for part in path)

    def value(self, value: Value) -> str:
        """The placeholder of a value."""
        placeholder = f":{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

    def placeholders(self) -> dict[str, Any]:
        """What a request needs besides its expressions."""
        found: dict[str, Any] = {}
        if self._names:
            found["ExpressionAttributeNames"] = {mark: name for name, mark in self._names.items()}
        if self._values:
            found["ExpressionAttributeValues"] = self._values
        return found


class Update(Expressions):
    """A change of one item.

    Args:
        table: name of the table.
        key: the item's key.
    """

    def __init__(self, table: str, key: str) -> None:
        super().__init__()
        self._table = table
        self._key = key
        self._clauses: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": [], "DELETE": []}
        self._conditions: list[str] = []

    def set(self, value: Value, *path: str) -> None:
        """Replaces an attribute."""
        self._clauses["SET"].append(f"{self.name(*path)} = {self.value(value)}")

    def set_or_remove(self, value: Value | None, name: str) -> None:
        """Replaces an attribute; None removes it."""
        if value is None:
            self.remove(name)
        else:
            self.set(value, name)

    def set_all(self, item: Item) -> None:
        """Replaces several attributes."""
        for name, value in item.items():
            self.set(value, name)

    def remove(self, *path: str) -> None:
        """Removes an attribute, if it is there."""
        self._clauses["REMOVE"].append(self.name(*path))

    def add(self, value: Value, name: str) -> None:
        """Adds to a number, or to a set."""
        self._clauses["ADD"].append(f"{self.name(name)} {self.value(value)}")

    def take_out(self, value: Value, name: str) -> None:
        """Takes members out of a set."""
        self._clauses["DELETE"].append(f"{self.name(name)} {self.value(value)}")

    def append(self, values: list[Value], name: str) -> None:
        """Adds to the end of a list, which need not be there."""
        mark, empty = self.name(name), self.value({"L": []})
        added = self.value({"L": values})
        whole = f"list_append(if_not_exists({mark}, {empty}), {added})"
        self._clauses["SET"].append(f"{mark} = {whole}")

    def when(self, condition: str) -> None:
        """Refuses the change unless the condition holds, and all others."""
        self._conditions.append(f"({condition})")

    def when_equal(self, value: Value, name: str) -> None:
        """Refuses the change unless an attribute has this value."""
        self.when(f"{self.name(name)} = {self.value(value)}")

    def when_there(self) -> None:
        """Refuses the change if there is no such item."""
        self.when(f"attribute_exists({self.name(KEY)})")

    def request(self, returned: str = "NONE") -> dict[str, Any]:
        """The request; `returned` is what of the item comes back, as DynamoDB calls it."""
        clauses = [f"{verb} {', '.join(each)}" for verb, each in self._clauses.items() if each]
        found: dict[str, Any] = {
            "TableName": self._table,
            "Key": {KEY: text(self._key)},
            "UpdateExpression": " ".join(clauses),
            "ReturnValues": returned,
            **self.placeholders(),
        }
        if self._conditions:
            found["ConditionExpression"] = " AND ".join(self._conditions)
        return found


@contextmanager
def unavailable() -> Generator[None]:
    """Turns failures that may pass into `StoreUnavailable`."""
    try:
        yield
    except AwsError as error:
        if error.retriable:
            message = f"The unfinished executions are unavailable: {error.message}"
            raise StoreUnavailable(message) from error
        raise
