"""Points in time, as people write and read them on a command line."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime

import click
from nodegx.runtime.durations import seconds as duration_seconds


def moment(text: str) -> float:
    """Seconds since the epoch of `2h` (ago), `2026-11-23`, `2026-11-23 09:30`, full ISO 8601 or
    `now`; local time unless the text has a zone. The type of an option.

    Raises:
        click.BadParameter: it is none of these.
    """
    text = text.strip()
    if text == "now":
        return time.time()
    with contextlib.suppress(ValueError):
        return time.time() - duration_seconds(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{text!r} is no point in time; write 30m, 2h or 3d (ago), or 2026-11-23 09:30"
        ) from None


def seconds(text: str) -> float:
    """Seconds of a length of time such as `5m` or `30s`. The type of an option.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        return duration_seconds(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no length of time; write 30s, 5m or 1h") from None


def local(at: float, *, milliseconds: bool = False, short: bool = False) -> str:
    """`2026-11-23 09:30:12` in the local time zone.

    Args:
        at: seconds since the epoch.
        milliseconds: appends them.
        short: leaves out the year where it is this one.
    """
    moment = datetime.fromtimestamp(at).astimezone()
    this_year = short and moment.year == datetime.now().astimezone().year
    text = moment.strftime("%m-%d %H:%M:%S" if this_year else "%Y-%m-%d %H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03}" if milliseconds else text


def until(at: datetime) -> str:
    """How long it is until a moment that has a time zone: `in 4 min`, `in 2 days`."""
    return f"in {_length(at.timestamp() - time.time())}"


def age(at: float) -> str:
    """How long ago a moment was, in seconds since the epoch: `4 min`, `2 days`."""
    return _length(time.time() - at)


def due(at: float | None) -> str:
    """When something is due, in seconds since the epoch: `in 4 min`, `now`; empty if that is not
    known."""
    if at is None:
        return ""
    left = at - time.time()
    return "now" if left <= 0 else f"in {_length(left)}"


def _length(left: float) -> str:
    for unit, length in (("day", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if left >= length:
            count = int(left // length)
            return f"{count} {unit}{'s' if unit == 'day' and count != 1 else ''}"
    return f"{max(0, round(left))} s"
