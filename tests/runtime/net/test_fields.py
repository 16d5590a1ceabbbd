from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.errors import FatalError
from nodegx.runtime.net.fields import header, headers, is_confidential, pairs


def test_headers_are_made_of_scalars() -> None:
    given = {"X-Text": " a ", "X-Number": 1.5, "X-True": True, "X-None": None}
    assert headers(given) == [("X-Text", "a"), ("X-Number", "1.5"), ("X-True", "true")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nSet-Cookie: b=c"),
        ("X-A", "a\nb"),
        ("X-A", "a\rb"),
        ("X-A", "a\0b"),
        ("X-A\r\nHost", "a"),
        ("X A", "a"),
        ("X-A:", "a"),
        ("", "a"),
        ("Transfer-Encoding", "chunked"),
        ("content-length", "3"),
        ("Connection", "close"),
        ("X-A", {"a": 1}),
        ("X-A", ["a"]),
    ],
)
def test_headers_that_would_break_the_message_are_refused(name: str, value: object) -> None:
    with pytest.raises(FatalError) as caught:
        header(name, value)
    assert caught.value.code == "http.header"


@given(st.text(), st.text())
def test_accepted_headers_stay_on_their_line(name: str, value: str) -> None:
    try:
        accepted = header(name, value)
    except FatalError:
        return
    assert len("".join(accepted).splitlines()) <= 1 or not set("".join(accepted)) & set("\r\n\0")


def test_pairs() -> None:
    given = {"a": [1, None, "x"], "b": None, "c": False, "d": 1.0}
    assert pairs(given, "`query`") == [("a", "1"), ("a", "x"), ("c", "false"), ("d", "1.0")]
    with pytest.raises(FatalError, match="`a` of `query`"):
        pairs({"a": {"b": 1}}, "`query`")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Authorization", True),
        ("Cookie", True),
        ("X-Api-Key", True),
        ("X-Auth-Token", True),
        ("X-Signature", True),
        ("Accept", False),
        ("Content-Type", False),
        ("X-Request-Id", False),
    ],
)
def test_confidential_headers(name: str, expected: bool) -> None:
    assert is_confidential(name) is expected
