from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nodegx.runtime.deflate import deflate, inflate

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES, st.sampled_from([1, 60]))
@example(888, 1)
@example("x" * 100_000, 1)
def test_text_comes_back_as_it_went_in(value: object, times: int) -> None:
    for shown in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        text = "\n".join([shown] * times).encode("utf-8", "surrogatepass")
        assert inflate(deflate(text)) == text
        assert inflate(zlib.compress(text)) == text


@pytest.mark.parametrize("lines", [0, 1, 10, 300, 10_000])
def test_it_is_about_as_small_as_zlib_makes_it(lines: int) -> None:
    text = "\n".join(json.dumps({"id": n, "text": f"line {n * n}"}) for n in range(lines)).encode()
    assert len(deflate(text)) <= 1.1 * len(zlib.compress(text, 1)) + 300
