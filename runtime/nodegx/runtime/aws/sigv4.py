"""Signature Version 4, the way AWS services authenticate requests.

Source: "Create a signed AWS API request", AWS General Reference (IAM User Guide). The canonical
form follows botocore where the text leaves a choice.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
_DATE = "x-amz-date"
UNSIGNED_HEADERS = frozenset({"expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"})


class Credentials(NamedTuple):
    """What a request is signed with. `expires` is in seconds since the epoch, None for never."""

    access_key: str
    secret_key: str
    token: str | None = None
    expires: float | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key[:4]}…)"


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime | None = None,
) -> dict[str, str]:
    """Returns `headers` with those added that authenticate the request.

    Args:
        method: HTTP method, upper case.
        url: absolute and already percent-encoded, as it goes over the wire.
        headers: headers of the request; `host` is derived from the URL.
        body: the payload, hashed into the signature.
        credentials: access key, secret key and session token.
        region: such as `eu-central-1`.
        service: signing name, such as `dynamodb`.
        now: time of signing, UTC; the clock's if None.
    """
    time = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    payload_hash = hashlib.sha256(body).hexdigest()
    signed = dict(headers)
    if credentials.token:
        signed["X-Amz-Security-Token"] = credentials.token
    if service == "s3":
        signed["X-Amz-Content-SHA256"] = payload_hash
    before, after, names = _form(method, url, service, tuple(signed.items()))
    signed["X-Amz-Date"] = time
    canonical = f"{before}{time}{after}{payload_hash}"
    scope = f"{time[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((ALGORITHM, time, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = _signing_key(credentials.secret_key, time[:8], region, service)
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    signed["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return signed


@lru_cache(maxsize=64)
def _form(
    method: str, url: str, service: str, headers: tuple[tuple[str, str], ...]
) -> tuple[str, str, str]:
    """What the calls of one operation have in common: the canonical form but for the time, which
    comes between the two parts, and the hash of the payload at the end; and the names of the
    headers that are signed."""
    parts = urlsplit(url)
    folded = {
        name.lower(): " ".join(value.split())
        for name, value in headers
        if name.lower() not in UNSIGNED_HEADERS
    }
    folded["host"] = _host(parts.scheme, parts.netloc)
    folded[_DATE] = ""
    names = sorted(folded)
    lines = [f"{name}:{folded[name]}\n" for name in names]
    at = names.index(_DATE)
    path = _canonical_path(parts.path, service)
    before = f"{method}\n{path}\n{_canonical_query(parts.query)}\n{''.join(lines[:at])}{_DATE}:"
    signed = ";".join(names)
    return before, f"\n{''.join(lines[at + 1 :])}\n{signed}\n", signed


def _host(scheme: str, netloc: str) -> str:
    """The host header: without credentials, without the scheme's own port."""
    host = netloc.rpartition("@")[2]
    return host.removesuffix({"http": ":80", "https": ":443"}.get(scheme, ""))


def _canonical_path(path: str, service: str) -> str:
    """S3 signs the path as sent; all others fold dot segments and encode once more."""
    if service == "s3":
        return path or "/"
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    folded = "/" + "/".join(kept)
    if kept and path.endswith("/"):
        folded += "/"
    return quote(folded, safe="/~")


def _canonical_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{name}={value}" for name, value in sorted((n, v) for n, _, v in pairs))


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
