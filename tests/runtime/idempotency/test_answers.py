from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.idempotency.answers import (
    LARGEST,
    Outcome,
    pack_outcome,
    pack_response,
    unpack_outcome,
    unpack_response,
)
from nodegx.runtime.triggers.reply import ReplyError, Response
from nodegx.runtime.values import Reply

fields = st.tuples(st.binary(max_size=20), st.binary(max_size=50))


@given(st.integers(200, 599), st.lists(fields, max_size=5), st.binary(max_size=9000))
def test_responses_are_kept_to_the_byte(
    status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    response = Response(status, headers, body)
    packed = pack_response(response, 100_000)
    assert packed is not None
    assert unpack_response(packed) == response


def test_what_is_large_is_compressed_before_it_is_refused() -> None:
    text = Response(200, [], b"text " * 100_000)
    packed = pack_response(text, 10_000)
    assert packed is not None
    assert unpack_response(packed) == text
    noise = Response(200, [], random.Random(1).randbytes(20_000))
    assert pack_response(noise, 10_000) is None
    assert pack_response(Response(200, [], bytes(LARGEST)), 10_000) is not None
    assert pack_response(Response(200, [], bytes(LARGEST + 1)), 10_000_000) is None


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("waiting", None),
        Outcome("success", None),
        Outcome("success", Reply()),
        Outcome("success", Reply(201, {"a": ["b", "c"]}, {"d": ["é", None, 1.5]})),
    ],
)
def test_outcomes_are_kept(outcome: Outcome) -> None:
    packed = pack_outcome(outcome, 10_000)
    assert packed is not None
    assert unpack_outcome(packed) == outcome


def test_outcomes_have_limits_too() -> None:
    assert pack_outcome(Outcome("success", Reply(body="x" * LARGEST)), 10_000_000) is None
    with pytest.raises(ReplyError):
        pack_outcome(Outcome("success", Reply(body=object())), 10_000)
