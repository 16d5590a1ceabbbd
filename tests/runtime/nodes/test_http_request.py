"""http.request against real servers: what is sent, and what a workflow gets."""

from __future__ import annotations

import base64
import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from nodegx.runtime.errors import FatalError, NodegxError, RetriableError
from nodegx.runtime.nodes import http
from nodegx.runtime.nodes.http_response import retry_after

from tests.support.loopback import Answer, Loopback, Seen

# --- what is sent ----------------------------------------------------------------------------


async def test_query_and_headers(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"))
    await http.request(
        "get",
        url + "?kept=1",
        query={"list": [1, "b"], "blank": "", "none": None, "flag": True, "text": "ä&="},
        headers={"X-Number": 5, "X-None": None, "user-agent": "mine", "Accept": "text/plain"},
    )
    seen = site.seen[0]
    assert seen.method == "GET"
    assert seen.query == {
        "kept": ["1"],
        "list": ["1", "b"],
        "blank": [""],
        "flag": ["true"],
        "text": ["ä&="],
    }
    assert seen.headers["x-number"] == "5"
    assert seen.headers["user-agent"] == "mine"
    assert seen.headers["accept"] == "text/plain"
    assert "x-none" not in seen.headers


@pytest.mark.parametrize(
    ("arguments", "media_type", "body"),
    [
        ({"json": {"a": ["ä"]}}, "application/json", '{"a":["ä"]}'.encode()),
        ({"json": []}, "application/json", b"[]"),
        ({"json": False}, "application/json", b"false"),
        (
            {"form": {"a": [1, 2], "b": "x y"}},
            "application/x-www-form-urlencoded",
            b"a=1&a=2&b=x+y",
        ),
        ({"body": "ä"}, "text/plain; charset=utf-8", "ä".encode()),
        ({"body": ""}, "text/plain; charset=utf-8", b""),
        ({"body": "AAH/", "body_encoding": "base64"}, "application/octet-stream", b"\0\1\xff"),
        ({"body": "<a/>", "headers": {"content-type": "text/xml"}}, "text/xml", b"<a/>"),
        ({}, None, b""),
    ],
)
async def test_bodies(
    site: Loopback, arguments: dict[str, Any], media_type: str | None, body: bytes
) -> None:
    await http.request("POST", site.at("/a", Answer(200, "x")), **arguments)
    assert site.seen[0].body == body
    assert site.seen[0].headers.get("content-type") == media_type
    assert site.seen[0].headers["content-length"] == str(len(body))


async def test_multipart(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"))
    content = base64.b64encode(b"\0\1").decode()
    await http.request(
        "POST", url, multipart=[{"name": "f", "base64": content, "filename": "a.bin"}]
    )
    seen = site.seen[0]
    boundary = seen.headers["content-type"].removeprefix("multipart/form-data; boundary=")
    assert seen.body.startswith(f"--{boundary}\r\n".encode())
    assert b"\r\n\r\n\0\1\r\n" in seen.body


@pytest.mark.parametrize(
    "arguments",
    [
        {"headers": {"X-A": "a\r\nX-Evil: 1"}},
        {"headers": {"X-A\r\nX-Evil": "1"}},
        {"headers": {"Content-Length": "1000"}},
        {"auth": {"type": "bearer", "token": "t\r\nX-Evil: 1"}},
        {"auth": {"type": "apiKey", "name": "X-Key", "key": "k\nX-Evil: 1"}},
    ],
)
async def test_nothing_is_injected_into_the_head(site: Loopback, arguments: dict[str, Any]) -> None:
    url = site.at("/a", Answer(200, "x"))
    with pytest.raises(FatalError) as caught:
        await http.request("GET", url, **arguments)
    assert caught.value.code == "http.header"
    assert not site.seen


@pytest.mark.parametrize("path", ["/a\r\nX-Evil: 1", "/a HTTP/1.1\r\nHost: b\r\n\r\n", "/\0"])
async def test_nothing_is_injected_into_the_request_line(site: Loopback, path: str) -> None:
    with pytest.raises(FatalError) as caught:
        await http.request("GET", site.url + path)
    assert caught.value.code == "http.url"
    with pytest.raises(FatalError) as caught:
        await http.request("GET /admin", site.url + "/a")
    assert caught.value.code == "http.method"
    assert not site.seen


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"query": [1]}, "`query` must be an object, not a list"),
        ({"headers": "X: y"}, "`headers` must be an object, not text"),
        ({"headers": {"X": [1]}}, "the header `X` must be text, a number or a boolean, not a list"),
        ({"form": "a=b"}, "`form` must be an object, not text"),
        ({"multipart": {"name": "a"}}, "`multipart` must be a list, not an object"),
        ({"multipart": ["a"]}, "a part of `multipart` must be an object, not text"),
        ({"body": {"a": 1}}, "`body` must be text, not an object"),
        ({"auth": "token"}, "`auth` must be an object, not text"),
        ({"url": None}, "a URL must be text, not null"),
        ({"method": 3}, "not an HTTP method"),
        ({"timeout": "soon"}, "duration"),
    ],
)
async def test_what_expressions_may_give_by_mistake(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(FatalError, match=words):
        await http.request(**{"method": "POST", "url": "http://127.0.0.1:1/"} | arguments)


async def test_durations_may_come_as_text(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"))
    response = await http.request("GET", url, timeout="5s", read_timeout="500ms")  # pyright: ignore[reportArgumentType]
    assert response.status == 200


# --- what a workflow gets --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media_type", "body", "expected"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("application/problem+json; charset=utf-8", b"[1]", [1]),
        ("application/json", b"\xef\xbb\xbf[1]", [1]),
        ("application/json", '"ä"'.encode("utf-16"), "ä"),
        ("application/json", b"", None),
        ("text/plain", "ä".encode(), "ä"),
        ("text/plain; charset=iso-8859-1", "ä".encode("latin-1"), "ä"),
        ("text/csv; charset=nonsense", b"a,b", "a,b"),
        ("application/xml", b"<a/>", "<a/>"),
        ("image/png", b"\x89PNG", base64.b64encode(b"\x89PNG").decode()),
        (None, b"plain", "plain"),
        (None, b"\xff\xfe", base64.b64encode(b"\xff\xfe").decode()),
    ],
)
async def test_automatic_mapping(
    site: Loopback, media_type: str | None, body: bytes, expected: Any
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    response = await http.request("GET", site.at("/a", Answer(200, body, headers)))
    assert response.body == expected


@pytest.mark.parametrize(
    ("response_type", "expected"), [("json", [1]), ("text", "[1]"), ("base64", "WzFd")]
)
async def test_chosen_mapping(site: Loopback, response_type: str, expected: Any) -> None:
    url = site.at("/a", Answer(200, b"[1]", {"Content-Type": "image/png"}))
    response = await http.request("GET", url, response_type=response_type)
    assert response.body == expected


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff"])
async def test_what_is_not_json_after_all(site: Loopback, body: bytes) -> None:
    url = site.at("/a", Answer(200, body, {"Content-Type": "application/json"}))
    with pytest.raises(FatalError) as caught:
        await http.request("GET", url)
    assert caught.value.code == "http.body"
    json.dumps(caught.value.details)


async def test_headers_status_and_url(site: Loopback) -> None:
    raw = (
        b"HTTP/1.1 201 Created\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a=1; Expires=Mon, 1 Jan\r\n"
        b"Set-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    )
    response = await http.request("POST", site.at("/a", Answer(raw=raw)))
    assert response.status == 201
    assert response.headers["x-a"] == "1, 2"
    assert response.headers["set-cookie"] == ["a=1; Expires=Mon, 1 Jan", "b=2"]
    assert response.body is None
    assert response.url == site.url + "/a"
    assert json.loads(json.dumps(response._asdict())) == response._asdict()


@pytest.mark.parametrize(
    ("status", "retriable"),
    [
        (400, False),
        (401, False),
        (404, False),
        (408, True),
        (409, False),
        (425, True),
        (429, True),
        (500, True),
        (501, False),
        (502, True),
        (503, True),
        (504, True),
    ],
)
async def test_statuses_that_are_errors(site: Loopback, status: int, retriable: bool) -> None:
    url = site.at("/a", Answer(status, {"error": "because"}))
    with pytest.raises(NodegxError) as caught:
        await http.request("GET", url + "?key=hidden")
    error = caught.value
    assert error.code == "http.status"
    assert isinstance(error, RetriableError) == error.retriable == retriable
    assert error.details == {"status": status, "body": '{"error": "because"}'}
    assert f"answered {status}" in error.message
    assert "hidden" not in error.message


async def test_the_excerpt_of_an_errors_body_is_bounded(site: Loopback) -> None:
    url = site.at("/a", Answer(500, "ä" * 100_000, {"Content-Type": "text/plain"}))
    with pytest.raises(RetriableError) as caught:
        await http.request("GET", url)
    assert len(caught.value.details["body"]) == 2001


async def test_which_statuses_are_a_success(site: Loopback) -> None:
    url = site.at("/a", Answer(404, {"found": False}))
    response = await http.request("GET", url, success_status=["200-299", 404])
    assert response == (404, response.headers, {"found": False}, url)
    with pytest.raises(FatalError):
        await http.request("GET", site.at("/b", Answer(204)), success_status=[200, "201"])


async def test_retry_after(site: Loopback) -> None:
    url = site.at("/a", Answer(429, "", {"Retry-After": "7"}), Answer(503, ""))
    with pytest.raises(RetriableError) as caught:
        await http.request("GET", url)
    assert caught.value.details["retryAfter"] == 7
    with pytest.raises(RetriableError) as caught:
        await http.request("GET", url)
    assert "retryAfter" not in caught.value.details


def test_retry_after_values() -> None:
    assert retry_after("120") == 120
    assert retry_after(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=2)
    assert retry_after(formatdate(time.time() - 60, usegmt=True)) == 0
    for nonsense in (None, "", "soon", "-1", "1.5", "9" * 50, "Mon, 99 Foo"):
        assert retry_after(nonsense) is None


async def test_redirects_can_be_left_to_the_workflow(site: Loopback) -> None:
    url = site.at("/a", Answer(302, b"", {"Location": "/b"}))
    response = await http.request("GET", url, follow_redirects=False)
    assert (response.status, response.headers["location"]) == (302, "/b")


async def test_limits_reach_the_client(site: Loopback) -> None:
    def slow(_: Seen) -> Answer:
        time.sleep(0.5)
        return Answer(200, "x")

    with pytest.raises(RetriableError) as timed_out:
        await http.request("GET", site.at("/slow", slow), timeout=0.1)
    assert timed_out.value.code == "http.timeout"
    with pytest.raises(FatalError) as too_large:
        await http.request("GET", site.at("/big", Answer(200, "x" * 11)), max_response_bytes=10)
    assert too_large.value.code == "http.tooLarge"
    with pytest.raises(FatalError) as private:
        await http.request("GET", site.at("/a", Answer(200)), allow_private_network=False)
    assert private.value.code == "http.address"
    with pytest.raises(FatalError) as metadata:
        await http.request("GET", "http://169.254.169.254/latest/meta-data/iam/")
    assert metadata.value.code == "http.address"
