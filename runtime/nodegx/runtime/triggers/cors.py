"""Cross-origin requests: which browsers' pages may call a webhook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .duration import seconds
from .problem import ConfigError, Problem

SIMPLE_HEADERS = frozenset({"accept", "accept-language", "content-language", "content-type"})


@dataclass(frozen=True, slots=True)
class Cors:
    """A webhook's rules. An origin is exact (`https://shop.example`), has a wildcard for its first
    labels (`https://*.shop.example`), or is `*`; a header may be `*` as well.
    """

    origins: frozenset[str]
    patterns: tuple[tuple[str, str], ...]  # prefix and suffix around the wildcard
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    credentials: bool
    max_age: int

    def allows(self, origin: str) -> bool:
        """Whether pages of `origin` may read the answer."""
        if origin in self.origins or "*" in self.origins:
            return True
        return any(
            origin.startswith(prefix)
            and origin.endswith(suffix)
            and len(origin) > len(prefix) + len(suffix)
            and "/" not in origin[len(prefix) : len(origin) - len(suffix)]
            for prefix, suffix in self.patterns
        )

    def response_headers(self, origin: str | None) -> dict[str, str]:
        """Headers of an actual response to `origin` (None: not a cross-origin request)."""
        if "*" in self.origins:
            return {"access-control-allow-origin": "*", "access-control-expose-headers": "*"}
        headers = {"vary": "Origin"}
        if origin is not None and self.allows(origin):
            headers["access-control-allow-origin"] = origin
            if self.credentials:
                headers["access-control-allow-credentials"] = "true"
        return headers

    def preflight(
        self, origin: str, method: str, asked: str, methods: Iterable[str]
    ) -> dict[str, str]:
        """Headers that answer a preflight request.

        Args:
            origin: the page's origin.
            method: the method it wants to use.
            asked: its Access-Control-Request-Headers.
            methods: methods the path has; the rules may allow fewer.

        Raises:
            Problem: 403 where the rules forbid it.
        """
        if not self.allows(origin):
            raise Problem(403, "This origin may not call the webhook.", headers={"vary": "Origin"})
        allowed = self.methods or tuple(sorted(methods))
        if method not in allowed:
            raise Problem(403, f"Pages of other origins may not use {method} here.")
        wanted = [name.strip().lower() for name in asked.split(",") if name.strip()]
        known = SIMPLE_HEADERS.union(name.lower() for name in self.headers)
        if "*" not in known and any(name not in known for name in wanted):
            raise Problem(403, "The request has headers that are not allowed here.")
        headers = self.response_headers(origin)
        headers.pop("access-control-expose-headers", None)
        headers["access-control-allow-methods"] = ", ".join(allowed)
        if wanted:
            headers["access-control-allow-headers"] = ", ".join(wanted)
        headers["access-control-max-age"] = str(self.max_age)
        headers["vary"] = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        return headers


def build(config: Mapping[str, Any] | None) -> Cors | None:
    """The rules of a trigger's `cors` setting; None where there are none.

    Raises:
        ConfigError: the setting cannot work.
    """
    if not config:
        return None
    origins = texts(config.get("origins", ["*"]), "cors.origins")
    credentials = bool(config.get("credentials", False))
    if credentials and "*" in origins:
        raise ConfigError("cors.credentials needs named origins, not '*'")
    patterns: list[tuple[str, str]] = []
    for origin in origins:
        prefix, wildcard, suffix = origin.partition("*")
        if wildcard and origin != "*":
            if not prefix.endswith("://") or not suffix.startswith(".") or "*" in suffix:
                raise ConfigError(f"cors.origins: {origin!r} should be like https://*.example.com")
            patterns.append((prefix, suffix))
    return Cors(
        frozenset(origins),
        tuple(patterns),
        tuple(name.upper() for name in texts(config.get("methods") or (), "cors.methods")),
        tuple(texts(config.get("headers") or ["Authorization"], "cors.headers")),
        credentials,
        int(seconds(config.get("maxAge", 600), name="cors.maxAge")),
    )


def texts(value: Any, name: str) -> list[str]:
    """A setting that is a string or a list of strings, as a list.

    Raises:
        ConfigError: it is neither.
    """
    items = (
        [value]
        if isinstance(value, str)
        else list(cast("Sequence[Any]", value))
        if isinstance(value, list | tuple)
        else None
    )
    if items is None or not all(isinstance(item, str) and item for item in items):
        raise ConfigError(f"{name} must be a string or a list of strings")
    return items
