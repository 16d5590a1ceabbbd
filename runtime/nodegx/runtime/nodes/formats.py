"""The formats of JSON Schema that validation checks, without further libraries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from jsonschema import FormatChecker

_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
_PATTERNS = {
    "time": rf"(?ia){_TIME}",
    "date-time": rf"(?ia)\d{{4}}-\d\d-\d\d[T ]{_TIME}",
    "date": r"(?a)\d{4}-\d\d-\d\d",
    "email": (
        r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
        r"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
    ),
    "hostname": (
        r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
    ),
    "uuid": r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "json-pointer": r"(/([^/~]|~[01])*)*",
    "duration": (r"(?a)P(?!$)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)"),
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:[!#$%&'()*+,/0-9:;=?@A-Z\[\]_a-z~.-]*",
    "uri-reference": r"[!#$%&'()*+,/0-9:;=?@A-Z\[\]_a-z~.-]*",
}
_pattern = cache(re.compile)  # when first used: few formats are in use at a time


def _date(text: str) -> bool:
    date.fromisoformat(text)
    return True


def _date_time(text: str) -> bool:
    # A leap second is valid, but datetime knows none.
    datetime.fromisoformat(re.sub(r":60(?=[.Zz+-])", ":59", text.upper()))
    return True


def _url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.port is None or parts.port >= 0


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "date": _date,
    "date-time": _date_time,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "regex": re.compile,
    "uri": _url,
    "uri-reference": _url,
}
FORMATS = tuple(sorted({*_PATTERNS, *_VALUES}))
"""Names of all formats that are checked; others are not."""


def matches(name: str, value: Any) -> bool:
    """Whether a value has the format `name`. Values that are not text always do, as JSON Schema
    wants it, and so does everything for an unknown format."""
    if not isinstance(value, str):
        return True
    pattern = _PATTERNS.get(name)
    if pattern is not None and not _pattern(pattern).fullmatch(value):
        return False
    check = _VALUES.get(name)
    try:
        return check is None or check(value) is not False
    except (ValueError, AddressValueError, re.error, RecursionError):
        return False


def checker() -> FormatChecker:
    """The formats as jsonschema wants them."""
    from jsonschema import FormatChecker

    formats = FormatChecker(formats=())
    formats.checkers = {name: (_matcher(name), ()) for name in FORMATS}
    return formats


def _matcher(name: str) -> Callable[[object], bool]:
    return lambda value: matches(name, value)
