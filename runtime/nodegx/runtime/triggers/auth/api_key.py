"""API keys in a header or the query."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from nodegx.runtime.triggers.problem import ConfigError, Problem
from nodegx.runtime.triggers.request import Incoming

from .secret import Lookup, references


class ApiKey:
    """Accepts any of several keys, so that keys can be rotated.

    Digests are compared, all of them, so that the time tells neither length nor place.
    """

    needs_body = False

    def __init__(
        self, keys: tuple[Lookup, ...], *, header: str | None = None, query: str | None = None
    ) -> None:
        self._keys = keys
        self._header = header
        self._query = query

    async def check(self, request: Incoming) -> None:
        given: Any = None
        if self._header is not None:
            given = request.headers.pop(self._header, None)
        elif self._query is not None:
            given = request.query.get(self._query)
            request.drop_query(self._query)
        if not isinstance(given, str):
            raise Problem(401, "An API key is required.", headers={"www-authenticate": "ApiKey"})
        digest = _digest(given)
        known = False
        for key in self._keys:
            known |= hmac.compare_digest(digest, _digest(key()))
        if not known:
            raise Problem(401, "The API key is not valid.", headers={"www-authenticate": "ApiKey"})


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def build(config: Mapping[str, Any], secrets: Mapping[str, str]) -> ApiKey:
    """The authenticator for `{in: header | query, name, key}`; `key` may be a list."""
    place, name = config.get("in", "header"), config.get("name", "X-API-Key")
    if place not in ("header", "query"):
        raise ConfigError("auth.in must be header or query")
    if not isinstance(name, str) or not name:
        raise ConfigError("auth.name must be a name")
    keys = references(config.get("key"), secrets, "auth.key")
    return ApiKey(
        keys,
        header=name.lower() if place == "header" else None,
        query=name if place == "query" else None,
    )
