from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.database.postgres_text import MARK, decoded, encoded

ANY = st.text(st.characters(codec=None, exclude_categories=())) | st.text(
    st.sampled_from(["\0", MARK, "0", "e", "d", "\ud800", "\udfff", "x", "é"])
)


@given(ANY)
def test_every_text_comes_back(text: str) -> None:
    data = encoded(text)
    assert b"\0" not in data
    data.decode()
    assert decoded(data) == text


@given(st.lists(ANY, min_size=2, max_size=2, unique=True))
def test_no_two_texts_are_taken_for_one(texts: list[str]) -> None:
    assert encoded(texts[0]) != encoded(texts[1])


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("é x", "é x".encode()),
        ("a\0b", f"a{MARK}0000b".encode()),
        (f"{MARK}0000", f"{MARK}e0000000".encode()),
        ("\ud800\0", f"{MARK}d800{MARK}0000".encode()),
    ],
)
def test_texts_are_readable_in_the_database(text: str, data: bytes) -> None:
    assert encoded(text) == data
    assert decoded(data) == text
