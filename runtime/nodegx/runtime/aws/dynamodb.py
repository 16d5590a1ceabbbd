"""DynamoDB's typed JSON as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def plain_item(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An item's attributes as plain values. Binary attributes stay base64 text, sets become
    lists, whole numbers int and others float."""
    return {name: plain_value(value) for name, value in item.items()}


def plain_value(value: Mapping[str, Any]) -> Any:
    """One attribute value such as `{"N": "1"}`.

    Raises:
        ValueError: it has no type that DynamoDB knows.
    """
    [(kind, inner)] = value.items()
    convert = _PLAIN.get(kind)
    if convert is None:
        raise ValueError(f"unknown attribute type {kind!r}")
    return convert(inner)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": _number,
    "B": str,
    "BOOL": bool,
    "NULL": lambda _: None,
    "L": lambda items: [plain_value(item) for item in items],
    "M": plain_item,
    "SS": list,
    "BS": list,
    "NS": lambda items: [_number(item) for item in items],
}
