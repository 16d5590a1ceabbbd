"""Capture: valid JSON from anything, without anything secret."""

from __future__ import annotations

import base64
import copy
import json
import tracemalloc
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.history.jsonpath import compile_path, replace
from nodegx.runtime.history.redact import MARKER, has_hint, is_sensitive, redact_names, redact_text
from nodegx.runtime.history.secret_values import SecretValues
from nodegx.runtime.history.text import MAX_WRITTEN, Capture

CAPTURE = Capture(SecretValues())


class Pair(NamedTuple):
    left: Any
    password: Any


@dataclass
class Point:
    x: Any
    y: Any


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Hostile:
    """Raises wherever it is touched."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")


class Endless(dict[str, Any]):
    """A mapping that cannot be read."""

    def items(self) -> Any:
        raise OSError("gone")


def captured(value: Any, capture: Capture = CAPTURE) -> Any:
    """What was kept, as data; fails unless it is strict, ASCII JSON."""
    text = capture.text(value)
    assert text.isascii()

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


FORMS: list[tuple[Any, Any]] = (
    [
        ({"a": [1, 2.5, "x", True, None]}, {"a": [1, 2.5, "x", True, None]}),
        (Pair(1, None), {"left": 1, "password": None}),
        ({"deep": [Pair(Pair(1, ""), None)]}, {"deep": [{"left": {"left": 1, "password": ""}, "password": None}]}),
        (Point(1, {2}), {"x": 1, "y": [2]}),
        (Color.RED, "red"),
        ([Level.HIGH], [3]),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        ([date(2026, 1, 2), time(3, 4)], ["2026-01-02", "03:04:00"]),
        (timedelta(minutes=2), 120.0),
        (Decimal("1.10"), "1.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a/b"), "/a/b"),
        (b"text", {"$bytes": 4, "text": "text"}),
        (bytearray(b"\xff"), {"$bytes": 1, "base64": "/w=="}),
        ((1, 2), [1, 2]),
        (frozenset({1}), [1]),
        (deque([1]), [1]),
        (OrderedDict(a=1), {"a": 1}),
        ({1: "a", None: "b", (1, 2): "c", b"k": "d"}, {"1": "a", "None": "b", "[1, 2]": "c", "{'$bytes': 1, 'text': 'k'}": "d"}),
        (float("nan"), "NaN"),
        ([float("inf"), float("-inf")], ["Infinity", "-Infinity"]),
        ({"n": 10**5000}, {"n": f"<integer of {(10**5000).bit_length()} bits>"}),
        (ValueError("bad"), {"$error": "ValueError", "message": "bad"}),
        (1 + 2j, "(1+2j)"),
        ("\ud800", "\ud800"),
        ([object()], ["<object>"]),
        (len, "<function len>"),
        ({"it": iter([1])}, {"it": "<list_iterator>"}),
    ]
)  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), FORMS)
def test_values_are_kept_in_a_readable_form(value: Any, expected: Any) -> None:
    assert captured(value) == expected


def test_a_value_that_cannot_be_read_is_named() -> None:
    kept = captured([Hostile(), Endless(a=1), {"x": Hostile()}])
    assert [name.rpartition(".")[2] for name in kept[:2]] == ["Hostile>", "Endless>"]
    assert kept[2]["x"] == kept[0]


def test_an_iterator_is_not_used_up() -> None:
    numbers = iter([1, 2])
    captured({"n": numbers})
    assert list(numbers) == [1, 2]


def test_cycles_and_depth_end() -> None:
    cycle: list[Any] = [1]
    cycle.append(cycle)
    assert captured(cycle) == [1, "<cycle>"]
    deep: Any = "end"
    for _ in range(100_000):
        deep = [deep]
    assert "<too deep>" in CAPTURE.text(deep)
    shared = {"a": 1}
    assert captured([shared, shared, Pair(shared, None)])[0] == {"a": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.decimals()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=20)
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from([object(), Hostile, len, ..., Level.HIGH])
    | st.just(10).map(lambda ten: ten**6000)
    | st.sampled_from([Hostile, Endless]).map(lambda kind: [kind()])
    | st.builds(range, st.integers(0, 9)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=6) | st.integers() | st.none(), inner, max_size=4)
        | st.builds(Pair, inner, inner)
        | st.builds(Point, inner, inner)
        | st.lists(inner, max_size=3).map(deque)
    ),
    max_leaves=10,
)


@given(ANYTHING)
@settings(max_examples=200, deadline=None)
def test_capture_never_raises_and_always_gives_json(value: Any) -> None:
    captured(value)


@given(JSON.filter(lambda value: value == value))
@settings(max_examples=100, deadline=None)
def test_plain_json_without_secrets_is_kept_as_it_is(value: Any) -> None:
    text = json.dumps(value)
    assume("NaN" not in text and "Infinity" not in text)
    assume(not has_hint(text))
    assert CAPTURE.text(value) == json.dumps(value, separators=(",", ":"))


# --- by value -------------------------------------------------------------------------------------

SECRETS = st.text(st.characters(), min_size=6, max_size=30).filter(
    lambda text: not set(text) <= set('[redacted] ",:{}')
)


def spelled(secret: str) -> list[Any]:
    """The secret as it may turn up in a value."""
    data = secret.encode("utf-8", "surrogatepass")
    return [
        secret,
        f"pre {secret} post",
        {"nested": [secret, {"again": f"<{secret}>"}]},
        {secret: 1},
        Pair(secret, None),
        json.dumps({"text": secret}),
        f"https://x/?q={quote(data, safe='')}&r={quote_plus(data)}",
        quote(data, safe="/"),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(b"user:" + data).decode(),
        base64.b64encode(b"u:" + data + b"\n").decode(),
        ErrorInfo(f"refused {secret}", "x", "fatal", None, 1, {"why": secret}),
    ]


@given(SECRETS, st.data())
@settings(max_examples=200, deadline=None)
def test_a_secret_never_survives_in_any_spelling(secret: str, data: st.DataObject) -> None:
    values = SecretValues()
    values.add(secret)
    capture = Capture(values)
    value = data.draw(st.sampled_from(spelled(secret)))
    beside = data.draw(JSON)
    text = capture.text([value, beside, {"more": value}])
    raw = secret.encode("utf-8", "surrogatepass")
    kept = text.replace(MARKER, "")
    for form in (
        json.dumps(secret)[1:-1],
        quote(raw, safe=""),
        base64.b64encode(raw).decode().rstrip("=")[:-1],
        base64.b64encode(b"user:" + raw).decode().rstrip("=")[7:-1],
    ):
        assert form not in kept
    assert json.loads(text) is not None


@given(SECRETS, st.lists(SECRETS, max_size=3))
@settings(max_examples=100, deadline=None)
def test_a_secret_read_later_is_taken_out_of_what_was_kept(secret: str, more: list[str]) -> None:
    values = SecretValues()
    capture = Capture(values)
    text = capture.text({"a": secret, "b": [f"x{secret}y"], "c": more})
    for each in (secret, *more):
        values.add(each)
    assert json.dumps(secret)[1:-1] not in capture.scrub(text).replace(MARKER, "")


def test_a_number_that_is_a_secret_is_taken_out() -> None:
    values = SecretValues()
    values.add("12345678")
    assert captured({"n": 12345678, "m": 1}, Capture(values)) == {"n": MARKER, "m": 1}


def test_a_short_secret_is_taken_out_where_it_is_the_whole_text() -> None:
    values = SecretValues()
    values.add("ab")
    values.add("")
    assert captured(["ab", "about", ""], Capture(values)) == [MARKER, "about", ""]


def test_a_secret_across_values_hides_the_whole() -> None:
    values = SecretValues()
    values.add("23,45,67")
    assert captured({"n": [123, 45, 678]}, Capture(values)) == MARKER


# --- by name --------------------------------------------------------------------------------------

SENSITIVE = st.sampled_from(
    [
        "password", "Password", "user_password", "PASSWD", "client_secret", "clientSecret", "token",
        "access_token", "refreshToken", "Authorization", "Proxy-Authorization", "cookie",
        "Set-Cookie", "api_key", "API-Key", "x-api-key", "apiKey", "private_key", "card",
        "cardNumber", "credit card", "cvv", "CVC", "session_id", "jwt", "pin", "aws_secret_access_key",
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.text("abcdef0123456789", min_size=12, max_size=20),
    st.integers(10**12, 10**14),
    st.lists(st.text("abcdef0123456789", min_size=12, max_size=16), min_size=1, max_size=2),
)


def listed(value: Any) -> list[Any]:
    return [*value] if isinstance(value, list) else [value]


@given(SENSITIVE, VALUES, JSON, st.integers(0, 4))
@settings(max_examples=200, deadline=None)
def test_what_a_key_calls_secret_never_survives(
    key: str, value: Any, beside: Any, shape: int
) -> None:
    assert is_sensitive(key) == "always"
    assume(not any(str(part) in json.dumps(beside) for part in listed(value)))
    shapes: list[Any] = [
        {key: value, "x": beside},
        [beside, {"headers": [[key, value]]}],
        {"headers": [{"name": key, "value": value}]},
        [[{"deep": {"er": {key: value}}}]],
        {"t": (1, {key: value, "when": datetime(2026, 1, 1)})},
    ]
    text = CAPTURE.text(shapes[shape])
    assert not any(str(part) in text for part in listed(value))
    assert MARKER in text


def test_a_nested_tuple_does_not_hide_its_names() -> None:
    assert captured([Pair(1, "hunter2")]) == [{"left": 1, "password": MARKER}]


@pytest.mark.parametrize(
    "key", ["max_tokens", "tokens", "token_count", "total_tokens", "tokensUsed"]
)
def test_counts_of_tokens_are_numbers_not_secrets(key: str) -> None:
    assert captured({key: 12}) == {key: 12}
    assert captured({key: ["abc"]}) == {key: MARKER}


@pytest.mark.parametrize(
    "key", ["passenger", "keyboard", "discard", "tokenizer", "cardinal", "author", "secretary_x"]
)
def test_other_words_are_left_alone(key: str) -> None:
    expected = MARKER if key == "secretary_x" else "value"  # rather too much than too little
    assert captured({key: "value"}) == {key: expected}


def test_nothing_is_left_of_empty_secrets_to_hide() -> None:
    kept = {"password": None, "secret": "", "token": True}
    assert captured(kept) == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://x/a?api_key=s3cr3t&q=1", f"https://x/a?api_key={MARKER}&q=1"),
        ("https://ada:s3cr3t@x/a", f"https://{MARKER}@x/a"),
        ("Authorization: Bearer s3cr3ts3cr3t.x", f"Authorization: {MARKER} {MARKER}"),
        ("sent 'Basic dXNlcjpwYXNz' there", f"sent 'Basic {MARKER}' there"),
        ('{"user": "ada", "password": "s3\\"cr3t"}', f'{{"user": "ada", "password": "{MARKER}"}}'),
        ('{\\"password\\": \\"s3cr3t\\"}', f'{{\\"password\\": \\"{MARKER}\\"}}'),
        ("user=ada&password=s3cr3t", f"user=ada&password={MARKER}"),
        ("cvv: 123, city: Rome", f"cvv: {MARKER}, city: Rome"),
        ("see the basic information and the token of love", None),
        ("mail ada@example.org about http://x", None),
    ],
)
def test_text_that_says_what_it_holds(text: str, expected: str | None) -> None:
    kept = captured({"t": text})["t"]
    assert kept == (text if expected is None else expected)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit", ["password", "a=", 'password="', "token=\\", "://", "bearer ", "api_key" * 3 + " "]
)
def test_redaction_of_hostile_text_takes_linear_time(unit: str) -> None:
    CAPTURE.text({"t": unit * (200_000 // len(unit))})


# --- by path, and length --------------------------------------------------------------------------


def test_paths_are_taken_out_of_each_value() -> None:
    capture = Capture(SecretValues(), ("$..iban", "$.user.mail", "$.list[*].x", "$.list[0]"))
    value = {"user": {"mail": "m", "name": "n"}, "iban": [1], "list": [{"x": 1}, {"x": 2, "y": 3}]}
    assert captured(value, capture) == {
        "user": {"mail": MARKER, "name": "n"},
        "iban": MARKER,
        "list": [MARKER, {"x": MARKER, "y": 3}],
    }
    assert captured({"mail": 1}, capture) == {"mail": 1}
    assert captured([1], Capture(SecretValues(), ("$",))) == MARKER


def test_a_path_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="card"):
        Capture(SecretValues(), ("card",))


@given(JSON, st.integers(80, 400))
@settings(max_examples=100, deadline=None)
def test_no_text_is_longer_than_allowed(value: Any, limit: int) -> None:
    text = Capture(SecretValues(), (), limit).text(value)
    assert len(text) <= limit
    kept: Any = json.loads(text)
    if text.startswith('{"$truncated"'):
        assert kept["$truncated"] > limit
        assert CAPTURE.text(value).startswith(kept["preview"])


BIG = "x" * 1_000_000
REPEATED: dict[str, Any] = {
    "in a list": [BIG] * 10_000,
    "in objects": {"results": [{"deep": [BIG]}] * 10_000},
    "in lists of lists": [[BIG] * 1_000] * 1_000,
    "beside what is no JSON": [{1, 2}, [BIG] * 10_000],
    "as what is no JSON": [Point(1, BIG)] * 10_000,
}
"""Small in memory, gigabytes as text."""


@pytest.mark.parametrize("value", REPEATED.values(), ids=REPEATED)
def test_what_is_held_often_is_not_written_often(value: Any) -> None:
    tracemalloc.start()
    try:
        text = Capture(SecretValues()).text(value)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(text) <= 65_536
    found = json.loads(text)
    assert found["$truncated"] > MAX_WRITTEN
    assert "xxx" in found["preview"]
    assert most < 60_000_000


def test_a_secret_in_the_start_of_a_long_value_is_taken_out() -> None:
    secrets = SecretValues()
    secrets.add("s3cr3t-of-the-house")
    value = ["a" * 65_500 + "s3cr3t-of-the-house"] * 1_000
    assert "s3cr3t" not in Capture(secrets).text(value)


@given(
    st.lists(
        st.sampled_from(
            ["Bearer", "basic", "token", "password", "abcdefgh1", "a", "=", ":", " ", "\t", "\xa0"]
        )
        | st.sampled_from(["\x1c", "://", "@", '"']),
        max_size=7,
    ).map("".join)
)
@settings(max_examples=500, deadline=None)
def test_no_text_that_is_searched_for_nothing_has_anything(text: str) -> None:
    assert redact_names(text) == (redact_text(text) if has_hint(text) else text)


_KEYS = st.sampled_from(["password", "name", "key", "value", "max_tokens", "a", "card", "b"])
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "x", "Authorization", "card", "token=abcdefgh1", "https://ada:pw@host/"])
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


def redacted(tree: Any) -> Any:
    """What `redact_names` does, part by part."""
    if isinstance(tree, str):
        return redact_text(tree)
    if isinstance(tree, list):
        items = [redacted(item) for item in tree]
        if len(tree) == 2 and isinstance(tree[0], str):
            return [tree[0], MARKER] if hidden(tree[0], tree[1]) == MARKER else items
        return items
    if isinstance(tree, dict):
        result = {key: hidden(key, value) for key, value in tree.items()}
        name = tree.get("name", tree.get("key"))
        if isinstance(name, str) and hidden(name, tree.get("value")) == MARKER:
            result["value"] = MARKER
        return result
    return tree


def hidden(key: str, value: Any) -> Any:
    """The value of a key as `redact_names` shows it."""
    empty = value is None or isinstance(value, bool) or value == ""
    number = isinstance(value, int)
    secret = {"always": True, "text": not number, None: False}[is_sensitive(key)]
    return MARKER if secret and not empty else redacted(value)


@given(_TREES)
def test_names_are_redacted_in_a_copy(tree: Any) -> None:
    before = copy.deepcopy(tree)
    assert redact_names(tree) == redacted(tree)
    assert tree == before


@given(_TREES, st.sets(_KEYS, max_size=2))
def test_keys_are_hidden_as_their_paths_are(tree: Any, keys: set[str]) -> None:
    expected = redact_names(tree)
    for key in keys:
        expected = replace(expected, compile_path(f"$..{key}"), MARKER)
    assert redact_names(tree, keys) == expected


@pytest.mark.parametrize("value", [{5: "x", "card": 1}, {"card": 1, "data": b"x"}, [{1.5: "pin"}]])
def test_what_json_makes_text_of_is_searched_as_text(value: Any) -> None:
    text = Capture(SecretValues(), ("$..card", "$..data")).text(value)
    assert json.loads(text) == redact_names(
        json.loads(json.dumps(value, default=lambda _: MARKER)), ("card", "data")
    )


@pytest.mark.parametrize("value", [[BIG] * 10, [0.5] * 2_000_000], ids=["text", "numbers"])
def test_what_may_be_kept_is_kept_as_a_whole(value: Any) -> None:
    text = Capture(SecretValues(), max_bytes=16_000_000).text(value)
    assert text == json.dumps(value, separators=(",", ":"))


class Sly(tuple[int, ...]):
    """Looks like a named tuple, and is none."""

    _fields = ("a", "b", "c")


class Rude:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_values_that_are_rude_when_asked_who_they_are() -> None:
    assert captured(Sly((1, 2))) == {"a": 1, "b": 2}
    assert "Rude" in captured(Rude())
