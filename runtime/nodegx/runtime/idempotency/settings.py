"""The `idempotency` of a trigger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from nodegx.runtime.triggers.duration import seconds
from nodegx.runtime.triggers.problem import ConfigError

DAY = 86_400.0
REPEATS = ("wait", "conflict")


class Settings(NamedTuple):
    """How a trigger treats repeats.

    Args:
        window: seconds that a key is remembered.
        waits: whether a repeat waits for the answer of what is under way, or is refused.
        required: whether requests must have a key.
    """

    window: float = DAY
    waits: bool = True
    required: bool = False


def read(config: Mapping[str, Any]) -> Settings | None:
    """The settings of a trigger, from its config in the manifest; None if it takes everything.

    Raises:
        ConfigError: they cannot work.
    """
    given = config.get("idempotency")
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise ConfigError("idempotency must be an object")
    values = cast("Mapping[str, Any]", given)
    repeat = values.get("onRepeat") or "wait"
    if repeat not in REPEATS:
        raise ConfigError(f"idempotency.onRepeat must be one of {', '.join(REPEATS)}")
    window = values.get("window")
    return Settings(
        DAY if window is None else seconds(window, name="idempotency.window"),
        repeat == "wait",
        values.get("required") is True,
    )
