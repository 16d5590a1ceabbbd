"""Turns what a workflow answers into an HTTP response."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from functools import cache
from typing import Any, NamedTuple, Protocol, cast

from nodegx.runtime.values import MAX_TEXT, weight

from .problem import Problem

Headers = list[tuple[bytes, bytes]]


class ReplyLike(Protocol):
    """An answer of a workflow: status, headers (a list where one is sent several times), body.
    Nothing about their types is taken for granted: a workflow computed them."""

    @property
    def status(self) -> Any: ...
    @property
    def headers(self) -> Mapping[Any, Any] | None: ...
    @property
    def body(self) -> Any: ...


class Response(NamedTuple):
    """A response as ASGI takes it, complete with its length."""

    status: int
    headers: Headers
    body: bytes


class ReplyError(ValueError):
    """A workflow's answer cannot be sent. The message tells its author why."""


JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"
BINARY = b"application/octet-stream"
PROBLEM = b"application/problem+json"

NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
FORBIDDEN = r"[\x00-\x08\x0a-\x1f\x7f]"
_pattern = cache(re.compile)  # when first used: answers without headers need none
# The server sets these itself; a workflow that relays another service's headers may name them.
OWN = frozenset(
    {"connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade"}
)


def encode(reply: ReplyLike, extra: Mapping[str, str] | None = None) -> Response:
    """Encodes a workflow's answer.

    Text is sent as plain text, bytes as they are, None as nothing, all else as JSON, unless a
    Content-Type header says otherwise.

    Args:
        reply: the answer.
        extra: headers of ours; the workflow's own take precedence.

    Raises:
        ReplyError: the status, a header or the body cannot be sent.
    """
    status = reply.status
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ReplyError(f"the status must be a number from 200 to 599, not {status!r}")
    headers = _headers(reply.headers) if reply.headers else []
    if extra:
        headers = merged(headers, extra)
    if status in (204, 304):
        return Response(status, [pair for pair in headers if pair[0] != b"content-type"], b"")
    content_type, body = encode_body(reply.body)
    if content_type is not None and not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", content_type))
    headers.append((b"content-length", b"%d" % len(body)))
    return Response(status, headers, body)


def encode_body(body: Any) -> tuple[bytes | None, bytes]:
    """The content type (None: no content) and the bytes of a body.

    Raises:
        ReplyError: it cannot be written as JSON.
    """
    if body is None:
        return None, b""
    if isinstance(body, str):
        return TEXT, body.encode("utf-8", "replace")
    if isinstance(body, bytes | bytearray | memoryview):
        return BINARY, bytes(cast("bytes", body))
    return JSON, to_json(body)


def _default(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODE = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_default
).encode


def to_json(value: Any) -> bytes:
    """`value` as compact JSON; dates become ISO text, bytes base64.

    Raises:
        ReplyError: it cannot be written as JSON, or would have more than `MAX_TEXT` characters.
    """
    if weight(value) > MAX_TEXT:
        raise ReplyError(f"the body is not JSON of at most {MAX_TEXT:,} characters")
    try:
        return _ENCODE(value).encode("utf-8", "replace")
    except (TypeError, ValueError, RecursionError) as exc:
        raise ReplyError(f"the body cannot be sent as JSON: {exc}") from None


def _headers(headers: Mapping[Any, Any]) -> Headers:
    result: Headers = []
    for name, value in headers.items():
        if not isinstance(name, str) or not _pattern(NAME).fullmatch(name):
            raise ReplyError(f"{name!r} is no name for a header")
        lower = name.lower()
        if lower in OWN:
            continue
        several = isinstance(value, list | tuple)
        for item in cast("Iterable[Any]", value) if several else (value,):
            if item is None:
                continue
            if not isinstance(item, str | int | float):
                raise ReplyError(f"the header {name} must be text")
            text = str(item)
            if _pattern(FORBIDDEN).search(text):
                raise ReplyError(f"the header {name} contains a line break or control character")
            try:
                result.append((lower.encode("ascii"), text.encode("latin-1")))
            except UnicodeEncodeError:
                raise ReplyError(f"the header {name} has characters that headers cannot") from None
    return result


def merged(headers: Headers, extra: Mapping[str, str]) -> Headers:
    """Headers of a workflow's answer with those of ours that it does not set itself."""
    named = {name for name, _ in headers}
    return headers + [pair for pair in pairs(extra) if pair[0] not in named or pair[0] == b"vary"]


def pairs(headers: Mapping[str, str]) -> Headers:
    """Our own headers, known to be safe, as ASGI takes them."""
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]


def problem_response(problem: Problem, extra: Mapping[str, str] | None = None) -> Response:
    """A problem document as a response."""
    body = to_json(problem.document())
    headers = pairs({**(extra or {}), **problem.headers})
    headers.append((b"content-type", PROBLEM))
    headers.append((b"content-length", b"%d" % len(body)))
    return Response(problem.status, headers, body)


async def deliver(
    response: Response, method: str, send: Callable[[MutableMapping[str, Any]], Awaitable[None]]
) -> None:
    """Sends a response as ASGI wants it, without its body where the request's method is HEAD."""
    await send(
        {"type": "http.response.start", "status": response.status, "headers": response.headers}
    )
    body = b"" if method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})
