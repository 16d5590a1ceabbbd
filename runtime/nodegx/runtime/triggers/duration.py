"""Durations in trigger settings: seconds, or text such as `500ms`, `5s`, `2m`, `1h`, `3d`."""

from __future__ import annotations

from .problem import ConfigError

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def seconds(value: object, *, name: str = "duration") -> float:
    """`value` in seconds.

    Raises:
        ConfigError: it is no duration, or negative. `name` is the setting the message names.
    """
    number: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str):
        text = value.strip().lower()
        unit = text.lstrip("0123456789. ")
        try:
            number = float(text[: len(text) - len(unit)]) * UNITS[unit or "s"]
        except (ValueError, KeyError):
            number = None
    if number is None or not 0 <= number < float("inf"):
        raise ConfigError(f"{name} must be a duration such as 30, '5s' or '2m', not {value!r}")
    return number
