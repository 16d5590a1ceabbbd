"""Key sets that an issuer publishes (JWKS): fetched when needed, kept, and fetched again when a
token names a key that is not among them."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from nodegx.runtime.triggers.problem import ConfigError, Problem

KEEP = 300.0  # seconds before keys are fetched again anyway
COOLDOWN = (
    30.0  # seconds between fetches for unknown keys: tokens must not make us flood the issuer
)
FAILED = 5.0  # seconds before a failed fetch is tried again
TIMEOUT = 5.0
MAX_BYTES = 1_000_000

Fetch = Callable[[str], Any]


class KeySet:
    """The keys at one URL.

    Concurrent requests share one fetch. Keys that are known stay in use while the issuer cannot
    be reached.
    """

    def __init__(
        self, url: object, fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not isinstance(url, str) or not _safe(url):
            raise ConfigError("auth.jwksUrl must be an https address (http only on loopback)")
        self._url = url
        self._fetch = fetch or download
        self._clock = clock
        self._keys: list[Any] | None = None
        self._fetched = float("-inf")
        self._retry = float("-inf")
        self._flight: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> Any:
        """The key for a token, or None.

        Args:
            kid: the key id in the token's header; without it the one key that fits is used.
            algorithm: the algorithm in the token's header.

        Raises:
            Problem: 503 while there are no keys and they cannot be fetched.
        """
        now = self._clock()
        if (self._keys is None or now - self._fetched > KEEP) and now >= self._retry:
            await self._refresh()
        key = self._pick(kid, algorithm)
        if key is None and self._keys is not None and self._clock() - self._fetched > COOLDOWN:
            if self._clock() >= self._retry:
                await self._refresh()
            key = self._pick(kid, algorithm)
        if self._keys is None:
            raise Problem(503, "The issuer's keys cannot be fetched.", headers={"retry-after": "5"})
        return key

    def _pick(self, kid: str | None, algorithm: str) -> Any:
        import jwt

        kinds = {"R": "RSA", "P": "RSA", "E": "OKP" if algorithm == "EdDSA" else "EC"}
        fitting: list[Any] = []
        for data in self._keys or ():
            if kid is not None and data.get("kid") != kid:
                continue
            if data.get("kty") != kinds[algorithm[0]] or data.get("use", "sig") != "sig":
                continue
            if data.get("alg", algorithm) == algorithm:
                fitting.append(data)
        if len(fitting) != 1:
            return None
        data = fitting[0]
        if "$key" not in data:
            try:
                data["$key"] = jwt.PyJWK(data, algorithm)
            except jwt.PyJWTError:
                return None
        return data["$key"]

    async def _refresh(self) -> None:
        if self._flight is None:
            self._flight = asyncio.ensure_future(self._load())
        await asyncio.shield(self._flight)

    async def _load(self) -> None:
        try:
            document = await asyncio.to_thread(self._fetch, self._url)
            keys = document["keys"]
            self._keys = [dict(key) for key in keys]
            self._fetched = self._clock()
        except Exception:  # whatever the issuer answers, requests get a plain 503 or the old keys
            self._retry = self._clock() + FAILED
        finally:
            self._flight = None


def _safe(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "http":
        return parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" and bool(parts.hostname)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not _safe(newurl):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str) -> Any:
    """Fetches and parses the key set; blocks. Raises OSError or ValueError where it cannot."""
    opener = urllib.request.build_opener(_SafeRedirects)
    with opener.open(url, timeout=TIMEOUT) as response:
        content: bytes = response.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError("the key set is too large")
    return json.loads(content)
