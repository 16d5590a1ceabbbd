"""Durations in trigger settings."""

from __future__ import annotations

from nodegx.runtime import durations

from .problem import ConfigError


def seconds(value: object, *, name: str = "duration") -> float:
    """`value` in seconds.

    Raises:
        ConfigError: it is no duration. `name` is the setting the message names.
    """
    try:
        return durations.seconds(value)
    except ValueError as error:
        raise ConfigError(f"{name} {error}") from None
