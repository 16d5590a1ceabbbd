"""Patterns: which events of the bus, and which changes of a table, reach a function at all.

A pattern lets through everything that the trigger takes, and as little else as it can express. What
it cannot express, and what AWS compares differently, the function checks again.
Sources: Amazon EventBridge User Guide, "Comparison operators for use in event patterns"; AWS Lambda
Developer Guide, "Using event filtering with a DynamoDB event source".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

SOURCE = "nodegx"
"""The source of events that workflows emit."""
MAX_PATTERN = 2048
"""Characters of a pattern."""
MAX_NUMBER = 5e9
"""EventBridge compares numbers up to here, with six decimals."""

Json = dict[str, Any]


def event_pattern(config: Mapping[str, Any]) -> Json:
    """The pattern of a `trigger.event`'s settings `{event, filter?}`."""
    pattern: Json = {"source": [SOURCE]}
    name = str(config["event"])
    if name.endswith("*"):
        if name != "*":
            pattern["detail-type"] = [{"prefix": name[:-1]}]
    else:
        pattern["detail-type"] = [name]
    for entry in cast("Sequence[Mapping[str, Any]]", config.get("filter") or ()):
        wanted = _matcher(entry)
        if wanted is not None:
            extended = _with(pattern, ["detail", "data", *str(entry["path"]).split(".")], wanted)
            if extended is not None and len(json.dumps(extended)) <= MAX_PATTERN:
                pattern = extended
    return pattern


def record_pattern(config: Mapping[str, Any]) -> Json:
    """The pattern of a `trigger.record`'s settings `{events?, filter?}`; empty takes everything."""
    pattern: Json = {}
    events = config.get("events") or ()
    if events:
        names = [events] if isinstance(events, str) else events
        pattern["eventName"] = [name.upper() for name in names]
    for entry in cast("Sequence[Mapping[str, Any]]", config.get("filter") or ()):
        root, *keys = str(entry["path"]).split(".")
        wanted = _matcher(entry)
        if root not in _IMAGES or not keys or not wanted:
            continue
        if not all(map(_is_of_text, wanted)):
            continue  # numbers are written as texts there, which compare otherwise
        # Values are wrapped in their types: maps in `M`, texts in `S`.
        path = ["dynamodb", _IMAGES[root], *".M.".join(keys).split("."), "S"]
        extended = _with(pattern, path, wanted)
        if extended is not None and len(json.dumps(extended)) <= MAX_PATTERN:
            pattern = extended
    return pattern


def input_template(trigger: str) -> str:
    """What a rule hands to its function: the event, marked with the id of the trigger."""
    return f'{{"nodegx": {{"trigger": {json.dumps(trigger)}}}, "event": <aws.events.event.json>}}'


_IMAGES = {"new": "NewImage", "old": "OldImage", "keys": "Keys"}


def _is_of_text(alternative: Any) -> bool:
    """Whether an alternative fits texts alone."""
    if isinstance(alternative, dict):
        return not alternative.keys().isdisjoint({"prefix", "suffix"})
    return isinstance(alternative, str)


def _with(pattern: Json, path: Sequence[str], wanted: list[Any]) -> Json | None:
    """A pattern with one more field; None where the field, or one around or inside it, has a
    condition already: alternatives stand in one list, and so cannot all be required."""
    key, *rest = path
    inner = pattern.get(key)
    if not rest:
        return None if inner is not None else {**pattern, key: wanted}
    if isinstance(inner, list):
        return None
    deeper = _with(cast("Json", inner or {}), rest, wanted)
    return None if deeper is None else {**pattern, key: deeper}


def _matcher(entry: Mapping[str, Any]) -> list[Any] | None:
    """What a field must be, or None where a pattern cannot say it without losing events.

    Indexes into lists cannot be said, as EventBridge looks at all items; nor keys that begin with
    `$`, which it reserves.
    """
    keys = str(entry["path"]).split(".")
    make = _MATCHERS.get(entry.get("op", "equals"))
    if make is None or any(key.isdecimal() or key.startswith("$") for key in keys):
        return None
    return make(entry.get("value"))


def _equal(value: Any) -> list[Any] | None:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return [value]
    return _numeric("=")(value)


def _any_of(value: Any) -> list[Any] | None:
    if not isinstance(value, list) or not value:
        return None
    found = [_equal(item) for item in cast("list[Any]", value)]
    if any(item is None for item in found):
        return None
    return [alternative for item in found for alternative in item or ()]


def _numeric(operator: str) -> Callable[[Any], list[Any] | None]:
    def make(value: Any) -> list[Any] | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if abs(value) > MAX_NUMBER or round(value, 6) != value:
            return None
        return [{"numeric": [operator, value]}]

    return make


def _text(operator: str) -> Callable[[Any], list[Any] | None]:
    return lambda value: [{operator: value}] if isinstance(value, str) and value else None


_MATCHERS: Mapping[Any, Callable[[Any], list[Any] | None]] = {
    "equals": _equal,
    "in": _any_of,
    "gt": _numeric(">"),
    "gte": _numeric(">="),
    "lt": _numeric("<"),
    "lte": _numeric("<="),
    "startsWith": _text("prefix"),
    "endsWith": _text("suffix"),
}
"""Operators with a counterpart. `notEquals` and `contains` have none: EventBridge's lose events
that have no such field, or an object there. So does its `exists`; for lists of objects, in either
sense."""
