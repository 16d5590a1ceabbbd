"""Reads and parses request bodies."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .problem import Problem
from .request import fields

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BODY_TYPES = ("auto", "json", "form", "multipart", "text", "raw")


class Disconnected(Exception):
    """The caller went away before the body had arrived."""


async def read(receive: Receive, headers: dict[str, str], limit: int) -> bytes:
    """The whole body, in the time that the server gives its sender.

    Raises:
        Problem: 413 as soon as it is known to be longer than `limit` bytes, 400 for a malformed
            length.
        Disconnected: the caller hung up, or was too slow.
    """
    length = headers.get("content-length")
    if length is None and "transfer-encoding" not in headers:
        return b""
    if length is not None:
        if not (length.isascii() and length.isdigit()):
            raise Problem(400, "Content-Length must be a number.")
        if int(length) > limit:
            raise too_large(limit)
        if length == "0":
            return b""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)


def too_large(limit: int) -> Problem:
    """The answer to a body over the limit. The connection closes: its rest is not read."""
    return Problem(
        413, f"The body may have at most {limit} bytes.", headers={"connection": "close"}
    )


def parse(raw: bytes, content_type: str, body_type: str) -> Any:
    """The body as the workflow sees it.

    Args:
        raw: the bytes received.
        content_type: the Content-Type header, or "".
        body_type: one of `BODY_TYPES`; `auto` goes by the content type.

    Raises:
        Problem: 400 for a body that does not parse, 415 for an unknown character set.
    """
    parser = PARSERS.get(body_type)
    if parser is not None:
        return parser(raw, content_type)
    if not raw:
        return None
    return _by_content_type(raw, content_type)


def _by_content_type(raw: bytes, content_type: str) -> Any:
    media = content_type.partition(";")[0].strip().lower()
    if media == "application/json" or media.endswith("+json"):
        return parse_json(raw, content_type)
    if media == "application/x-www-form-urlencoded":
        return parse_form(raw, content_type)
    if media == "multipart/form-data":
        return parse_multipart(raw, content_type)
    if media.startswith("text/") or media.endswith(("/xml", "+xml")):
        return parse_text(raw, content_type)
    return _guess(raw) if not media else parse_raw(raw, content_type)


def _guess(raw: bytes) -> Any:
    """A body without a type: JSON if it is JSON, else text, else base64."""
    try:
        return _DECODE(raw.decode())
    except UnicodeDecodeError:
        return parse_raw(raw, "")
    except (ValueError, RecursionError):
        return raw.decode()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODE = json.JSONDecoder(parse_constant=_no_constant).decode


def parse_json(raw: bytes, content_type: str) -> Any:
    """Parses JSON; what is wrong is told with its position."""
    if not raw:
        raise Problem(400, "The body is empty; it must be JSON.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Problem(400, f"The body is not UTF-8 at byte {exc.start}.", byte=exc.start) from None
    try:
        return _DECODE(text)
    except json.JSONDecodeError as exc:
        raise Problem(
            400,
            f"The body is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}.",
            line=exc.lineno,
            column=exc.colno,
            position=exc.pos,
        ) from None
    except RecursionError:
        raise Problem(400, "The body is not usable JSON: it is nested too deeply.") from None
    except ValueError as exc:  # NaN, Infinity, or an integer of thousands of digits
        raise Problem(400, f"The body is not usable JSON: {exc}.") from None


def parse_text(raw: bytes, content_type: str) -> str:
    """Decodes text in the character set of its content type, UTF-8 by default."""
    charset = option(content_type, "charset") or "utf-8"
    try:
        return raw.decode(charset)
    except LookupError:
        raise Problem(415, "The body's character set is unknown.") from None
    except UnicodeDecodeError as exc:
        raise Problem(
            400, f"The body is not {charset} text at byte {exc.start}.", byte=exc.start
        ) from None


def parse_form(raw: bytes, content_type: str) -> dict[str, Any]:
    """Decodes a form, URL-encoded or multipart; repeated fields become lists."""
    media = content_type.partition(";")[0].strip().lower()
    if media == "multipart/form-data":
        return parse_multipart(raw, content_type)
    if media not in ("", "application/x-www-form-urlencoded"):
        raise Problem(400, "The body must be a form.")
    return fields(parse_text(raw, content_type))


def parse_multipart(raw: bytes, content_type: str) -> dict[str, Any]:
    """Decodes `multipart/form-data`; files become objects, see `multipart.parse`."""
    from .multipart import parse

    return parse(raw, option(content_type, "boundary"))


def parse_raw(raw: bytes, content_type: str) -> str:
    """The bytes as base64 text."""
    return b64encode(raw).decode("ascii")


def option(header: str, name: str) -> str:
    """The parameter `name` of a header such as `text/plain; charset=utf-8`, or ""."""
    for part in header.split(";")[1:]:
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


PARSERS: dict[str, Callable[[bytes, str], Any]] = {
    "json": parse_json,
    "form": parse_form,
    "multipart": parse_multipart,
    "text": parse_text,
    "raw": parse_raw,
}
