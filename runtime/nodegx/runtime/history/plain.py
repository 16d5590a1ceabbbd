"""Any Python value as JSON data, for showing. Never raises an `Exception`, never runs long on
cycles, never consumes an iterator."""

from __future__ import annotations

import base64
import math
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from enum import Enum
from os import PathLike
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

MAX_DEPTH = 100  # deeper data is cut off; json.loads and browsers stop somewhere too
MAX_DIGITS = 4300  # Python's own limit for converting integers to text

_BYTES_SHOWN = 4096
_MORE = "<more>"


def plain(value: Any, room: int = sys.maxsize) -> Any:
    """`value` as new dicts, lists, text, finite numbers, booleans and None.

    Named tuples, dataclasses and mappings become objects; times ISO 8601 text; decimals and UUIDs
    text; sets lists; bytes an object with `$bytes`, their number, and the start of their content.
    What cannot be shown is named by its type: `<module.Type>`.

    Args:
        value: anything.
        room: about how many characters it may have as JSON text. What is beyond that is left out:
            a value that holds another one many times is small in memory and may be huge here. A
            text is there as a whole, the last one too, so that no secret is cut to pieces.
    """
    return _plain(value, 0, _Walk(room))


class _Walk:
    """Where a walk through a value is.

    Args:
        room: for how many more characters there is room.
    """

    __slots__ = ("above", "room")

    def __init__(self, room: int) -> None:
        self.above: set[int] = set()
        """Ids of the containers that are open."""
        self.room = room


def _plain(value: object, depth: int, walk: _Walk) -> Any:
    walk.room -= 1
    kind = type(value)
    if kind is str:
        return _text(value, walk)  # pyright: ignore[reportArgumentType]
    if kind is bool or value is None:
        return value
    convert = _SCALARS.get(kind)
    above = walk.above
    try:
        if convert is not None:
            return convert(value)
        if depth >= MAX_DEPTH:
            return "<too deep>"
        if id(value) in above:
            return "<cycle>"
        above.add(id(value))
        try:
            return _composite(value, depth + 1, walk)
        finally:
            above.discard(id(value))
    except Exception:  # a value may do anything when it is looked at
        return f"<{_type_name(kind)}>"


def _text(value: str, walk: _Walk) -> str:
    room = walk.room
    walk.room -= len(value)
    return value if room >= 0 else _MORE


def _composite(value: object, depth: int, walk: _Walk) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value, depth, walk)
    if isinstance(value, str):
        return _text(str.__str__(value), walk)
    for base, convert in _SCALAR_BASES:
        if isinstance(value, base):
            return convert(value)
    kind = type(value)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        names: Sequence[Any] = getattr(kind, "_fields")  # noqa: B009 - tuples have none
        return _object(zip(names, value, strict=False), depth, walk)  # pyright: ignore
    if isinstance(value, Mapping):
        return _object(list(value.items()), depth, walk)  # pyright: ignore
    if isinstance(value, (Sequence, Set, deque)):
        return _array(list(value), depth, walk)  # pyright: ignore
    if isinstance(value, BaseException):
        return {"$error": type(value).__name__, "message": str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        pairs = [(field.name, getattr(value, field.name, None)) for field in fields(value)]
        return _object(pairs, depth, walk)
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType)):
        return f"<function {value.__name__}>"
    if any((base.__module__, base.__name__) in _AS_TEXT for base in kind.__mro__):
        return str(value)
    dump = getattr(kind, "model_dump", None)
    if dump is not None:
        return _plain(dump(value), depth, walk)
    return f"<{_type_name(kind)}>"


def _array(items: list[Any], depth: int, walk: _Walk) -> list[Any]:
    shown: list[Any] = []
    for item in items:
        if walk.room < 0:
            shown.append(_MORE)
            break
        shown.append(_plain(item, depth, walk))
    return shown


def _object(pairs: Any, depth: int, walk: _Walk) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, item in pairs:
        if walk.room < 0:
            shown[_MORE] = None
            break
        name = _key(key)
        walk.room -= len(name)
        shown[name] = _plain(item, depth, walk)
    return shown


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    shown = plain(key)
    return shown if isinstance(shown, str) else str(shown)


def _integer(value: int) -> Any:
    bits = value.bit_length()
    return int(value) if bits < MAX_DIGITS * 3 else f"<integer of {bits} bits>"


def _float(value: float) -> Any:
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _bytes(value: bytes | bytearray | memoryview) -> dict[str, Any]:
    content = bytes(value)
    shown = content[:_BYTES_SHOWN]
    try:
        return {"$bytes": len(content), "text": shown.decode()}
    except UnicodeDecodeError:
        return {"$bytes": len(content), "base64": base64.b64encode(shown).decode()}


def _iso(value: date | time) -> str:
    return value.isoformat()


_SCALARS: dict[type, Any] = {
    int: _integer,
    float: _float,
    bytes: _bytes,
}
# By name, because importing what no workflow uses would slow every cold start down.
_AS_TEXT = frozenset({("decimal", "Decimal"), ("uuid", "UUID"), ("fractions", "Fraction")})
_SCALAR_BASES: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (bool, bool),
    (int, _integer),
    (float, _float),
    ((bytes, bytearray, memoryview), _bytes),
    ((date, time), _iso),
    (timedelta, timedelta.total_seconds),
    ((PathLike, complex), str),
)


def _type_name(kind: type) -> str:
    module, name = kind.__module__, kind.__qualname__
    return name if module in ("builtins", "__main__") else f"{module}.{name}"
