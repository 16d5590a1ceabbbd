"""What the server's own endpoints get and give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, cast

from nodegx.runtime.triggers.body import parse_json, read
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.triggers.webhook import Receive

MAX_BODY = 10_000_000
MAX_PAGE = 500


class Call(NamedTuple):
    """A request to an endpoint. `client` is the caller's address."""

    params: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    receive: Receive
    client: str = ""

    async def json(self) -> Any:
        """The body; None where there is none."""
        raw = await read(self.receive, dict(self.headers), MAX_BODY)
        return parse_json(raw, "") if raw else None

    def require_json(self) -> None:
        """Refuses what forms of web pages can send without asking first.

        Raises:
            Problem: 415.
        """
        media = self.headers.get("content-type", "application/json").partition(";")[0].strip()
        if media.lower() != "application/json":
            raise Problem(415, "The body must be application/json.")

    async def object(self, *names: str) -> dict[str, Any]:
        """The body, an object with no keys but these; an empty one where there is none.

        Raises:
            Problem: 400; it is something else. 415; it is no JSON.
        """
        self.require_json()
        given = await self.json()
        return checked_object(given if given is not None else {}, names, "The body")

    def limit(self, default: int = 50) -> int:
        """How many entries of a list are wanted.

        Raises:
            ValueError: that is no number.
        """
        return min(max(int(self.query.get("limit", default)), 1), MAX_PAGE)


class Answer(NamedTuple):
    """What an endpoint answers, as JSON."""

    body: Any
    status: int = 200


Endpoint = Callable[[Call], Awaitable[Answer]]
Endpoints = tuple[tuple[str, str, Endpoint], ...]
"""Endpoints by method and path."""


def checked_object(given: Any, names: tuple[str, ...], what: str) -> dict[str, Any]:
    """An object that has no keys but these.

    Raises:
        Problem: 400; it is something else.
    """
    if not isinstance(given, dict):
        raise Problem(400, f"{what} must be an object.")
    fields = cast("dict[str, Any]", given)
    unknown = ", ".join(sorted(fields.keys() - set(names)))
    if unknown:
        known = ", ".join(names) or "nothing"
        raise Problem(400, f"{what} may have {known}, not {unknown}.")
    return fields


def typed(fields: Mapping[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """A member of an object that must be of a type, if it is there.

    Raises:
        Problem: 400; it is something else.
    """
    value = fields.get(name)
    if value is None:
        return default
    wrong = isinstance(value, bool) and kind is not bool
    if wrong or not isinstance(value, (int, float) if kind is float else kind):
        raise Problem(400, f"`{name}` must be {_KINDS[kind]}.")
    return value


_KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
