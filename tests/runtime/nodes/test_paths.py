from __future__ import annotations

from typing import Any

import jmespath
import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.errors import FatalError
from nodegx.runtime.nodes import paths

KEYS = st.sampled_from(["a", "b", "c1", "_d"])
JSON = st.recursive(
    st.none() | st.integers() | st.just("text"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
STEPS = st.lists(KEYS | st.integers(0, 3), max_size=4)


@given(JSON, STEPS)
def test_plain_jsonpaths_are_walked_as_the_library_does(document: Any, steps: list[Any]) -> None:
    path = "$" + "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps)
    assert paths._jsonpath_steps(path) == tuple(steps)
    assert paths.find_all(path, document) == jsonpath.findall(path, document)


@given(JSON, KEYS, STEPS)
def test_plain_jmespaths_are_walked_as_the_library_does(
    document: Any, first: str, steps: list[Any]
) -> None:
    path = first + "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps)
    assert paths._jmespath_steps(path) == (first, *steps)
    assert paths.search(path, document) == jmespath.search(path, document)


@given(JSON, STEPS)
def test_pointers_are_walked_as_the_library_does(document: Any, steps: list[Any]) -> None:
    pointer = "".join(f"/{step}" for step in steps)
    assert paths.first(pointer, document, "none") == jsonpath.pointer.resolve(
        pointer, document, default="none"
    )


@pytest.mark.parametrize("path", ["$.a[*]", "$..a", "$.a[-1]", "$.a[1:]", "$[?@.a]", "$['it\\'s']"])
def test_other_jsonpaths_go_to_the_library(path: str) -> None:
    assert paths._jsonpath_steps(path) is None
    paths.find_all(path, {"a": [1]})


@pytest.mark.parametrize("call", [paths.find_all, paths.search])
def test_malformed(call: Any) -> None:
    with pytest.raises(FatalError) as caught:
        call("a[", {})
    assert caught.value.code == "path.invalid"


def test_failures_do_not_quote_the_document() -> None:
    with pytest.raises(FatalError) as caught:
        paths.search("length(pin)", {"pin": 123456})
    assert caught.value.code == "path.failed"
    assert "needs string or array or object, not number" in caught.value.message
    assert "123456" not in caught.value.message
