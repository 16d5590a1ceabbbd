from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.triggers.problem import ConfigError
from nodegx.runtime.triggers.timetable import describe, spell, timetable, upcoming

BERLIN = ZoneInfo("Europe/Berlin")


def local(config: dict[str, Any], start: datetime, count: int) -> list[str]:
    return [f"{due:%d %H:%M %z}" for due in upcoming(timetable(config), count, start)]


def test_cron_goes_by_its_time_zone() -> None:
    config = {"cron": "30 6 * * MON-FRI", "timezone": "America/New_York"}
    start = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)  # a Friday
    assert local(config, start, 2) == ["05 06:30 -0500", "06 06:30 -0500"] or local(
        config, start, 2
    ) == ["02 06:30 -0500", "05 06:30 -0500"]
    due = upcoming(timetable(config), 1, start)[0]
    assert due.astimezone(UTC).hour == 11


def test_a_skipped_hour_fires_after_the_gap() -> None:
    config = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}
    start = datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN)  # clocks go forward on the 29th, 02:00
    assert local(config, start, 2) == ["29 03:00 +0200", "30 02:30 +0200"]


def test_a_repeated_hour_fires_once() -> None:
    config = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}
    start = datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN)  # clocks go back on the 25th, 03:00
    assert [text[:8] for text in local(config, start, 2)] == ["25 02:30", "26 02:30"]


def test_wildcards_go_by_real_time_across_the_change() -> None:
    config = {"cron": "*/30 * * * *", "timezone": "Europe/Berlin"}
    start = datetime(2026, 10, 24, 23, 59, tzinfo=UTC)
    found = upcoming(timetable(config), 8, start)
    steps = {later.timestamp() - sooner.timestamp() for sooner, later in zip(found, found[1:])}  # noqa: B905, RUF007
    assert steps == {1800.0}


def test_seconds_are_a_sixth_field() -> None:
    table = timetable({"cron": "*/10 * * * * *"})
    start = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)
    assert table.following(start) == datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)


def test_intervals_are_even_from_the_epoch() -> None:
    table = timetable({"every": "15m"})
    start = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
    assert [f"{due:%H:%M}" for due in upcoming(table, 3, start)] == ["00:15", "00:30", "00:45"]


@settings(max_examples=100)
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(
        [
            {"every": 7},
            {"every": "1h"},
            {"every": 1.5},
            {"cron": "*/7 3-9 * * *"},
            {"cron": "5 4 * * SUN"},
        ]
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
)
def test_the_latest_moment_is_the_last_one_that_followed(
    start: datetime, config: dict[str, Any], zone: str
) -> None:
    table = timetable({**config, "timezone": zone})
    first, second, third = upcoming(table, 3, start)
    assert start < first < second < third
    assert table.latest(start, second + timedelta(milliseconds=1)) == second
    assert table.latest(first, second - timedelta(milliseconds=1)) is None
    assert table.latest(start, third) == third


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"cron": "* * * * *", "every": 5},
        {"cron": "every day"},
        {"cron": "99 * * * *"},
        {"cron": "0 0 31 2 *"},
        {"cron": 5},
        {"every": 0},
        {"every": "soon"},
        {"cron": "* * * * *", "timezone": "Mars/Olympus"},
        {"cron": "* * * * *", "timezone": "../../etc/passwd"},
    ],
)
def test_refuses_what_cannot_work(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        timetable(config)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"cron": "0 2 * * MON-FRI"}, "At 02:00, Monday through Friday"),
        ({"cron": "*/5 * * * *", "timezone": "Europe/Berlin"}, "Every 5 minutes (Europe/Berlin)"),
        ({"every": "90m"}, "Every 1 hour 30 minutes"),
    ],
)
def test_describes_in_words(config: dict[str, Any], words: str) -> None:
    assert describe(config) == words


def test_spells_durations() -> None:
    assert [spell(value) for value in (0, 1, 0.5, 61, 86400, 3600 * 25)] == [
        "0 seconds",
        "1 second",
        "0.5 seconds",
        "1 minute 1 second",
        "1 day",
        "1 day 1 hour",
    ]
