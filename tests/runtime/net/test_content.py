from __future__ import annotations

import base64
import json
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.errors import FatalError
from nodegx.runtime.net.content import (
    Content,
    form_content,
    json_content,
    multipart_content,
    raw_content,
)

NAME = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1).map(
    lambda text: text.replace("\\", "/")
)


def parts_of(content: Content) -> list[Message]:
    head = f"Content-Type: {content.type}\r\n\r\n".encode()
    return cast(
        "list[Message]", BytesParser(policy=HTTP).parsebytes(head + content.data).get_payload()
    )


def test_json() -> None:
    content = json_content({"a": ["ä", 1, None]})
    assert content == ("application/json", '{"a":["ä",1,null]}'.encode())
    with pytest.raises(FatalError, match="not JSON"):
        json_content({"a": {1, 2}})
    with pytest.raises(FatalError, match="not JSON"):
        json_content(float("nan"))
    with pytest.raises(FatalError, match="not JSON of at most 10,000,000 characters"):
        json_content([["x" * 100_000] * 1000] * 1000)


def test_form() -> None:
    content = form_content({"a": [1, 2], "b": "x y&z", "c": None})
    assert content.type == "application/x-www-form-urlencoded"
    assert parse_qs(content.data.decode()) == {"a": ["1", "2"], "b": ["x y&z"]}


def test_raw() -> None:
    assert raw_content("ä", "text").data == "ä".encode()
    assert raw_content("AAEC\n/w==", "base64").data == b"\0\1\2\xff"
    with pytest.raises(FatalError, match="Base64"):
        raw_content("***", "base64")


def test_multipart_files_and_fields() -> None:
    content = multipart_content(
        [
            {"name": "title", "value": "Größe"},
            {"name": "meta", "value": {"a": [1]}},
            {"name": "note", "text": "hello", "filename": "note.txt"},
            {"name": "image", "base64": base64.b64encode(b"\x89PNG\r\n--x").decode()},
            {"name": "page", "text": "<p>", "contentType": "text/html; charset=utf-8"},
        ]
    )
    title, meta, note, image, page = parts_of(content)
    assert title.get_payload(decode=True) == "Größe".encode()
    assert title["content-type"] is None
    assert json.loads(cast("bytes", meta.get_payload(decode=True))) == {"a": [1]}
    assert (note.get_filename(), note.get_content_type()) == ("note.txt", "text/plain")
    assert image.get_payload(decode=True) == b"\x89PNG\r\n--x"
    assert (image.get_filename(), image.get_content_type()) == ("file", "application/octet-stream")
    assert page.get_content_type() == "text/html"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"value": "x"}, "no name"),
        ({"name": "a", "text": "x", "base64": "eA=="}, "both"),
        ({"name": "a", "base64": "*"}, "not Base64"),
        ({"name": "a", "text": 3}, "must be text"),
        ({"name": "a", "text": "x", "contentType": "text/plain\r\nX-Evil: 1"}, "line break"),
    ],
)
def test_malformed_parts_are_refused(part: dict[str, Any], message: str) -> None:
    with pytest.raises(FatalError, match=message):
        multipart_content([part])


def test_names_cannot_leave_their_header() -> None:
    content = multipart_content([{"name": 'a"\r\nX-Evil: 1', "text": "x", "filename": 'b"\n.txt'}])
    assert b'name="a%22%0D%0AX-Evil: 1"; filename="b%22%0A.txt"' in content.data


@settings(max_examples=60)
@given(st.lists(st.tuples(NAME, st.binary(max_size=200)), min_size=1, max_size=5))
def test_multipart_round_trips(fields: list[tuple[str, bytes]]) -> None:
    content = multipart_content(
        [{"name": name, "base64": base64.b64encode(data).decode()} for name, data in fields]
    )
    found = parts_of(content)
    assert len(found) == len(fields)
    # The parser's policy rewrites line ends inside binary parts, so the raw bytes are compared.
    boundary = cast("str", content.type).partition("boundary=")[2].encode()
    chunks = content.data.split(b"--" + boundary)[1:-1]
    for chunk, (name, data) in zip(chunks, fields, strict=True):
        head, _, body = chunk[2:-2].partition(b"\r\n\r\n")
        assert body == data
        assert f'name="{name.replace(chr(34), "%22")}"'.encode() in head
