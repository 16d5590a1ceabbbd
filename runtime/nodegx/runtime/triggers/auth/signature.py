"""Signed requests: an HMAC over the body, and over a time stamp against replay."""

from __future__ import annotations

import hmac
import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nodegx.runtime.triggers.duration import seconds
from nodegx.runtime.triggers.problem import ConfigError, Problem
from nodegx.runtime.triggers.request import Incoming

from .secret import Lookup, references

ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "hex": bytes.fromhex,
    "base64": lambda text: b64decode(text, validate=True),
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a sender signs.

    Args:
        header: where the signature stands, lower-case.
        algorithm: one of `ALGORITHMS`.
        prefix: what precedes each signature, such as `sha256=`.
        encoding: `hex` or `base64`.
        payload: what is signed; `{body}` and `{timestamp}` stand for themselves.
        timestamp_header: where the time stamp stands (seconds since the epoch), lower-case.
        timestamp_field: instead, its name among comma-separated `name=value` fields in `header`.
        tolerance: seconds a time stamp may lie in the past or future.
    """

    header: str = "x-signature"
    algorithm: str = "sha256"
    prefix: str = ""
    encoding: str = "hex"
    payload: str = "{body}"
    timestamp_header: str | None = None
    timestamp_field: str | None = None
    tolerance: float = 300.0


PRESETS = {
    "generic": Scheme(),
    "github": Scheme("x-hub-signature-256", prefix="sha256="),
    "shopify": Scheme("x-shopify-hmac-sha256", encoding="base64"),
    "slack": Scheme(
        "x-slack-signature",
        prefix="v0=",
        payload="v0:{timestamp}:{body}",
        timestamp_header="x-slack-request-timestamp",
    ),
    "stripe": Scheme(
        "stripe-signature", prefix="v1=", payload="{timestamp}.{body}", timestamp_field="t"
    ),
}


class Signature:
    """Accepts a body signed with any of several secrets."""

    needs_body = True

    def __init__(
        self, scheme: Scheme, secrets: tuple[Lookup, ...], clock: Callable[[], float] = time.time
    ) -> None:
        self._scheme = scheme
        self._secrets = secrets
        self._clock = clock
        before, _, after = scheme.payload.partition("{body}")
        self._before = before
        self._after = after

    async def check(self, request: Incoming) -> None:
        scheme = self._scheme
        value = request.headers.get(scheme.header, "")
        if not value:
            raise Problem(401, "The request is not signed.")
        stamp = self._timestamp(request.headers, value)
        given = self._signatures(value)
        message = b"".join(
            (
                self._before.replace("{timestamp}", stamp).encode("latin-1", "replace"),
                request.raw,
                self._after.replace("{timestamp}", stamp).encode("latin-1", "replace"),
            )
        )
        genuine = False
        for secret in self._secrets:
            expected = hmac.digest(secret().encode(), message, scheme.algorithm)
            for signature in given:
                genuine |= hmac.compare_digest(signature, expected)
        if not genuine:
            raise Problem(401, "The signature is not valid.")

    def _signatures(self, value: str) -> list[bytes]:
        scheme = self._scheme
        decode = ENCODINGS[scheme.encoding]
        # A sender that rotates its secret sends several signatures, separated by commas.
        found: list[bytes] = []
        for part in value.split(",")[:16]:
            text = part.strip()
            if text.startswith(scheme.prefix):
                try:
                    found.append(decode(text[len(scheme.prefix) :]))
                except (ValueError, Base64Error):
                    continue
        return found

    def _timestamp(self, headers: Mapping[str, str], value: str) -> str:
        scheme = self._scheme
        if scheme.timestamp_field is not None:
            start = scheme.timestamp_field + "="
            parts = (part.strip() for part in value.split(","))
            stamp = next((part[len(start) :] for part in parts if part.startswith(start)), "")
        elif scheme.timestamp_header is not None:
            stamp = headers.get(scheme.timestamp_header, "")
        else:
            return ""
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise Problem(401, "The signature has no usable time stamp.")
        if abs(self._clock() - int(stamp)) > scheme.tolerance:
            raise Problem(401, "The signature's time stamp is too old or in the future.")
        return stamp


def build(config: Mapping[str, Any], secrets: Mapping[str, str]) -> Signature:
    """The authenticator for `{secret, preset?, header?, algorithm?, encoding?, prefix?,
    timestampHeader?, tolerance?}`. `secret` may be a list; a preset other than `generic` knows
    the sender's scheme, all but the tolerance."""
    preset = config.get("preset") or "generic"
    if preset not in PRESETS:
        raise ConfigError(f"auth.preset must be one of {', '.join(PRESETS)}")
    scheme = PRESETS[preset] if preset != "generic" else _generic(config)
    if "tolerance" in config:
        scheme = replace(scheme, tolerance=seconds(config["tolerance"], name="auth.tolerance"))
    return Signature(scheme, references(config.get("secret"), secrets, "auth.secret"))


def _generic(config: Mapping[str, Any]) -> Scheme:
    for key in ("header", "algorithm", "encoding", "prefix", "timestampHeader"):
        if not isinstance(config.get(key) or "", str):
            raise ConfigError(f"auth.{key} must be text")
    stamp = config.get("timestampHeader")
    scheme = Scheme(
        header=(config.get("header") or "x-signature").lower(),
        algorithm=config.get("algorithm") or "sha256",
        encoding=config.get("encoding") or "hex",
        prefix=config.get("prefix") or "",
        payload="{timestamp}.{body}" if stamp else "{body}",
        timestamp_header=stamp.lower() if stamp else None,
    )
    if scheme.algorithm not in ALGORITHMS:
        raise ConfigError(f"auth.algorithm must be one of {', '.join(ALGORITHMS)}")
    if scheme.encoding not in ENCODINGS:
        raise ConfigError("auth.encoding must be hex or base64")
    return scheme
