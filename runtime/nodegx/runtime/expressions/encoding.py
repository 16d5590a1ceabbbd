"""Base64, percent-encoding, digests."""

from __future__ import annotations

from typing import Any

from .kinds import string, text
from .limits import check_size, is_object, is_sequence, wrong


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return text(value).encode()
    except UnicodeEncodeError:
        raise wrong("the text holds half a character (a lone surrogate)") from None


def base64_encode(value: Any, url_safe: Any = False) -> str:
    """Base64 of a text's UTF-8, or of bytes; url-safe without padding."""
    import base64

    data = _bytes(value)
    check_size(len(data))
    if url_safe:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    return base64.b64encode(data).decode()


def base64_decode(value: Any) -> str:
    """The text in Base64, url-safe or not, padded or not.

    Raises:
        FatalError: it is not Base64, or what it holds is not text.
    """
    import base64
    import binascii

    plain = string(value, "base64Decode").strip().replace("-", "+").replace("_", "/")
    try:
        padding = "=" * (-len(plain) % 4)
        return base64.b64decode(plain + padding, validate=True).decode()
    except (binascii.Error, ValueError):
        raise wrong("base64Decode() takes Base64 of a text") from None


def url_encode(value: Any) -> str:
    """Percent-encodes a text; an object becomes a query string."""
    from urllib.parse import quote, urlencode

    if is_object(value):
        listed = {
            key: [text(part) for part in item] if is_sequence(item) else text(item)
            for key, item in value.items()
        }
        return urlencode(listed, doseq=True, quote_via=quote)
    return quote(_bytes(value), safe="")


def url_decode(value: Any) -> str:
    """Undoes percent-encoding."""
    from urllib.parse import unquote

    return unquote(string(value, "urlDecode"))


def sha256(value: Any) -> str:
    """SHA-256 of a text's UTF-8 as hexadecimal text."""
    import hashlib

    return hashlib.sha256(_bytes(value)).hexdigest()


def hmac_sha256(value: Any, key: Any, encoding: str = "hex") -> str:
    """Keyed SHA-256 of a text's UTF-8, as `hex` or `base64`."""
    import base64
    import hashlib
    import hmac

    digest = hmac.new(_bytes(string(key, "hmacSha256")), _bytes(value), hashlib.sha256).digest()
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    raise wrong("hmacSha256() encodes as hex or base64")
