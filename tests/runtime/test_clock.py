from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from nodegx.runtime.clock import duration, moment, seconds_until, zone
from nodegx.runtime.errors import FatalError
from nodegx.runtime.values import iso_time


@pytest.mark.parametrize(
    ("value", "zone_name"),
    [
        ("2026-01-01T00:00:00Z", "UTC"),
        ("2026-01-01T01:00:00", "Europe/Berlin"),
        ("2026-01-01T00:00:00", "UTC"),
        ("2025-12-31T19:00:00-05:00", "Asia/Tokyo"),
        (1767225600, "UTC"),
        (datetime(2026, 1, 1, tzinfo=UTC), "UTC"),
        (datetime(2026, 1, 1), "UTC"),
    ],
)
def test_moments_in_all_spellings(value: Any, zone_name: str) -> None:
    assert moment(value, zone_name) == 1767225600.0
    assert iso_time(moment(value, zone_name)) == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("value", ["soon", None, True, [], "2026-13-01"])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(FatalError, match="ISO 8601"):
        moment(value)


def test_a_zone_must_exist() -> None:
    assert zone("UTC") is UTC
    for name in ("Mars/Base", "../etc/passwd", ""):
        with pytest.raises(FatalError, match="time zone"):
            zone(name)


def test_the_past_is_not_waited_for() -> None:
    assert seconds_until(time.time() - 100) == 0.0
    assert 99 < seconds_until(time.time() + 100) <= 100


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(0, 0), (2.5, 2.5), ("500ms", 0.5), ("5s", 5), (" 2 m ", 120), ("1.5h", 5400), ("3d", 259200), ("7", 7)],
)  # fmt: skip
def test_durations(value: Any, seconds: float) -> None:
    assert duration(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", [-1, "-1s", "5 weeks", "", None, True, float("inf"), float("nan")]
)
def test_what_is_no_duration_is_refused(value: Any) -> None:
    with pytest.raises(FatalError, match="duration"):
        duration(value)
