"""Values as JSON sees them: text, types, equality, order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

from .limits import check_size, is_array, is_object, weigh, wrong

_TYPE_NAMES: dict[Any, str] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
}
_PLAIN = (str, int, float)
_NUMBER = re.compile(r"\s*[+-]?(\d+|\d*\.\d+|\d+\.)([eE][+-]?\d{1,4})?\s*", re.ASCII)
_MAX_INDENT = 8


class Missing:
    """The type of `MISSING`: no default was given."""


MISSING: Final = Missing()


def type_of(value: Any) -> str:
    """`null`, `boolean`, `number`, `string`, `array` or `object`."""
    return _TYPE_NAMES.get(value.__class__, "object")


def _plain(value: Any) -> Any:
    """What JSON is made of, for values that nodes may hand on besides it."""
    if is_array(value):
        return sorted(value, key=order)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return f"<{type(value).__name__}>"


_compact = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=False
).encode


def to_json(value: Any, indent: int | None = None) -> str:
    """Writes JSON, compact unless `indent` is a number of spaces (8 at most).

    Raises:
        FatalError: the text would be too long, or the value holds itself, NaN or Infinity.
    """
    weigh(value)
    try:
        if indent is None:
            return _compact(value)
        return json.dumps(
            value,
            ensure_ascii=False,
            indent=max(0, min(int(indent), _MAX_INDENT)),
            default=_plain,
            allow_nan=False,
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise wrong(f"the value cannot be written as JSON: {error}") from None


def parse_json(text: Any, default: Any = MISSING) -> Any:
    """Reads JSON.

    Raises:
        FatalError: it is not JSON and there is no default.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, TypeError, RecursionError) as error:
        if default is not MISSING:
            return default
        raise wrong(f"parseJson() cannot read the text: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def text(value: Any) -> str:
    """Renders a value as text: null is empty, true and false are words, arrays and objects JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, bytes) or hasattr(value, "isoformat"):
        return str(_plain(value))
    return to_json(value)


def concat(*values: Any) -> str:
    """The values rendered as text, one after the other."""
    parts = [text(value) for value in values]
    check_size(sum(map(len, parts)))
    return "".join(parts)


def formatted(value: Any, spec: str) -> str:
    """A number or text in a format of Python's."""
    if not isinstance(value, _PLAIN):
        raise wrong(f"{type_of(value)} has no format {spec!r}")
    return format(value, spec)


def string(value: Any, function: str) -> str:
    """The text that a function works on; numbers and booleans are rendered.

    Raises:
        FatalError: the value is null, an array or an object.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return text(value)
    raise wrong(f"{function}() takes text, this is {type_of(value)}")


def array(value: Any, function: str) -> list[Any]:
    """The list that a function works on; of a set, which code may have returned, in an order that
    is the same in every process.

    Raises:
        FatalError: the value is not an array.
    """
    if isinstance(value, list):
        return cast("list[Any]", value)
    if is_array(value):
        return list(value) if isinstance(value, tuple) else sorted(value, key=order)
    raise wrong(f"{function}() takes an array, this is {type_of(value)}")


def mapping(value: Any, function: str) -> dict[str, Any]:
    """The object that a function works on.

    Raises:
        FatalError: the value is not an object.
    """
    if is_object(value):
        return value
    raise wrong(f"{function}() takes an object, this is {type_of(value)}")


def whole(value: Any, function: str) -> int:
    """The whole number that a function works with.

    Raises:
        FatalError: the value is anything else.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise wrong(f"{function}() takes a whole number, this is {text(value)[:40] or 'null'}")


def number(value: Any, default: Any = MISSING) -> Any:
    """Reads a number from a number, a boolean or text.

    Raises:
        FatalError: it is none, or not finite, and there is no default.
    """
    result: int | float | None = None
    if isinstance(value, bool):
        result = int(value)
    elif isinstance(value, int | float):
        result = value
    elif isinstance(value, str) and len(value) <= 400 and _NUMBER.fullmatch(value):
        result = int(value) if value.strip().lstrip("+-").isdigit() else float(value)
    if result is not None and abs(result) != float("inf") and result == result:
        return result
    if default is not MISSING:
        return default
    raise wrong(f"number() cannot read {text(value)[:40]!r}")


def identity(value: Any) -> Any:
    """A hashable stand-in: equal for equal JSON, and 1 is not true. The value has been weighed."""
    if isinstance(value, bool):
        return ("boolean", value)
    if value is None or isinstance(value, _PLAIN):
        return value
    return ("json", json.dumps(value, sort_keys=True, default=_plain))


def order(value: Any) -> tuple[int, Any]:
    """A sort key for any JSON: null, booleans, numbers, text, then the rest by its JSON."""
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, int | float):
        return (2, value)
    if isinstance(value, str):
        return (3, value)
    return (4, to_json(value))


def is_empty(value: Any) -> bool:
    """Whether a value is null, or text, an array or an object without anything in it."""
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


def default(value: Any, fallback: Any) -> Any:
    """The fallback if the value is null."""
    return fallback if value is None else value


def coalesce(*values: Any) -> Any:
    """The first value that is not null, or null."""
    return next((value for value in values if value is not None), None)


def by(path: Any, read: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """A function that reads a path, or gives the whole value if there is none."""
    return (lambda item: item) if path is None else (lambda item: read(item, path))
