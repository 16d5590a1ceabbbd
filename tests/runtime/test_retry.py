from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime import Retry
from nodegx.runtime.errors import FatalError, NodegxError, RetriableError
from nodegx.runtime.retry import applies, delay_after, within

BUSY = RetriableError("busy", code="http.status")


def test_delays_grow_to_their_limit() -> None:
    policy = Retry(attempts=9, delay=0.5, backoff=3.0, max_delay=10.0, jitter=0.0)
    assert [delay_after(policy, n, BUSY) for n in range(1, 6)] == [0.5, 1.5, 4.5, 10.0, 10.0]


@given(
    st.builds(
        Retry,
        delay=st.floats(0, 1e6),
        backoff=st.floats(0, 1e6),
        max_delay=st.floats(0, 1e6),
        jitter=st.floats(0, 1),
    ),
    st.integers(1, 10_000),
    st.floats(0, 1),
)
def test_a_delay_is_never_negative_nor_above_its_limit(
    policy: Retry, attempt: int, drawn: float
) -> None:
    assert 0 <= delay_after(policy, attempt, BUSY, lambda: drawn) <= policy.max_delay


def test_jitter_takes_a_share_off() -> None:
    policy = Retry(delay=10.0, jitter=0.4)
    assert delay_after(policy, 1, BUSY, lambda: 0.0) == 10.0
    assert delay_after(policy, 1, BUSY, lambda: 1.0) == pytest.approx(6.0)


def test_the_other_side_may_ask_for_a_longer_pause() -> None:
    asked = RetriableError("busy", details={"retryAfter": 7})
    assert delay_after(Retry(delay=1.0, jitter=0.0), 1, asked) == 7.0
    assert delay_after(Retry(delay=9.0, jitter=0.0), 1, asked) == 9.0
    assert delay_after(Retry(delay=1.0, max_delay=3.0, jitter=0.0), 1, asked) == 3.0
    for nonsense in ({"retryAfter": "soon"}, {"retryAfter": -1}, ["retryAfter"], None):
        odd = RetriableError("busy", details=nonsense)
        assert delay_after(Retry(delay=1.0, jitter=0.0), 1, odd) == 1.0


@pytest.mark.parametrize(
    ("on", "error", "expected"),
    [
        ((), BUSY, True),
        ((), FatalError("no"), False),
        ((), ConnectionResetError(), True),
        ((), TimeoutError(), True),
        ((), KeyError("x"), False),
        (("fatal",), FatalError("no"), True),
        (("fatal",), BUSY, False),
        (("http.status",), BUSY, True),
        (("http.status",), NodegxError("no", code="http.status"), True),
        (("python.KeyError",), KeyError("x"), True),
        (("timeout",), BUSY, False),
    ],
)
def test_a_policy_chooses_by_category_or_code(
    on: tuple[str, ...], error: Exception, expected: bool
) -> None:
    assert applies(Retry(on=on), error) is expected


async def test_within_passes_results_and_cancellation_through() -> None:
    async def value() -> int:
        return 3

    assert await within(1.0, value, "it") == 3
    assert await within(None, value, "it") == 3
    task = asyncio.ensure_future(within(5.0, lambda: asyncio.sleep(5), "it"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
