"""Any Python value as JSON data, for showing. Never raises an `Exception`, never runs long on
cycles, never consumes an iterator."""

from __future__ import annotations

import base64
import math
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


def plain(value: Any) -> Any:
    """`value` as new dicts, lists, text, finite numbers, booleans and None.

    Named tuples, dataclasses and mappings become objects; times ISO 8601 text; decimals and UUIDs
    text; sets lists; bytes an object with `$bytes`, their number, and the start of their content.
    What cannot be shown is named by its type: `<module.Type>`.
    """
    return _plain(value, 0, set())


def _plain(value: object, depth: int, above: set[int]) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    convert = _SCALARS.get(kind)
    try:
        if convert is not None:
            return convert(value)
        if depth >= MAX_DEPTH:
            return "<too deep>"
        if id(value) in above:
            return "<cycle>"
        above.add(id(value))
        try:
            return _composite(value, depth + 1, above)
        finally:
            above.discard(id(value))
    except Exception:  # a value may do anything when it is looked at
        return f"<{_type_name(kind)}>"


def _composite(value: object, depth: int, above: set[int]) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value, depth, above)
    for base, convert in _SCALAR_BASES:
        if isinstance(value, base):
            return convert(value)
    kind = type(value)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        names: Sequence[Any] = getattr(kind, "_fields")  # noqa: B009 - tuples have none
        return _object(zip(names, value, strict=False), depth, above)  # pyright: ignore
    if isinstance(value, Mapping):
        return _object(list(value.items()), depth, above)  # pyright: ignore
    if isinstance(value, (Sequence, Set, deque)):
        return [_plain(item, depth, above) for item in list(value)]  # pyright: ignore
    if isinstance(value, BaseException):
        return {"$error": type(value).__name__, "message": str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        pairs = [(field.name, getattr(value, field.name, None)) for field in fields(value)]
        return _object(pairs, depth, above)
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType)):
        return f"<function {value.__name__}>"
    if any((base.__module__, base.__name__) in _AS_TEXT for base in kind.__mro__):
        return str(value)
    dump = getattr(kind, "model_dump", None)
    if dump is not None:
        return _plain(dump(value), depth, above)
    return f"<{_type_name(kind)}>"


def _object(pairs: Any, depth: int, above: set[int]) -> dict[str, Any]:
    return {_key(key): _plain(item, depth, above) for key, item in pairs}


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
    (str, str.__str__),
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
