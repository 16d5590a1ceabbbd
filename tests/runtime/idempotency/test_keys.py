from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.errors import FatalError
from nodegx.runtime.idempotency.keys import computed_key, fingerprint, header_key, place
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.triggers.request import Incoming

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)


@given(printable)
def test_quoted_keys_may_hold_all_that_prints(key: str) -> None:
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert header_key(quoted) == key
    assert header_key(f" {quoted};a=1; b") == key


@pytest.mark.parametrize(
    "key", ["a", "8e03978e-40d5-43e8-bc93-6894a57f9324", "a:b/c\\d;e", "x" * 255]
)
def test_quotes_may_be_missing(key: str) -> None:
    assert header_key(key) == key


@given(st.text())
def test_everything_else_is_refused(text: str) -> None:
    try:
        key = header_key(text)
    except Problem:
        return
    assert 1 <= len(key) <= 255
    assert key.isascii()
    assert key.isprintable()


def test_hostile_headers_take_no_time() -> None:
    for text in ('"' + "\\" * 60_000, '"' + 'a\\"' * 20_000, '"a"' + " ;" * 30_000 + "\0"):
        with pytest.raises(Problem):
            header_key(text)


@pytest.mark.parametrize(
    ("value", "key"),
    [("a", '"a"'), (1, "1"), (0, "0"), (False, "false"), (["a", 1], '["a",1]')],
)
def test_expressions_give_keys_of_any_type(value: object, key: str) -> None:
    assert computed_key(lambda found: found, value) == key


def test_keys_are_hashed_with_what_they_belong_to() -> None:
    places = {
        place("/A", "start", "k"),
        place("/A", "start", "subject", "k"),
        place("/B", "start", "k"),
        place("/A", "other", "k"),
        place("/A", "startk", ""),
        place("/As", "tart", "k"),
        place("/A", "start", "\ud800"),
    }
    assert len(places) == 7
    assert {len(each) for each in places} == {64}
    assert place("/A", "start", "k") in places


@pytest.mark.parametrize("value", [None, "", object()])
def test_what_is_empty_or_no_json_is_no_key(value: object) -> None:
    with pytest.raises(FatalError) as caught:
        computed_key(lambda found: found, value)
    assert caught.value.code == "idempotency.key"


def test_errors_of_expressions_tell_nothing_of_the_value() -> None:
    with pytest.raises(FatalError) as caught:
        computed_key(lambda found: found["hidden"]["secret"], {"hidden": {}})
    assert "secret" not in caught.value.message


def test_fingerprints_tell_requests_apart() -> None:
    def of(method: str, path: str, query: str, body: bytes) -> str:
        incoming = Incoming(method, path, {}, query)
        incoming.raw = body
        return fingerprint(incoming, None)

    prints = {
        of("POST", "/a", "", b""),
        of("PUT", "/a", "", b""),
        of("POST", "/b", "", b""),
        of("POST", "/a", "b", b""),
        of("POST", "/a", "", b"b"),
    }
    assert len(prints) == 5
    assert of("POST", "/a", "", b"") in prints
