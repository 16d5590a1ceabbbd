"""Functions on objects."""

from __future__ import annotations

from typing import Any

from .kinds import array, mapping
from .limits import is_sequence, wrong


def keys(value: Any) -> list[str]:
    """The keys, in order."""
    return list(mapping(value, "keys"))


def values(value: Any) -> list[Any]:
    """The values, in order."""
    return list(mapping(value, "values").values())


def entries(value: Any) -> list[list[Any]]:
    """[key, value] pairs, in order."""
    return [[key, item] for key, item in mapping(value, "entries").items()]


def from_entries(pairs: Any) -> dict[str, Any]:
    """An object from [key, value] pairs; later ones win."""
    result: dict[str, Any] = {}
    for pair in array(pairs, "fromEntries"):
        if not is_sequence(pair) or len(pair) != 2:
            raise wrong("fromEntries() takes [key, value] pairs")
        key = pair[0]
        if not isinstance(key, str):
            raise wrong("the keys of an object are text")
        result[key] = pair[1]
    return result


def merge(*parts: Any) -> dict[str, Any]:
    """One object of all; later keys win. null counts as empty."""
    result: dict[str, Any] = {}
    for part in parts:
        if part is not None:
            result.update(mapping(part, "merge"))
    return result


def pick(value: Any, *names: str) -> dict[str, Any]:
    """Only these keys, as far as they exist."""
    source = mapping(value, "pick")
    return {name: source[name] for name in names if name in source}


def omit(value: Any, *names: str) -> dict[str, Any]:
    """All but these keys."""
    return {key: item for key, item in mapping(value, "omit").items() if key not in names}
