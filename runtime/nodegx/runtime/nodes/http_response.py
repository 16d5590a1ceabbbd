"""What a workflow gets of an HTTP response, and when a response is an error."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from email.message import Message
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, NamedTuple

from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.net.message import RawResponse, Request

_RETRIABLE = frozenset({408, 425, 429, *range(500, 600)} - {501, 505, 508, 511})
_JSON = re.compile(r"application/(?:.+\+)?json|text/json")
_TEXT = re.compile(
    r"text/.+|application/(?:.+\+)?xml|application/(?:x-www-form-urlencoded|javascript|yaml|x-yaml"
    r"|x-ndjson|jsonl|graphql|sql)|image/svg\+xml"
)
_MAX_EXCERPT = 2000


class Response(NamedTuple):
    """The value of http.request. Header names are in lower case; repeated headers are joined by
    commas, except `set-cookie`, which is a list. With pagination `body` is the list of all items
    and the rest is the last page's."""

    status: int
    headers: dict[str, Any]
    body: Any
    url: str


class Mapper:
    """Turns raw responses into a node's value.

    Args:
        response_type: auto, json, text or base64.
        success: statuses and ranges (`200-299`) that are no error.
    """

    def __init__(self, response_type: str, success: Sequence[str | int]) -> None:
        self._type = response_type
        self._success = [_range(entry) for entry in success]

    def check(self, request: Request, raw: RawResponse) -> None:
        """Raises what a status that is no success means: a RetriableError or FatalError with code
        `http.status` and details `status`, `body` (an excerpt) and, if the server names a time to
        wait, `retryAfter` in seconds."""
        if any(first <= raw.status <= last for first, last in self._success):
            return
        details: dict[str, Any] = {"status": raw.status, "body": _excerpt(raw)}
        wait = retry_after(raw.headers.get("retry-after"))
        if wait is not None:
            details["retryAfter"] = wait
        answer = f"{raw.status} {raw.reason}".strip()
        kind = RetriableError if raw.status in _RETRIABLE else FatalError
        message = f"{request.method} {raw.url.display} answered {answer}"
        raise kind(message, code="http.status", details=details)

    def response(self, raw: RawResponse, body: Any) -> Response:
        """The node's value, with a body that was read (and perhaps collected) before."""
        return Response(raw.status, _headers(raw.headers), body, str(raw.url))

    def body(self, raw: RawResponse) -> Any:
        """The body, read as the response type says; null where there is none.

        Raises:
            FatalError: code `http.body`, it is not what it should be.
        """
        if not raw.content:
            return "" if self._type == "text" else None
        match self._type if self._type != "auto" else _type_of(raw):
            case "json":
                return _json(raw)
            case "text":
                return _text(raw)
            case _:
                return b64encode(raw.content).decode("ascii")


def _range(entry: str | int) -> tuple[int, int]:
    first, _, last = str(entry).partition("-")
    return int(first), int(last or first)


def _type_of(raw: RawResponse) -> str:
    if raw.headers.get("content-type") is None:
        return "text" if _is_utf8(raw.content) else "base64"
    media_type = raw.headers.get_content_type()
    if _JSON.fullmatch(media_type):
        return "json"
    return "text" if _TEXT.fullmatch(media_type) else "base64"


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def _json(raw: RawResponse) -> Any:
    try:
        return json.loads(raw.content)
    except (ValueError, RecursionError) as error:
        reason = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise FatalError(
            f"the body of {raw.url.display} is not JSON: {reason}",
            code="http.body",
            details={"status": raw.status, "body": _excerpt(raw)},
        ) from None


def _text(raw: RawResponse) -> str:
    charset = raw.headers.get_content_charset() or "utf-8"
    try:
        return raw.content.decode("utf-8-sig" if charset == "utf-8" else charset, "replace")
    except (LookupError, UnicodeError, ValueError):  # a charset that nobody knows
        return raw.content.decode("utf-8", "replace")


def _excerpt(raw: RawResponse) -> str | None:
    """The beginning of a body, if it is text."""
    if not raw.content or _type_of(raw) == "base64":
        return None
    text = _text(raw._replace(content=raw.content[: 4 * _MAX_EXCERPT]))
    return text if len(text) <= _MAX_EXCERPT else text[:_MAX_EXCERPT] + "…"


def _headers(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in message.items():
        key = name.lower()
        if key == "set-cookie":  # cannot be joined: dates in cookies hold commas
            found.setdefault(key, []).append(value)
        elif key in found:
            found[key] += f", {value}"
        else:
            found[key] = value
    return found


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header (seconds, or a date) asks to wait, or None."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 10 else None
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, OverflowError):
        return None
