"""User name and password (RFC 7617)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from nodegx.runtime.triggers.problem import ConfigError, Problem
from nodegx.runtime.triggers.request import Incoming

from .secret import Lookup, reference


class Basic:
    """Accepts one user."""

    needs_body = False

    def __init__(self, username: Lookup, password: Lookup, realm: str) -> None:
        self._username = username
        self._password = password
        self._challenge = {"www-authenticate": f'Basic realm="{realm}", charset="UTF-8"'}

    async def check(self, request: Incoming) -> None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise Problem(401, "User name and password are required.", headers=self._challenge)
        try:
            user, _, password = b64decode(encoded.strip(), validate=True).partition(b":")
        except ValueError:
            user = password = b""
        same_user = _equal(user, self._username())
        same_password = _equal(password, self._password())
        if not (same_user and same_password):
            raise Problem(401, "User name or password is wrong.", headers=self._challenge)
        del request.headers["authorization"]


def _equal(given: bytes, expected: str) -> bool:
    return hmac.compare_digest(
        hashlib.sha256(given).digest(), hashlib.sha256(expected.encode()).digest()
    )


def build(config: Mapping[str, Any], secrets: Mapping[str, str]) -> Basic:
    """The authenticator for `{username, password, realm?}`."""
    realm = config.get("realm", "workflow")
    if not isinstance(realm, str) or not realm.isprintable() or '"' in realm or "\\" in realm:
        raise ConfigError("auth.realm must be plain text without quotes")
    return Basic(
        reference(config.get("username"), secrets, "auth.username"),
        reference(config.get("password"), secrets, "auth.password"),
        realm,
    )
