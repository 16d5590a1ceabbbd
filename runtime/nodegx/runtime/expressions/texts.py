"""Functions on text."""

from __future__ import annotations

from typing import Any

from .kinds import array, string, text, whole
from .limits import check_size, is_sequence


def upper(value: Any) -> str:
    """Upper case."""
    return string(value, "upper").upper()


def lower(value: Any) -> str:
    """Lower case."""
    return string(value, "lower").lower()


def trim(value: Any, chars: str | None = None) -> str:
    """Without white space, or the given characters, at both ends."""
    return string(value, "trim").strip(chars)


def split(value: Any, separator: str | None = None) -> list[str]:
    """The parts between separators: white space by default, every character if it is empty."""
    content = string(value, "split")
    return list(content) if separator == "" else content.split(separator)


def join(items: Any, separator: Any = "") -> str:
    """The elements, rendered as text, with the separator between them."""
    between = string(separator, "join")
    size = 0
    parts: list[str] = []
    for item in array(items, "join"):
        part = text(item)
        size += len(part) + len(between)
        check_size(size)
        parts.append(part)
    return between.join(parts)


def replace(value: Any, old: Any, new: Any, count: Any = -1) -> str:
    """Every occurrence of `old` replaced, or the first `count`."""
    content, before, after = (string(part, "replace") for part in (value, old, new))
    times = whole(count, "replace")
    if len(after) > len(before):
        found = content.count(before)
        replaced = found if times < 0 else min(found, times)
        check_size(len(content) + replaced * (len(after) - len(before)))
    return content.replace(before, after, times)


def repeat(value: Any, times: Any) -> Any:
    """A text, or an array of plain values, several times."""
    count = max(0, whole(times, "repeat"))
    if is_sequence(value):
        items = array(value, "repeat")
        check_size(count * sum(len(text(item)) + 1 for item in items))
        return items * count
    content = string(value, "repeat")
    check_size(len(content) * count)
    return content * count


def pad_start(value: Any, length: Any, fill: str = " ") -> str:
    """Filled up on the left."""
    size = _width(length, "padStart")
    return string(value, "padStart").rjust(size, fill)


def pad_end(value: Any, length: Any, fill: str = " ") -> str:
    """Filled up on the right."""
    size = _width(length, "padEnd")
    return string(value, "padEnd").ljust(size, fill)


def center(value: Any, length: Any, fill: str = " ") -> str:
    """Filled up on both sides."""
    size = _width(length, "center")
    return string(value, "center").center(size, fill)


def zfill(value: Any, length: Any) -> str:
    """Filled up with zeros after the sign."""
    size = _width(length, "zfill")
    return string(value, "zfill").zfill(size)


def _width(length: Any, function: str) -> int:
    size = whole(length, function)
    check_size(size)
    return size


def slug(value: Any) -> str:
    """Lower-case ASCII words joined by hyphens."""
    import re
    import unicodedata

    plain = unicodedata.normalize("NFKD", string(value, "slug")).encode("ascii", "ignore")
    return re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")


def truncate(value: Any, length: Any, suffix: str = "…") -> str:
    """At most `length` characters, the suffix of a shortened text included."""
    content = string(value, "truncate")
    size = max(0, whole(length, "truncate"))
    if len(content) <= size:
        return content
    return content[: max(0, size - len(suffix))] + suffix[:size]


def starts_with(value: Any, prefix: Any) -> bool:
    """Whether a value is text that starts with the prefix."""
    return isinstance(value, str) and value.startswith(string(prefix, "startsWith"))


def ends_with(value: Any, suffix: Any) -> bool:
    """Whether a value is text that ends with the suffix."""
    return isinstance(value, str) and value.endswith(string(suffix, "endsWith"))


def contains(value: Any, item: Any) -> bool:
    """Whether a text has a part, an array an element or an object a key; null has nothing."""
    if isinstance(value, str):
        return string(item, "contains") in value
    if isinstance(value, dict) and not isinstance(item, str | int | float):
        return False
    return value is not None and item in value


def escape_html(value: Any) -> str:
    """A value as text that is safe between HTML tags and in quoted attributes."""
    import html

    content = text(value)
    check_size(len(content))
    return html.escape(content)
