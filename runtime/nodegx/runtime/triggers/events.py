"""Internal events: their value, and who gets which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from .problem import ConfigError


class Event(NamedTuple):
    """The value of `trigger.event`. `time` is ISO text in UTC, `source` the id of the execution
    that emitted it."""

    name: str
    data: Any
    id: str
    time: str
    source: str


Condition = Callable[[Any], bool]
"""Tells whether data passes one comparison of a filter."""
Test = Callable[[Any, Any], bool]


class Subscription(NamedTuple):
    """Which events a trigger takes: those of `name` (or, for a `prefix`, all that begin with it)
    for which every condition holds."""

    name: str
    prefix: bool
    conditions: tuple[Condition, ...]

    def takes(self, event: Event) -> bool:
        """Whether the trigger starts for `event`."""
        named = event.name.startswith(self.name) if self.prefix else event.name == self.name
        return named and all(condition(event.data) for condition in self.conditions)


def subscription(config: Mapping[str, Any]) -> Subscription:
    """The subscription of a trigger's settings `{event, filter?}`. The name may end in `*`; a
    filter is a list of `{path, op?, value?}` over the event's data, all of which must hold.

    Raises:
        ConfigError: the name or a filter cannot work.
    """
    name = config.get("event")
    if not isinstance(name, str) or not name.strip():
        raise ConfigError("event must be a name")
    prefix = name.endswith("*")
    base = name.removesuffix("*")
    if "*" in base:
        raise ConfigError(f"the event name {name!r} may have a '*' only at its end")
    return Subscription(base, prefix, conditions(config.get("filter")))


def conditions(filter: Any) -> tuple[Condition, ...]:
    """The comparisons of a filter, a list of `{path, op?, value?}` or None; all must hold.

    Raises:
        ConfigError: one of them cannot work.
    """
    return tuple(_condition(entry) for entry in cast("Sequence[Mapping[str, Any]]", filter or ()))


def _condition(entry: Mapping[str, Any]) -> Condition:
    operator = entry.get("op", "equals")
    test = TESTS.get(operator)
    if test is None:
        raise ConfigError(f"a filter's op is one of {', '.join(TESTS)}, not {operator!r}")
    path = entry.get("path")
    if not isinstance(path, str) or not path:
        raise ConfigError("a filter needs a path, such as customer.tier")
    keys = path.split(".")
    expected = entry.get("value")

    def holds(data: Any) -> bool:
        try:
            return test(read(data, keys), expected)
        except TypeError:  # values that cannot be compared do not match
            return False

    return holds


class _Missing:
    """Stands for a path that leads nowhere."""


MISSING: Any = _Missing()


def read(data: Any, keys: Sequence[str]) -> Any:
    """The value at a path of keys and indexes; `MISSING` where it leads nowhere."""
    value = data
    for key in keys:
        if isinstance(value, Mapping):
            value = cast("Mapping[str, Any]", value).get(key, MISSING)
        elif isinstance(value, list) and key.isdecimal():
            items = cast("list[Any]", value)
            value = items[int(key)] if int(key) < len(items) else MISSING
        else:
            return MISSING
    return value


def _equal(value: Any, expected: Any) -> bool:
    """JSON equality: true is not 1."""
    return value == expected and isinstance(value, bool) == isinstance(expected, bool)


def _contains(value: Any, expected: Any) -> bool:
    if isinstance(value, str):
        return isinstance(expected, str) and expected in value
    if isinstance(value, list | dict):
        return expected in value
    return False


def _text(test: Callable[[str, str], bool]) -> Test:
    return lambda value, expected: (
        isinstance(value, str) and isinstance(expected, str) and test(value, expected)
    )


TESTS: dict[str, Test] = {
    "equals": _equal,
    "notEquals": lambda value, expected: not _equal(value, expected),
    "gt": lambda value, expected: value > expected,
    "gte": lambda value, expected: value >= expected,
    "lt": lambda value, expected: value < expected,
    "lte": lambda value, expected: value <= expected,
    "in": lambda value, expected: any(_equal(value, item) for item in expected),
    "contains": _contains,
    "startsWith": _text(str.startswith),
    "endsWith": _text(str.endswith),
    "exists": lambda value, _: value is not MISSING,
    "notExists": lambda value, _: value is MISSING,
}
