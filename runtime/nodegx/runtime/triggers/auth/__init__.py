"""Authenticates webhook calls. Each kind is a module of its own, imported when a trigger uses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from nodegx.runtime.triggers.problem import ConfigError
from nodegx.runtime.triggers.request import Incoming


class Authenticator(Protocol):
    """Lets a request pass or raises a `Problem` with status 401 (403: known, but not allowed).

    `needs_body` says that it can only judge once the body has been read.
    """

    needs_body: bool

    async def check(self, request: Incoming) -> None:
        """Judges `request`; may remove the credential from it."""
        ...


def build(config: Mapping[str, Any] | None, secrets: Mapping[str, str]) -> Authenticator | None:
    """The authenticator of a trigger's `auth` setting; None where calls need none.

    Secrets are looked up when a request comes, so that a missing one does not keep other
    workflows from being served.

    Raises:
        ConfigError: the setting cannot work.
    """
    kind = (config or {}).get("type", "none")
    if config is None or kind == "none":
        return None
    builder = KINDS.get(kind)
    if builder is None:
        raise ConfigError(f"auth.type must be one of none, {', '.join(KINDS)}, not {kind!r}")
    return builder(config, secrets)


Config = Mapping[str, Any]
Secrets = Mapping[str, str]


def _api_key(config: Config, secrets: Secrets) -> Authenticator:
    from . import api_key

    return api_key.build(config, secrets)


def _basic(config: Config, secrets: Secrets) -> Authenticator:
    from . import basic

    return basic.build(config, secrets)


def _jwt(config: Config, secrets: Secrets) -> Authenticator:
    from . import jwt

    return jwt.build(config, secrets)


def _hmac(config: Config, secrets: Secrets) -> Authenticator:
    from . import signature

    return signature.build(config, secrets)


KINDS: dict[str, Callable[[Config, Secrets], Authenticator]] = {
    "apiKey": _api_key,
    "basic": _basic,
    "jwt": _jwt,
    "hmac": _hmac,
}
