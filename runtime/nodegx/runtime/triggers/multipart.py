"""Parses `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import unquote

from .problem import Problem
from .request import MAX_FIELDS, collect

MAX_HEADER_BYTES = 8192


def parse(raw: bytes, boundary: str) -> dict[str, Any]:
    """The form's fields.

    A text field is a string, a file `{"filename", "contentType", "size", "content"}` with its
    content as base64; fields that repeat hold lists.

    Raises:
        Problem: 400 for a malformed or unfinished body.
    """
    if not boundary or len(boundary) > 70 or not boundary.isascii():
        raise Problem(400, "The multipart body has no usable boundary.")
    marker = b"\r\n--" + boundary.encode("ascii")
    # The first delimiter stands at the start of the body, or after a preamble.
    rest = (b"\r\n" + raw).split(marker)[1:]
    parts: list[tuple[str, Any]] = []
    for part in rest:
        if part.startswith(b"--"):
            return collect(parts)
        if len(parts) == MAX_FIELDS:
            raise Problem(400, f"More than {MAX_FIELDS} fields in the form.")
        parts.append(_part(part))
    raise Problem(400, "The multipart body ends before its closing boundary.")


def _part(part: bytes) -> tuple[str, Any]:
    head, blank, content = part.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not blank or len(head) > MAX_HEADER_BYTES:
        raise Problem(400, "A part of the multipart body has no proper headers.")
    headers = _headers(head)
    options = _options(headers.get("content-disposition", ""))
    name = options.get("name")
    if name is None:
        raise Problem(400, "A part of the multipart body has no field name.")
    filename = options.get("filename*") or options.get("filename")
    if filename is None:
        return name, content.decode("utf-8", "replace")
    return name, {
        "filename": filename,
        "contentType": headers.get("content-type", "application/octet-stream"),
        "size": len(content),
        "content": b64encode(content).decode("ascii"),
    }


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("utf-8", "replace").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _options(disposition: str) -> dict[str, str]:
    """The parameters of a Content-Disposition header; quoted values may hold `;`."""
    options: dict[str, str] = {}
    rest = disposition.partition(";")[2]
    while rest:
        name, equals, rest = rest.partition("=")
        if not equals:
            break
        rest = rest.lstrip()
        if rest.startswith('"'):
            value, rest = _quoted(rest[1:])
            rest = rest.partition(";")[2]
        else:
            value, _, rest = rest.partition(";")
            value = value.strip()
        name = name.strip().lower()
        if name.endswith("*"):  # RFC 8187: charset'language'percent-encoded
            value = unquote(value.rpartition("'")[2], errors="replace")
        options[name] = value
    return options


def _quoted(text: str) -> tuple[str, str]:
    """The value up to the closing quote, and what follows. Browsers escape quotes as `%22`,
    others as `\\"`."""
    value: list[str] = []
    characters = iter(range(len(text)))
    for index in characters:
        if text[index] == "\\" and text[index + 1 : index + 2] in ('"', "\\"):
            value.append(text[index + 1])
            next(characters)
        elif text[index] == '"':
            return "".join(value).replace("%22", '"'), text[index + 1 :]
        else:
            value.append(text[index])
    return "".join(value), ""
