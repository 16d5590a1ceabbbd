"""What the keywords of JSON Schema share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, cast

Path = tuple[str | int, ...]
Schema = Mapping[str, Any] | bool


class Fault(NamedTuple):
    """Something in a value that its schema does not allow.

    `expected` is the keyword's value; `detail` is what the keyword adds: the missing key, the
    surplus keys, or for alternatives the faults of each.
    """

    path: Path
    keyword: str
    expected: Any
    instance: Any
    detail: Any = None


Check = Callable[[Any, Path, list[Fault]], None]
"""Appends what is wrong with a value at a path."""


class Schemas(Protocol):
    """Makes checks of the schemas inside a schema."""

    def schema(self, schema: Any) -> Check:
        """The check of one schema in the document."""
        ...

    def reference(self, pointer: Any) -> Check:
        """The check of the schema that a local reference names."""
        ...


Builder = Callable[[Any, Mapping[str, Any], Schemas], Check]
"""Makes the check of a keyword from its value and the schema it stands in."""

TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
}


class UnsupportedError(Exception):
    """The schema uses what only the library understands."""


def anything(value: Any, path: Path, faults: list[Fault]) -> None:
    """The check of `true`."""


def nothing(value: Any, path: Path, faults: list[Fault]) -> None:
    """The check of `false`."""
    faults.append(Fault(path, "false", False, value))


def in_turn(checks: list[Check]) -> Check:
    """All of the checks as one."""
    if not checks:
        return anything
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        for each in checks:
            each(value, path, faults)

    return check


def object_of(value: Any) -> Mapping[str, Any]:
    """The value of a keyword that must be an object."""
    if not isinstance(value, dict):
        raise UnsupportedError
    return cast("dict[str, Any]", value)


def array_of(value: Any) -> list[Any]:
    """The value of a keyword that must be an array."""
    if not isinstance(value, list):
        raise UnsupportedError
    return cast("list[Any]", value)


def fits(check: Check, value: Any) -> bool:
    """Whether a check finds no fault."""
    faults: list[Fault] = []
    check(value, (), faults)
    return not faults


def frozen(value: Any) -> Any:
    """A hashable stand-in that is equal for equal JSON values: true is not 1, but 1.0 is."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("array", *map(frozen, cast("list[Any]", value)))
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return ("object", frozenset((key, frozen(member)) for key, member in items))
    return value


def regex(pattern: Any) -> re.Pattern[str]:
    """A regular expression of a schema."""
    try:
        return re.compile(pattern)
    except (re.error, TypeError, RecursionError) as error:
        raise UnsupportedError(pattern) from error


def simple(
    keyword: str, applies: Callable[[Any], bool], wrong: Callable[[Any, Any], bool], kind: str
) -> Builder:
    """A keyword that compares values of one type with its own value, which must be a `kind`."""

    def builder(expected: Any, _: Mapping[str, Any], __: Schemas) -> Check:
        if not TYPES[kind](expected):
            raise UnsupportedError(expected)

        def check(value: Any, path: Path, faults: list[Fault]) -> None:
            if applies(value) and wrong(value, expected):
                faults.append(Fault(path, keyword, expected, value))

        return check

    return builder
