"""When schedules fire: cron expressions in a time zone, or even intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple, Protocol

from .duration import seconds
from .problem import ConfigError


class Tick(NamedTuple):
    """The value of `trigger.schedule`: when it started and for when it was due, as ISO text in
    the schedule's time zone."""

    time: str
    scheduled: str


class Timetable(Protocol):
    """The moments a schedule is due. All moments know their time zone."""

    @property
    def zone(self) -> tzinfo: ...

    def following(self, moment: datetime) -> datetime | None:
        """The first moment due after `moment`; None where there is no further one."""
        ...

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        """The last moment due in (after, until], or None."""
        ...


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields: minute, hour, day, month, weekday; six with seconds first. Across daylight
    saving changes it behaves like Debian's cron: a skipped hour's jobs run right after the gap, a
    repeated hour's run once, wildcards go by real time."""

    expression: str
    zone: tzinfo

    def following(self, moment: datetime) -> datetime | None:
        from cronsim import CronSim

        return next(CronSim(self.expression, moment.astimezone(self.zone)), None)

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        from cronsim import CronSim

        limit = until.astimezone(self.zone) + timedelta(seconds=1)
        found = next(CronSim(self.expression, limit, reverse=True), None)
        return found if found is not None and after < found <= until else None


@dataclass(frozen=True, slots=True)
class Every:
    """Even intervals counted from the epoch, so that a restart does not shift them."""

    interval: float  # seconds
    zone: tzinfo

    def following(self, moment: datetime) -> datetime | None:
        count = math.floor(moment.timestamp() / self.interval + 1e-9) + 1
        return datetime.fromtimestamp(count * self.interval, self.zone)

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        count = math.floor(until.timestamp() / self.interval + 1e-9)
        found = datetime.fromtimestamp(count * self.interval, self.zone)
        return found if found > after else None


def timetable(config: Mapping[str, Any], default_zone: str = "UTC") -> Timetable:
    """The timetable of a trigger's settings `{cron | every, timezone?}`.

    Raises:
        ConfigError: neither or both are given, or one of them cannot work.
    """
    cron, every = config.get("cron"), config.get("every")
    if (cron is None) == (every is None):
        raise ConfigError("a schedule has either cron or every")
    zone = find_zone(config.get("timezone") or default_zone)
    if every is not None:
        interval = seconds(every, name="every")
        if interval < 1:
            raise ConfigError("every must be at least 1 second")
        return Every(interval, zone)
    return Cron(check_cron(cron), zone)


def check_cron(expression: object) -> str:
    """A cron expression, as it is.

    Raises:
        ConfigError: it is malformed or never matches.
    """
    from cronsim import CronSim, CronSimError

    if not isinstance(expression, str):
        raise ConfigError("cron must be text, such as '0 2 * * *'")
    try:
        next(CronSim(expression, datetime.now(UTC)))
    except (CronSimError, StopIteration) as exc:
        reason = str(exc) or "it never matches"
        raise ConfigError(f"cron {expression!r} cannot work: {reason}") from None
    return expression


def find_zone(name: object) -> tzinfo:
    """The time zone of an IANA name such as `Europe/Berlin`.

    Raises:
        ConfigError: there is none of that name.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name == "UTC":
        return UTC
    try:
        if isinstance(name, str):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ConfigError(f"unknown time zone {name!r}; they are like Europe/Berlin")


def upcoming(table: Timetable, count: int, moment: datetime | None = None) -> list[datetime]:
    """The next `count` moments that are due after `moment` (now, by default)."""
    found: list[datetime] = []
    current = moment or datetime.now(UTC)
    while len(found) < count and (due := table.following(current)) is not None:
        found.append(due)
        current = due
    return found


def describe(config: Mapping[str, Any]) -> str:
    """The schedule in words, such as `At 02:00, Monday through Friday (Europe/Berlin)`.

    Without the package cron-descriptor, cron expressions are shown as they are.
    """
    zone = config.get("timezone")
    suffix = f" ({zone})" if zone else ""
    if config.get("cron") is None:
        return f"Every {spell(seconds(config.get('every'), name='every'))}{suffix}"
    try:
        from cron_descriptor import Options, get_description
    except ImportError:
        return f"cron {config['cron']}{suffix}"
    options = Options()  # its defaults depend on the machine's locale
    options.locale_code = "en_US"
    options.use_24hour_time_format = True
    return get_description(str(config["cron"]), options) + suffix


def spell(duration: float) -> str:
    """Seconds in words: `2 hours 30 minutes`."""
    parts: list[str] = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(duration // size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
            duration -= count * size
    if duration or not parts:
        parts.append(f"{duration:g} second{'' if duration == 1 else 's'}")
    return " ".join(parts)
