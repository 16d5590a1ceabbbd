"""Credentials in settings: text, or `{"$secret": name}` to be looked up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from nodegx.runtime.triggers.problem import ConfigError, Problem

Lookup = Callable[[], str]

log = logging.getLogger("nodegx.webhook")


def reference(value: Any, secrets: Mapping[str, str], name: str) -> Lookup:
    """A function that returns the credential. It raises a `Problem` 500, and so lets nobody pass,
    where the secret is not set or empty. `name` is the setting."""
    if isinstance(value, Mapping):
        secret = cast("Mapping[str, Any]", value).get("$secret")
        if isinstance(secret, str):
            return lambda: _look_up(secrets, secret)
    if isinstance(value, str) and value:
        return lambda: value
    raise ConfigError(f"{name} must be text or a secret")


def references(value: Any, secrets: Mapping[str, str], name: str) -> tuple[Lookup, ...]:
    """Like `reference`, for one credential or a list of them."""
    values = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
    if not values:
        raise ConfigError(f"{name} must not be empty")
    return tuple(reference(item, secrets, name) for item in values)


def _look_up(secrets: Mapping[str, str], name: str) -> str:
    try:
        value = secrets[name]
    except KeyError:
        value = ""
    if not value:
        log.error("the secret %s, which a trigger compares with, is not set", name)
        raise Problem(500, "This server is not set up to tell who is calling.")
    return value
