"""Lengths of time as workflows write them: seconds, or text with a unit."""

from __future__ import annotations

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
LONGEST = 1e12
"""Seconds; what is longer is a mistake."""


def seconds(value: object) -> float:
    """Seconds of a number of seconds, or of text such as `500ms`, `5s`, `2m`, `1h`, `3d`, `1w`.

    Raises:
        ValueError: the value is no duration; the message completes "`name` …".
    """
    number: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str) and value.isascii():
        digits = value.strip().rstrip("abcdefghijklmnopqrstuvwxyz ")
        unit = UNITS.get(value.strip()[len(digits) :].strip() or "s")
        if unit is not None and digits.replace(".", "", 1).isdigit():
            number = float(digits) * unit
    if number is None or not 0 <= number < LONGEST:
        raise ValueError('is not a duration: write seconds, or text such as "500ms", "5s", "2m"')
    return number
