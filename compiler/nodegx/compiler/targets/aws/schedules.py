"""Our schedules as EventBridge Scheduler writes them.

Cron expressions here have five fields, or six with seconds first, and join day of month and day of
week as Debian's cron does. Scheduler's have six fields with the year last, count Sunday as 1, and
let only one of the two kinds of days be given; the other is `?`.
Source: Amazon EventBridge Scheduler User Guide, "Schedule types".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Any, cast

from nodegx.runtime.durations import seconds as duration_seconds

MINUTE, HOUR, DAY = 60, 3600, 86_400
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
BEGIN, END = datetime(2024, 1, 1), datetime(2033, 1, 1)
"""The years that are looked at to find the longest pause between two starts."""
LOOKED_AT = 2_000
"""Starts that are looked at, at most."""


class Untranslatable(ValueError):
    """Scheduler cannot keep a schedule; the text says why, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def expression(config: Mapping[str, Any]) -> str:
    """The schedule of a trigger's settings `{cron | every}`, as `cron(…)` or `rate(…)`.

    Raises:
        Untranslatable: there is no such expression.
    """
    cron = config.get("cron")
    return rate(config.get("every")) if cron is None else cron_expression(str(cron))


def rate(every: object) -> str:
    """An interval, from seconds or a duration such as `15m`.

    Raises:
        Untranslatable: it is no whole number of minutes.
    """
    seconds = duration_seconds(every)
    if seconds < MINUTE or seconds % MINUTE:
        raise Untranslatable(
            f"AWS starts schedules at whole minutes, not every {every}",
            "choose an interval of whole minutes",
        )
    for name, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds % size == 0:
            count = round(seconds / size)
            return f"rate({count} {name}{'s' if count > 1 else ''})"
    raise AssertionError("unreachable")


def cron_expression(text: str) -> str:
    """A cron expression of five fields, or six with seconds first.

    Raises:
        Untranslatable: Scheduler has no expression that fires at the same times.
    """
    from cronsim import CronSim

    cron = CronSim(text, BEGIN)
    if cron.seconds != {0}:
        raise Untranslatable(
            "AWS starts schedules at whole minutes", "use 0 for the seconds, or leave them out"
        )
    month_day, week_day = _days(cron)
    fields = (
        _numbers(cron.minutes, 0, 59),
        _numbers(cron.hours, 0, 23),
        month_day,
        _numbers(cron.months, 1, 12),
        week_day,
        "*",
    )
    return f"cron({' '.join(fields)})"


def longest_pause(config: Mapping[str, Any]) -> float:
    """Seconds between two starts at most, so that a longer silence is a fault."""
    if config.get("cron") is None:
        return duration_seconds(config.get("every"))
    from cronsim import CronSim

    coming = takewhile(lambda start: start < END, CronSim(str(config["cron"]), BEGIN))
    starts = list(islice(coming, LOOKED_AT))
    pause = max(
        (later - earlier for earlier, later in pairwise(starts)),
        default=timedelta(days=366),
    )
    # Where clocks are changed, a day has 25 hours once a year.
    return pause.total_seconds() + (HOUR if pause >= timedelta(hours=23) else 0)


def _days(cron: Any) -> tuple[str, str]:
    """The fields for days of the month and of the week."""
    every_date = cron.days >= set(range(1, 32))
    every_weekday = {_sunday_is_zero(day) for day in cron.weekdays} >= set(range(7))
    if not cron.day_and:  # either will do
        if every_date or every_weekday:
            return "*", "?"
        message = "AWS takes a day of the month or a day of the week, not both"
        raise Untranslatable(message, "use two schedule triggers, one for each kind of day")
    if every_weekday:
        return _month_days(cron.days), "?"
    if every_date:
        return "?", _week_days(cron.weekdays)
    message = "AWS cannot ask for a day of the month that is also a certain day of the week"
    raise Untranslatable(message, "give one of the two days, and check the other in an If node")


def _month_days(days: Collection[int]) -> str:
    special = [day for day in days if day < 0]
    if not special:
        return _numbers(days, 1, 31)
    from cronsim import CronSim

    if set(days) == {CronSim.LAST}:
        return "L"
    if set(days) == {CronSim.LAST_WEEKDAY}:
        message = "AWS has no last working day of the month"
        raise Untranslatable(message, 'use the last day, "L", or a fixed day')
    message = "AWS cannot combine the last day of the month with other days"
    raise Untranslatable(message, "use two schedule triggers")


def _week_days(days: Collection[Any]) -> str:
    from cronsim import CronSim

    numbered = [cast("tuple[int, int]", day) for day in days if isinstance(day, tuple)]
    if not numbered:
        plain: set[int] = {_sunday_is_zero(day) for day in days}
        return ",".join(DAYS[day] for day in sorted(plain))
    if len(days) > 1:
        message = "AWS takes one numbered day of the week, such as the first Monday, and no other"
        raise Untranslatable(message, "use two schedule triggers")
    day, number = numbered[0]
    place = _sunday_is_zero(day) + 1
    return f"{place}L" if number == CronSim.LAST else f"{place}#{number}"


def _sunday_is_zero(day: Any) -> Any:
    return day % 7 if isinstance(day, int) else day


def _numbers(values: Collection[int], first: int, last: int) -> str:
    """A field of plain numbers: everything, a range, equal steps or a list."""
    found = sorted(values)
    if found == list(range(first, last + 1)):
        return "*"
    if len(found) > 2:
        step = found[1] - found[0]
        if found == list(range(found[0], found[-1] + 1)):
            return f"{found[0]}-{found[-1]}"
        if found == list(range(found[0], last + 1, step)):
            return f"{found[0]}/{step}"
    return ",".join(map(str, found))
