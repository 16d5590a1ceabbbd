"""Values of a workflow as text that gives the very same values back.

The text is JSON. What JSON has no word for is an object with the single key `$`, whose value is a
list of a tag and what belongs to it: `{"$": ["datetime", "2026-11-28T09:00:00+00:00"]}`. Secrets
that the execution has read never get into the text: their places hold their names, and get back
whatever value the secret has by then. Only sets come back as something else: as lists, sorted.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, cast

from nodegx.runtime.errors import FatalError
from nodegx.runtime.history.secret_values import SHORTEST

TAG = "$"
OURS = "nodegx.runtime."
"""Modules whose named tuples may be rebuilt; a journal never decides what else is imported."""

MAX_DEPTH = 200

_dump = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


class Codec:
    """Encodes and decodes the values of one execution.

    Args:
        secrets: all secrets by name, for decoding.
        read: those that the execution has read so far, by name.
    """

    __slots__ = ("_read", "_secrets")

    def __init__(self, secrets: Mapping[str, str], read: Mapping[str, str]) -> None:
        self._secrets = secrets
        self._read = read

    def encode(self, value: Any) -> str:
        """`value` as ASCII text.

        Raises:
            FatalError: code `journal.value`; it holds something that could not be given back.
        """
        return _dump(self._plain(value, 0, strict=True))

    def decode(self, text: str) -> Any:
        """The value that `encode` wrote.

        Raises:
            FatalError: code `journal.value`; the text is none of `encode`'s. Code
                `secret.missing`; a secret in it is gone.
        """
        try:
            return json.loads(text, object_hook=self._restore)
        except _UNREADABLE as error:
            raise FatalError(f"The journal cannot be read: {error}", code="journal.value") from None

    def copy(self, value: Any) -> Any:
        """An equal value that shares nothing with it."""
        return self.decode(self.encode(value))

    def digest(self, value: Any) -> str:
        """A hash of any value that is the same in every process; of what cannot be encoded, its
        type counts."""
        text = _dump(self._plain(value, 0, strict=False))
        return blake2b(text.encode("ascii"), digest_size=8).hexdigest()

    # --- encoding ------------------------------------------------------------------------------

    def _plain(self, value: Any, depth: int, *, strict: bool) -> Any:
        kind = cast("type[Any]", type(value))
        if kind is str:
            return self._text(value) if self._read else value
        if kind is int or kind is bool or value is None:
            return value
        if kind is float:
            return value if math.isfinite(value) else {TAG: ["float", repr(value)]}
        if depth > MAX_DEPTH:
            raise FatalError("The value is nested too deeply", code="journal.value")
        if kind is list:
            items = cast("list[Any]", value)
            return [self._plain(item, depth + 1, strict=strict) for item in items]
        if kind is dict:
            return self._object(value, depth, strict)
        encode = _SCALARS.get(kind)
        if encode is not None:
            return {TAG: [*encode(value)]}
        if kind is tuple:
            return {TAG: ["tuple", [self._plain(item, depth + 1, strict=strict) for item in value]]}
        if kind is set or kind is frozenset:
            # As a list: the order of a set is another one in each process.
            return sorted(
                [self._plain(item, depth + 1, strict=strict) for item in value], key=_dump
            )
        if _is_ours(kind):
            items = [self._plain(item, depth + 1, strict=strict) for item in value]
            return {TAG: ["record", f"{kind.__module__}:{kind.__qualname__}", items]}
        return self._foreign(value, kind, depth, strict)

    def _foreign(self, value: Any, kind: type[Any], depth: int, strict: bool) -> Any:
        if _named(kind, "decimal", "Decimal"):
            return {TAG: ["decimal", str(value)]}
        if _named(kind, "uuid", "UUID"):
            return {TAG: ["uuid", str(value)]}
        if isinstance(value, str):
            return self._plain(str.__str__(value), depth, strict=strict)
        if isinstance(value, Mapping) and not strict:
            return self._object(dict(cast("Mapping[Any, Any]", value)), depth, strict)
        if strict:
            raise FatalError(
                f"A {kind.__name__} cannot be kept while the workflow waits; use JSON data",
                code="journal.value",
            )
        if isinstance(value, FunctionType | MethodType | BuiltinFunctionType):
            return {TAG: ["function", value.__name__]}
        return {TAG: ["type", kind.__name__]}

    def _object(self, value: dict[Any, Any], depth: int, strict: bool) -> Any:
        plain = {
            key: self._plain(item, depth + 1, strict=strict)
            for key, item in value.items()
            if type(key) is str
        }
        if len(plain) == len(value) and TAG not in plain and not self._hides(plain):
            return plain
        pairs = [
            [
                self._plain(key, depth + 1, strict=strict),
                self._plain(item, depth + 1, strict=strict),
            ]
            for key, item in value.items()
        ]
        return {TAG: ["object", pairs]}

    def _hides(self, keys: Iterable[str]) -> bool:
        """Whether a secret is in one of the keys."""
        return bool(self._read) and any(type(self._text(key)) is not str for key in keys)

    def _text(self, text: str) -> Any:
        """A text; if secrets are in it, as its parts."""
        for name, secret in self._read.items():
            if text == secret:
                return {TAG: ["text", [{TAG: ["secret", name]}]]}
            if len(secret) >= SHORTEST and secret in text:
                parts: list[Any] = []
                for number, part in enumerate(text.split(secret)):
                    if number:
                        parts.append({TAG: ["secret", name]})
                    inner: Any = self._text(part) if part else ""
                    parts += [inner] if type(inner) is str else inner[TAG][1]
                return {TAG: ["text", parts]}
        return text

    # --- decoding ------------------------------------------------------------------------------

    def _restore(self, found: dict[str, Any]) -> Any:
        if TAG not in found:
            return found
        tag, *rest = found[TAG]
        if tag == "secret":
            return self._secrets[rest[0]]
        return _DECODERS[tag](*rest)


def _is_ours(kind: type[Any]) -> bool:
    return (
        kind.__module__.startswith(OURS)
        and hasattr(cast("Any", kind), "_make")
        and issubclass(kind, tuple)
    )


def _named(kind: type[Any], module: str, name: str) -> bool:
    """By name, because importing what no workflow uses would slow every start down."""
    return kind.__module__ == module and kind.__name__ == name


def _record(name: str, values: list[Any]) -> Any:
    module, _, qualified = name.partition(":")
    if not module.startswith(OURS):
        raise ValueError(f"{name} is not a record of the runtime")
    found: Any = import_module(module)
    for part in qualified.split("."):
        found = getattr(found, part)
    if not (isinstance(found, type) and _is_ours(found)):
        raise ValueError(f"{name} is not a record of the runtime")
    make: Callable[..., Any] = found
    return make(*values)


def _bytearray(text: str) -> bytearray:
    return bytearray(_bytes(text))


def _timedelta(parts: list[int]) -> timedelta:
    return timedelta(*parts)


def _decimal(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


def _uuid(text: str) -> Any:
    from uuid import UUID

    return UUID(text)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    ImportError,
    RecursionError,
)

_SCALARS: dict[type, Callable[[Any], tuple[str, Any]]] = {
    bytes: lambda value: ("bytes", base64.b64encode(value).decode("ascii")),
    bytearray: lambda value: ("bytearray", base64.b64encode(value).decode("ascii")),
    datetime: lambda value: ("datetime", value.isoformat()),
    date: lambda value: ("date", value.isoformat()),
    time: lambda value: ("time", value.isoformat()),
    timedelta: lambda value: ("timedelta", [value.days, value.seconds, value.microseconds]),
}

_DECODERS: dict[str, Callable[..., Any]] = {
    "bytes": _bytes,
    "bytearray": _bytearray,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": _timedelta,
    "decimal": _decimal,
    "uuid": _uuid,
    "float": float,
    "tuple": tuple,
    "object": dict,
    "text": "".join,
    "record": _record,
}
