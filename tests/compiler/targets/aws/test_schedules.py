"""Schedules as EventBridge Scheduler writes them."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nodegx.compiler.targets.aws.schedules import (
    DAYS,
    Untranslatable,
    expression,
    longest_pause,
)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 2 * * *", "cron(30 2 * * ? *)"),
        ("0 6 * * MON-FRI", "cron(0 6 ? * MON,TUE,WED,THU,FRI *)"),
        ("*/5 * * * *", "cron(0/5 * * * ? *)"),
        ("0-10 8-18 * * *", "cron(0-10 8-18 * * ? *)"),
        ("0 0 1 * *", "cron(0 0 1 * ? *)"),
        ("0 0 L * *", "cron(0 0 L * ? *)"),
        ("0 9 * * 0", "cron(0 9 ? * SUN *)"),
        ("0 9 * * 7", "cron(0 9 ? * SUN *)"),
        ("0 9 * * 1#1", "cron(0 9 ? * 2#1 *)"),
        ("0 9 * * 5L", "cron(0 9 ? * 6L *)"),
        ("0 9 1 JAN,JUL *", "cron(0 9 1 1,7 ? *)"),
        ("0 0 9 * * *", "cron(0 9 * * ? *)"),
        ("15,45 * * * *", "cron(15,45 * * * ? *)"),
        ("0 0 1 * 0-6", "cron(0 0 * * ? *)"),
        ("0 0 */2 * *", "cron(0 0 1/2 * ? *)"),
    ],
)
def test_cron(cron: str, expected: str) -> None:
    assert expression({"cron": cron}) == expected


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("1m", "rate(1 minute)"),
        (60, "rate(1 minute)"),
        ("15m", "rate(15 minutes)"),
        ("1h", "rate(1 hour)"),
        ("90m", "rate(90 minutes)"),
        ("24h", "rate(1 day)"),
        ("2w", "rate(14 days)"),
        (7200.0, "rate(2 hours)"),
    ],
)
def test_rate(every: object, expected: str) -> None:
    assert expression({"every": every}) == expected


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"cron": "0 0 13 * FRI"}, "day of the month or a day of the week"),
        ({"cron": "0 0 */2 * MON"}, "also a certain day of the week"),
        ({"cron": "30 0 9 * * *"}, "whole minutes"),
        ({"cron": "*/10 * * * * *"}, "whole minutes"),
        ({"cron": "0 0 LW * *"}, "last working day"),
        ({"cron": "0 0 1,L * *"}, "last day of the month with other days"),
        ({"cron": "0 0 * * 1#1,3#1"}, "one numbered day"),
        ({"every": "30s"}, "whole minutes"),
        ({"every": 90}, "whole minutes"),
        ({"every": "1500ms"}, "whole minutes"),
    ],
)
def test_what_scheduler_cannot_keep(config: dict[str, object], reason: str) -> None:
    with pytest.raises(Untranslatable, match=reason) as caught:
        expression(config)
    assert caught.value.hint


def field(values: st.SearchStrategy[int], top: int) -> st.SearchStrategy[str]:
    """A cron field: everything, steps, a number, a range or a list."""
    ranges = st.tuples(values, values).map(lambda pair: f"{min(pair)}-{max(pair)}")
    return st.one_of(
        st.just("*"),
        st.integers(1, top).map(lambda step: f"*/{step}"),
        values.map(str),
        ranges,
        st.tuples(ranges, st.integers(1, 5)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        st.lists(values, min_size=1, max_size=4).map(lambda many: ",".join(map(str, many))),
    )


CRON = st.tuples(
    field(st.integers(0, 59), 30),
    field(st.integers(0, 23), 12),
    st.one_of(field(st.integers(1, 28), 10), st.just("L")),
    field(st.integers(1, 12), 6),
    st.one_of(
        field(st.integers(0, 7), 3),
        st.sampled_from(["MON-FRI", "SAT,SUN", "1#1", "3#5", "5L", "0L"]),
    ),
).map(" ".join)


@given(CRON, st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)))
@settings(max_examples=200, deadline=None)
def test_translations_fire_at_the_same_times(cron: str, begin: datetime) -> None:
    begin = begin.replace(second=0, microsecond=0)
    try:
        ours = list(islice(CronSim(cron, begin), 5))
        theirs = Expression(expression({"cron": cron}))
    except (CronSimError, Untranslatable):
        assume(False)
        raise
    assert list(islice(theirs.after(begin), len(ours))) == ours


class Expression:
    """Scheduler's cron expressions, read as its documentation describes them."""

    def __init__(self, text: str) -> None:
        assert text.startswith("cron(")
        minutes, hours, self.day, months, self.weekday, year = text[5:-1].split()
        assert year == "*"
        assert (self.day == "?") != (self.weekday == "?")
        self.minutes = self.numbers(minutes, 0, 59)
        self.hours = self.numbers(hours, 0, 23)
        self.months = self.numbers(months, 1, 12)

    @staticmethod
    def numbers(text: str, low: int, high: int) -> set[int]:
        found: set[int] = set()
        for part in text.split(","):
            if part == "*":
                found |= set(range(low, high + 1))
            elif "/" in part:
                start, step = part.split("/")
                found |= set(range(int(start), high + 1, int(step)))
            elif "-" in part:
                start, end = part.split("-")
                found |= set(range(int(start), int(end) + 1))
            else:
                found.add(int(part))
        assert found <= set(range(low, high + 1))
        return found

    def on(self, day: datetime) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        if self.weekday == "?":
            return day.day == last if self.day == "L" else day.day in self.numbers(self.day, 1, 31)
        number = day.isoweekday() % 7 + 1  # Sunday is 1
        if "#" in self.weekday:
            wanted, place = self.weekday.split("#")
            return number == int(wanted) and (day.day - 1) // 7 + 1 == int(place)
        if self.weekday.endswith("L"):
            return number == int(self.weekday[:-1]) and day.day + 7 > last
        return DAYS[number - 1] in self.weekday.split(",")

    def after(self, begin: datetime):
        day = begin.replace(hour=0, minute=0)
        while True:
            if day.month in self.months and self.on(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        moment = day.replace(hour=hour, minute=minute)
                        if moment > begin:
                            yield moment
            day += timedelta(days=1)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"every": "15m"}, 900),
        ({"cron": "*/5 * * * *"}, 300),
        ({"cron": "*/5 8-18 * * MON-FRI"}, 2 * 86400 + 86400 - (10 * 3600 + 55 * 60) + 3600),
        ({"cron": "30 2 * * *"}, 25 * 3600),
        ({"cron": "0 0 1 * *"}, 31 * 86400 + 3600),
        ({"cron": "0 0 29 2 *"}, (4 * 365 + 1) * 86400 + 3600),
    ],
)
def test_the_longest_pause(config: dict[str, object], expected: float) -> None:
    assert longest_pause(config) == expected
