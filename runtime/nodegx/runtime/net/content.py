"""Bodies of requests: a media type and bytes."""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from nodegx.runtime.errors import FatalError
from nodegx.runtime.messages import describe_type
from nodegx.runtime.values import MAX_TEXT, weight

from .fields import header, mapping, pairs
from .urls import encode_form

CODE = "http.body"


class Content(NamedTuple):
    """A body, and the media type it has unless the user names another."""

    type: str | None
    data: bytes


def json_content(value: Any) -> Content:
    """JSON, in UTF-8.

    Raises:
        FatalError: code `http.body`; it is none, or has more than `MAX_TEXT` characters.
    """
    if weight(value) > MAX_TEXT:
        raise FatalError(f"`json` is not JSON of at most {MAX_TEXT:,} characters", code=CODE)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Content("application/json", text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise FatalError(f"`json` is not JSON: {error}", code=CODE) from None


def form_content(fields: Any) -> Content:
    """A URL-encoded form."""
    return Content(
        "application/x-www-form-urlencoded", encode_form(pairs(fields, "`form`")).encode()
    )


def raw_content(body: Any, encoding: str) -> Content:
    """Text in UTF-8 (`text`), or the bytes that Base64 stands for (`base64`)."""
    if not isinstance(body, str):
        raise FatalError(
            f"`body` must be text, not {describe_type(body)}: `json` sends values", code=CODE
        )
    if encoding == "base64":
        return Content("application/octet-stream", from_base64(body, "`body`"))
    return Content("text/plain; charset=utf-8", body.encode("utf-8", "replace"))


def multipart_content(parts: Any, boundary: str | None = None) -> Content:
    """multipart/form-data of parts with `name` and one of `value`, `text` and `base64`.

    Raises:
        FatalError: code `http.body`.
    """
    boundary = boundary or f"nodegx-{secrets.token_hex(16)}"
    chunks: list[bytes] = []
    if not isinstance(parts, list | tuple):
        raise FatalError(f"`multipart` must be a list, not {describe_type(parts)}", code=CODE)
    for given in cast("Sequence[Any]", parts):
        part = mapping(given, "a part of `multipart`", CODE)
        chunks += [f"--{boundary}\r\n".encode(), *_part(part), b"\r\n"]
    chunks.append(f"--{boundary}--\r\n".encode())
    return Content(f"multipart/form-data; boundary={boundary}", b"".join(chunks))


def _part(part: Mapping[str, Any]) -> list[bytes]:
    name = part.get("name")
    if not isinstance(name, str) or not name:
        raise FatalError("a part of `multipart` has no name", code=CODE)
    given = [key for key in ("value", "text", "base64") if part.get(key) is not None]
    if len(given) > 1:
        raise FatalError(f"part `{name}` has both `{given[0]}` and `{given[1]}`", code=CODE)
    kind = given[0] if given else "value"
    content = part.get(kind)
    filename, media_type = part.get("filename"), part.get("contentType")
    if kind == "value":
        data = _plain(content)
    else:
        filename = str(filename or "file")
        media_type = media_type or mimetypes.guess_type(filename)[0] or "application/octet-stream"
        if not isinstance(content, str):
            raise FatalError(f"`{kind}` of part `{name}` must be text", code=CODE)
        what = f"`base64` of part `{name}`"
        data = (
            from_base64(content, what) if kind == "base64" else content.encode("utf-8", "replace")
        )
    disposition = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if filename is not None:
        disposition += f'; filename="{_quoted(str(filename))}"'
    lines = [disposition]
    if media_type is not None:
        lines.append(": ".join(header("Content-Type", media_type)))
    return ["\r\n".join([*lines, "", ""]).encode("utf-8", "replace"), data]


def _plain(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return json_content(value).data


def _quoted(text: str) -> str:
    """Text inside the quotes of a form-data header, escaped as browsers do."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def from_base64(text: str, what: str) -> bytes:
    """The bytes of Base64 text, blanks and line breaks ignored.

    Raises:
        FatalError: code `http.body`.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise FatalError(f"{what} is not Base64", code=CODE) from None
