from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.triggers import ratelimit
from nodegx.runtime.triggers.problem import ConfigError, Problem
from nodegx.runtime.triggers.ratelimit import RateLimit, build
from nodegx.runtime.triggers.request import Incoming


def caller(address: str, **headers: str) -> Incoming:
    request = Incoming("POST", "/", headers, "")
    request.client = address
    return request


def granted(limit: RateLimit, request: Incoming) -> bool:
    try:
        limit.take(request)
    except Problem:
        return False
    return True


@settings(max_examples=100)
@given(st.lists(st.floats(0, 20), max_size=60), st.integers(1, 5))
def test_never_grants_more_than_a_full_bucket_and_what_flows_in(
    pauses: list[float], requests: int
) -> None:
    now = 0.0
    limit = RateLimit(requests, 10.0, clock=lambda: now)
    taken: list[float] = []
    for pause in pauses:
        now += pause
        if granted(limit, caller("a")):
            taken.append(now)
    for start, first in enumerate(taken):
        for count, last in enumerate(taken[start:], start=1):
            assert count <= requests + (last - first) * requests / 10.0 + 1e-6


def test_grants_again_after_the_wait_it_told() -> None:
    now = 0.0
    limit = RateLimit(1, 3.0, clock=lambda: now)
    assert granted(limit, caller("a"))
    with pytest.raises(Problem) as caught:
        limit.take(caller("a"))
    now += float(caught.value.headers["retry-after"])
    assert granted(limit, caller("a"))


@pytest.mark.parametrize(
    ("by", "first", "second", "shared"),
    [
        ("client", caller("a"), caller("b"), False),
        ("all", caller("a"), caller("b"), True),
        ("header:x-id", caller("a", **{"x-id": "1"}), caller("b", **{"x-id": "1"}), True),
        ("header:x-id", caller("a", **{"x-id": "1"}), caller("a", **{"x-id": "2"}), False),
        ("header:x-id", caller("a"), caller("a"), True),
        ("header:x-id", caller("a", **{"x-id": "b"}), caller("b"), False),
    ],
)
def test_tells_callers_apart(by: str, first: Incoming, second: Incoming, shared: bool) -> None:
    limit = RateLimit(1, 60.0, by)
    assert granted(limit, first)
    assert granted(limit, second) is not shared


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "MAX_CALLERS", 10)
    limit = RateLimit(1, 60.0)
    for number in range(100):
        limit.take(caller(str(number)))
    assert len(limit._buckets) == 10
    assert not granted(limit, caller("99"))


@pytest.mark.parametrize(
    "config",
    [
        {"requests": 0},
        {"requests": True},
        {"requests": 1, "per": 0},
        {"requests": 1, "per": "x"},
        {"requests": 1, "by": "moon"},
    ],
)
def test_refuses_what_cannot_work(config: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build(config)
