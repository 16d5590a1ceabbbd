from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.errors import FatalError
from nodegx.runtime.net.urls import encode_form, encode_query, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PAIRS = st.lists(st.tuples(TEXT, TEXT))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("https://example.com:443/a?b=c#d", "https://example.com/a?b=c"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("http://example.com/ä b", "http://example.com/%C3%A4%20b"),
        ("http://example.com/a%2Fb%", "http://example.com/a%2Fb%25"),
        ("http://example.com/?q=a b&r=%", "http://example.com/?q=a%20b&r=%25"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("  http://example.com/  ", "http://example.com/"),
    ],
)
def test_parse(text: str, expected: str) -> None:
    assert str(parse(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/a",
        "/a",
        "file:///etc/passwd",
        "ftp://example.com",
        "gopher://example.com",
        "http://",
        "http:///a",
        "http://user:word@example.com/",
        "http://good.example\\@bad.example/",
        "http://good.example\\.bad.example/",
        "http://exa mple.com/",
        "http://example.com/\r\nX: y",
        "http://exa\tmple.com/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://a?@169.254.169.254/\x00",
        "http://ex<ample>.com/",
    ],
)
def test_what_is_not_a_url_is_refused(text: str) -> None:
    with pytest.raises(FatalError) as caught:
        parse(text)
    assert caught.value.code == "http.url"


def test_the_host_ends_where_the_query_begins() -> None:
    assert parse("http://good.example?@bad.example/").host == "good.example"
    assert parse("http://good.example#@bad.example/").host == "good.example"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("/b?c=d", "http://h.example/b?c=d"),
        ("b", "http://h.example/a/b"),
        ("?page=2", "http://h.example/a/x?page=2"),
        ("//other.example/b", "http://other.example/b"),
        ("https://other.example/b", "https://other.example/b"),
    ],
)
def test_join(reference: str, expected: str) -> None:
    assert str(parse("http://h.example/a/x?y=1").join(reference)) == expected


def test_joining_leads_to_no_other_scheme() -> None:
    with pytest.raises(FatalError):
        parse("http://h.example/").join("file:///etc/passwd")


def test_display_hides_the_query() -> None:
    assert parse("https://h.example:8443/a?key=secret").display == "https://h.example:8443/a"


def test_parameters_are_replaced_by_their_decoded_name() -> None:
    url = parse("http://h.example/?a%20b=1&c=2&a+b=3")
    assert url.without_query(frozenset({"a b"})).query == "c=2"


@given(PAIRS)
def test_queries_round_trip(pairs: list[tuple[str, str]]) -> None:
    url = parse("http://h.example/?x=1").with_query(pairs)
    assert parse_qsl(url.query, keep_blank_values=True) == [("x", "1"), *pairs]
    assert parse(str(url)) == url


@given(PAIRS)
def test_forms_round_trip(pairs: list[tuple[str, str]]) -> None:
    assert (
        parse_qsl(encode_form(pairs), keep_blank_values=True, strict_parsing=bool(pairs)) == pairs
    )
    assert encode_query(pairs).isascii()


@given(st.text())
def test_no_text_breaks_the_parser_or_the_request_line(text: str) -> None:
    try:
        url = parse("http://h.example/" + text)
    except FatalError:
        return
    assert url.target.isascii()
    assert not set(url.target) & set(" \r\n\t\0")
    assert url.host == "h.example"
