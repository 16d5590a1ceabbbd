"""Points in time as workflows write them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, tzinfo
from typing import Any

from . import durations
from .errors import FatalError


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name.

    Raises:
        FatalError: code `time.zone`; there is none.
    """
    if name == "UTC":
        return UTC
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FatalError(f"There is no time zone {name!r}", code="time.zone") from error


def moment(value: Any, zone_name: str = "UTC") -> float:
    """Seconds since the epoch of an ISO 8601 text, a datetime, or a number of such seconds.

    Args:
        value: the point in time.
        zone_name: the zone of a time that names none.

    Raises:
        FatalError: code `time.format`; it is nothing of that kind.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except (TypeError, ValueError) as error:
        raise FatalError(
            "A time must be ISO 8601, such as 2026-01-31T09:00:00Z", code="time.format"
        ) from error
    return (when if when.tzinfo else when.replace(tzinfo=zone(zone_name))).timestamp()


def duration(value: Any) -> float:
    """Seconds of a number, or of text such as `500ms`, `5s`, `2m`, `1h`, `3d`.

    Raises:
        FatalError: code `time.duration`; it is neither, or negative.
    """
    try:
        return durations.seconds(value)
    except ValueError:
        raise FatalError(
            f"A duration is a number of seconds or text such as 5s, not {value!r}",
            code="time.duration",
        ) from None


def seconds_until(value: Any, zone_name: str = "UTC") -> float:
    """Seconds from now to a point in time as `moment` reads it; 0 if it has passed."""
    return max(0.0, moment(value, zone_name) - time.time())
