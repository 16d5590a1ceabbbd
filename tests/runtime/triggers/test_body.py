from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.triggers.body import parse
from nodegx.runtime.triggers.problem import Problem

MULTIPART = (
    b"preamble\r\n--X\r\n"
    b'Content-Disposition: form-data; name="tag"\r\n\r\na\r\n--X\r\n'
    b'Content-Disposition: form-data; name="tag"\r\n\r\nb\r\n--X\r\n'
    b'Content-Disposition: form-data; name="file"; filename="a;\\"b\\".bin"\r\n'
    b"Content-Type: image/png\r\n\r\n\x00\r\n\xff\r\n--X--\r\n"
)
FILE = {
    "filename": 'a;"b".bin',
    "contentType": "image/png",
    "size": 4,
    "content": b64encode(b"\x00\r\n\xff").decode(),
}


@pytest.mark.parametrize(
    ("raw", "content_type", "body_type", "expected"),
    [
        (b"", "application/json", "auto", None),
        (b'{"a": 1}', "application/json", "auto", {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', "application/vnd.x+json; charset=utf-8", "auto", {"a": 1}),
        (
            b"a=1&b=2&a=3&c=",
            "application/x-www-form-urlencoded",
            "auto",
            {"a": ["1", "3"], "b": "2", "c": ""},
        ),
        (MULTIPART, "multipart/form-data; boundary=X", "auto", {"tag": ["a", "b"], "file": FILE}),
        ("grün".encode("latin-1"), "text/plain; charset=latin-1", "auto", "grün"),
        (b"<a/>", "application/xml", "auto", "<a/>"),
        (b"\x00\x01", "application/octet-stream", "auto", "AAE="),
        (b"[1]", "", "auto", [1]),
        (b"hello", "", "auto", "hello"),
        (b"\xff", "", "auto", "/w=="),
        (b"{}", "text/plain", "json", {}),
        (b"{}", "application/json", "text", "{}"),
        (b"{}", "application/json", "raw", "e30="),
        (b"a=%C3%BC+1", "", "form", {"a": "ü 1"}),
        (MULTIPART, "multipart/form-data; boundary=X", "form", {"tag": ["a", "b"], "file": FILE}),
    ],
)
def test_parses(raw: bytes, content_type: str, body_type: str, expected: Any) -> None:
    assert parse(raw, content_type, body_type) == expected


def test_tells_where_json_breaks() -> None:
    with pytest.raises(Problem) as caught:
        parse(b'{"a": 1,\n "b": }', "application/json", "auto")
    assert caught.value.status == 400
    assert caught.value.extra == {"line": 2, "column": 7, "position": 15}


@pytest.mark.parametrize(
    ("raw", "content_type", "body_type", "status"),
    [
        (b"", "", "json", 400),
        (b"{}", "application/json", "form", 400),
        (b"NaN", "application/json", "auto", 400),
        (b'{"a": -Infinity}', "application/json", "auto", 400),
        (b"[" * 100_000, "application/json", "auto", 400),
        (b"1" * 5000, "application/json", "auto", 400),
        (b'"\xff"', "application/json", "auto", 400),
        (b"x", "text/plain; charset=nonsense", "auto", 415),
        (b"\xff", "text/plain", "auto", 400),
        (b"a", "multipart/form-data", "auto", 400),
        (b"a", "multipart/form-data; boundary=X", "auto", 400),
        (b"--X\r\n\r\nx", "multipart/form-data; boundary=X", "auto", 400),
        (
            b"--X\r\nContent-Disposition: form-data\r\n\r\nx\r\n--X--",
            "multipart/form-data; boundary=X",
            "auto",
            400,
        ),
        (b"&".join([b"a=1"] * 2000), "", "form", 400),
    ],
)
def test_refuses_what_does_not_parse(
    raw: bytes, content_type: str, body_type: str, status: int
) -> None:
    with pytest.raises(Problem) as caught:
        parse(raw, content_type, body_type)
    assert caught.value.status == status


@settings(max_examples=200)
@given(
    st.binary(max_size=200),
    st.sampled_from(
        ["", "application/json", "text/plain", "multipart/form-data; boundary=X", "a/b"]
    ),
    st.sampled_from(["auto", "json", "form", "multipart", "text", "raw"]),
)
def test_any_bytes_parse_or_are_refused(raw: bytes, content_type: str, body_type: str) -> None:
    try:
        parse(raw, content_type, body_type)
    except Problem as problem:
        assert 400 <= problem.status < 500  # noqa: PT017 - both outcomes are fine


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.text('abcäöü"\\;= ', min_size=1, max_size=8), st.binary(max_size=40), max_size=4
    )
)
def test_multipart_of_a_real_client_round_trips(files: dict[str, bytes]) -> None:
    import httpx

    request = httpx.Request(
        "POST", "http://x/", files=[("f", (name, content)) for name, content in files.items()]
    )
    if not files:
        return
    parsed = parse(request.read(), request.headers["content-type"], "auto")["f"]
    entries = parsed if isinstance(parsed, list) else [parsed]
    assert [entry["content"] for entry in entries] == [
        b64encode(content).decode() for content in files.values()
    ]
    assert [entry["filename"] for entry in entries] == list(files)
