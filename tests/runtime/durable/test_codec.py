from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.errors import FatalError
from nodegx.runtime.secrets import Secrets
from nodegx.runtime.triggers.request import WebhookRequest
from nodegx.runtime.values import ForEachResult, WaitResult

PLAIN = Codec({}, {})
KEY = "sk-live-0123456789"

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC) | st.none())
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
)
keys = st.text() | st.just("$") | st.integers() | st.none() | st.booleans()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(keys, inner),
    max_leaves=20,
)


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal and of the same types all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, Mapping):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return bool(left == right)


@given(values)
def test_values_come_back_as_they_were(value: Any) -> None:
    text = PLAIN.encode(value)
    assert text.isascii()
    json.loads(text)
    assert same(PLAIN.decode(text), value)


@given(values)
def test_equal_values_have_equal_digests_in_every_process(value: Any) -> None:
    assert PLAIN.digest(value) == PLAIN.digest(PLAIN.copy(value))


def test_what_json_has_a_word_for_is_json() -> None:
    value = {"a": [1, 2.5, "x", None, True], "b": {"c": {}}}
    assert json.loads(PLAIN.encode(value)) == value


def test_records_of_the_runtime_come_back_as_such() -> None:
    request = WebhookRequest("POST", "/a", {}, {}, {"x": "y"}, {"id": 1}, "http://x/a", "::1")
    for value in (request, ForEachResult([1], []), WaitResult("done", {"a": (1, 2)})):
        found = PLAIN.decode(PLAIN.encode(value))
        assert found == value
        assert type(found) is type(value)


def test_special_numbers_and_zones() -> None:
    values = [math.inf, -math.inf, -0.0, 10**40, Decimal("1.10"), timedelta(days=-1, seconds=3)]
    values += [datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))]
    values += [date(1, 1, 1), time(23, 59, 59, 999_999), UUID(int=7)]
    assert same(PLAIN.decode(PLAIN.encode(values)), values)
    assert math.isnan(PLAIN.decode(PLAIN.encode(math.nan)))


def test_sets_come_back_in_one_order() -> None:
    assert PLAIN.copy({"b", "a", "c"}) == ["a", "b", "c"]
    assert PLAIN.copy(frozenset({3, 1})) == [1, 3]


def test_copies_share_nothing() -> None:
    value: dict[str, Any] = {"a": [1]}
    copy = PLAIN.copy(value)
    copy["a"].append(2)
    assert value == {"a": [1]}


class Foreign(NamedTuple):
    x: int


class Odd:
    pass


@pytest.mark.parametrize("value", [Odd(), Foreign(1), lambda: 1, object, [Odd()], {"a": Odd()}])
def test_what_could_not_be_given_back_is_refused(value: Any) -> None:
    with pytest.raises(FatalError) as caught:
        PLAIN.encode(value)
    assert caught.value.code == "journal.value"
    PLAIN.digest(value)  # it may be an input all the same


def test_what_is_too_deep_is_refused() -> None:
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(FatalError) as caught:
        PLAIN.encode(value)
    assert caught.value.code == "journal.value"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"$": []}',
        '{"$": 1}',
        '{"$": ["unknown", 1]}',
        '{"$": ["record", "os:system", ["true"]]}',
        '{"$": ["record", "nodegx.runtime.threads:Threads", ["a", 1]]}',
        '{"$": ["record", "nodegx.runtime.values:Reply.__init__", []]}',
        '{"$": ["record", "nodegx.compiler.model:Settings", []]}',
        '{"$": ["bytes", "%"]}',
        '{"$": ["decimal", "x"]}',
        "[" * 100_000,
    ],
)
def test_text_of_others_is_refused(text: str) -> None:
    with pytest.raises(FatalError):
        PLAIN.decode(text)


def reading(value: str) -> Codec:
    secrets = Secrets({"KEY": value})
    assert secrets["KEY"] == value
    return Codec(secrets, secrets.read)


@given(st.text(max_size=8), st.text(max_size=8))
def test_secrets_are_kept_by_name(before: str, after: str) -> None:
    codec = reading(KEY)
    value = {"header": f"{before}{KEY}{after}", KEY: [KEY, (KEY,)]}
    text = codec.encode(value)
    assert KEY not in text
    assert codec.decode(text) == value


def test_a_secret_that_has_changed_is_given_as_it_is_now() -> None:
    text = reading(KEY).encode({"auth": f"Bearer {KEY}"})
    assert reading("another-one").decode(text) == {"auth": "Bearer another-one"}
    assert reading(KEY).digest(f"x{KEY}") == reading("another-one").digest("xanother-one")


def test_a_short_secret_is_only_known_as_a_whole() -> None:
    codec = reading("ab")
    assert codec.encode("abba") == '"abba"'
    assert "ab" not in json.loads(codec.encode("ab"))["$"]
    assert codec.decode(codec.encode("ab")) == "ab"


def test_a_secret_that_is_gone_is_missed_by_name() -> None:
    text = reading(KEY).encode(KEY)
    with pytest.raises(FatalError, match="no secret `KEY`"):
        Codec(Secrets({}), {}).decode(text)
