"""Functions on dates: ISO 8601 text in, ISO 8601 text out.

A date without an offset is in UTC. Numbers are seconds since 1970, or milliseconds if they are too
large for that. Nothing depends on the machine: neither its time zone nor its language.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .kinds import string, text, whole
from .limits import wrong

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

_MILLISECONDS = 1e11
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIRECTIVES = frozenset("aAbBdfHIjmMpSuUVwWyYGzZ%")
_MAX_FORMAT = 200
_SECONDS = {
    "millisecond": 0.001,
    "second": 1.0,
    "minute": 60.0,
    "hour": 3_600.0,
    "day": 86_400.0,
    "week": 604_800.0,
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_OWN: dict[str, Callable[[datetime], str]] = {
    "a": lambda moment: _DAY_NAMES[moment.weekday()][:3],
    "A": lambda moment: _DAY_NAMES[moment.weekday()],
    "b": lambda moment: _MONTH_NAMES[moment.month - 1][:3],
    "B": lambda moment: _MONTH_NAMES[moment.month - 1],
    "p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "Y": lambda moment: f"{moment.year:04d}",
}
"""What `strftime` writes in the language of the machine, or in the way of its C library."""
_ZONE_NAMES = ("UTC", "GMT")
"""Zones that are read by name. Whatever else `strptime` knows is the machine's own."""


def _zone(name: Any) -> tzinfo:
    from datetime import UTC

    if name is None or name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(string(name, "timezone"))
    except (KeyError, ValueError, OSError):
        raise wrong(f"there is no time zone {text(name)[:60]!r}") from None


def _moment(date: Any) -> datetime:
    from datetime import UTC, datetime

    moment: Any = date
    try:
        if hasattr(date, "isoformat"):
            moment = datetime.fromisoformat(date.isoformat())
        elif isinstance(date, str):
            moment = datetime.fromisoformat(date.strip())
        elif isinstance(date, int | float) and not isinstance(date, bool):
            seconds = date / 1000 if abs(date) >= _MILLISECONDS else date
            moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        moment = None
    if not isinstance(moment, datetime):
        raise wrong(f"{text(date)[:60]!r} is not a date; write it like 2026-01-31T12:00:00Z")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _unit(unit: Any, known: tuple[str, ...]) -> str:
    name = string(unit, "unit").lower().removesuffix("s")
    if name not in known:
        raise wrong(f"unknown unit {text(unit)[:40]!r}; it is one of {', '.join(known)}")
    return name


def _checked_format(format: Any) -> str:
    pattern = string(format, "format")
    if len(pattern) > _MAX_FORMAT:
        raise wrong(f"a date format has at most {_MAX_FORMAT} characters")
    for directive in _DIRECTIVE.findall(pattern):
        if directive not in _DIRECTIVES or not directive:
            raise wrong(f"unknown directive %{directive} in a date format; write it like %Y-%m-%d")
    return pattern


def parse_date(value: Any, format: Any = None, timezone: Any = None) -> str:
    """An ISO 8601 date from text in that format or in a given one, or from epoch seconds.

    Args:
        value: the date.
        format: strptime directives, such as `%d.%m.%Y %H:%M`.
        timezone: the zone of a date that names none; UTC by default.
    """
    if format is None:
        if timezone is None or not isinstance(value, str):
            return _iso(_moment(value))
        moment = _naive(value)
    else:
        moment = _parsed(string(value, "parseDate"), _checked_format(format))
    return _iso(moment if moment.tzinfo else moment.replace(tzinfo=_zone(timezone)))


def _parsed(value: str, pattern: str) -> datetime:
    from datetime import datetime

    fault: ValueError | None = None
    for zone in _ZONE_NAMES if "%Z" in pattern else ("",):
        try:
            return datetime.strptime(value, _with_zone(pattern, zone))
        except ValueError as error:
            fault = fault or error
    raise wrong(f"parseDate(): {fault}") from None


def _with_zone(pattern: str, zone: str) -> str:
    return _DIRECTIVE.sub(lambda found: zone if found[1] == "Z" else found[0], pattern)


def _naive(value: str) -> datetime:
    from datetime import datetime

    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return _moment(value)


def format_date(date: Any, format: Any = "%Y-%m-%d", timezone: Any = None) -> str:
    """A date in strftime directives, in a time zone (its own by default)."""
    pattern = _checked_format(format)
    moment = _moment(date)
    if timezone:
        moment = moment.astimezone(_zone(timezone))

    def spelled(found: re.Match[str]) -> str:
        own = _OWN.get(found[1])
        return found[0] if own is None else own(moment)

    return moment.strftime(_DIRECTIVE.sub(spelled, pattern))


def add_time(date: Any, amount: Any, unit: Any) -> str:
    """A date moved by an amount of time; the last day of the month if the month has no such day."""
    from datetime import timedelta

    name = _unit(unit, (*_SECONDS, *_MONTHS))
    moment = _moment(date)
    try:
        if name in _MONTHS:
            return _iso(_add_months(moment, whole(amount, "addTime") * _MONTHS[name]))
        if not isinstance(amount, int | float):
            raise wrong(f"addTime() takes a number of {name}s")
        return _iso(moment + timedelta(seconds=amount * _SECONDS[name]))
    except (OverflowError, ValueError):
        raise wrong("addTime() leaves the years 1 to 9999") from None


def _add_months(moment: datetime, months: int) -> datetime:
    from calendar import monthrange

    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def diff_time(start: Any, end: Any, unit: Any = "second") -> float:
    """The time from start to end in a unit up to weeks, negative if end is earlier."""
    name = _unit(unit, tuple(_SECONDS))
    return (_moment(end) - _moment(start)).total_seconds() / _SECONDS[name]


def start_of(date: Any, unit: Any, timezone: Any = None) -> str:
    """The start of the second, minute, hour, day, week (Monday), month, quarter or year."""
    from datetime import timedelta

    names = tuple(name for name in (*_SECONDS, *_MONTHS) if name != "millisecond")
    name = _unit(unit, names)
    moment = _moment(date)
    if timezone is not None:
        moment = moment.astimezone(_zone(timezone))
    kept = _KEPT.get(name, 0)
    moment = moment.replace(
        hour=moment.hour if kept >= 1 else 0,
        minute=moment.minute if kept >= 2 else 0,
        second=moment.second if kept >= 3 else 0,
        microsecond=0,
    )
    if name == "week":
        moment -= timedelta(days=moment.weekday())
    if name in _MONTHS:
        month = 1 if name == "year" else moment.month
        month = month - (month - 1) % 3 if name == "quarter" else month
        moment = moment.replace(month=month, day=1)
    return _iso(moment)


_KEPT = {"hour": 1, "minute": 2, "second": 3}


def timestamp(date: Any) -> float:
    """Seconds since 1970."""
    return _moment(date).timestamp()


def before(date: Any, other: Any) -> bool:
    """Whether a date is earlier than another."""
    return _moment(date) < _moment(other)


def after(date: Any, other: Any) -> bool:
    """Whether a date is later than another."""
    return _moment(date) > _moment(other)
