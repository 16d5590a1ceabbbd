"""What the functions of expressions answer, and what they refuse."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from nodegx.runtime import expressions as fx
from nodegx.runtime.errors import FatalError

PEOPLE: list[Any] = [
    {"name": "Ada", "age": 36, "team": {"id": 1}},
    {"name": "Bob", "age": None, "team": {"id": 2}},
    {"name": "Cyd", "age": 7, "team": {"id": 1}},
]


class Pair(NamedTuple):
    """A trigger's value, for instance."""

    left: int
    right: int


def check(function: str, args: tuple[Any, ...], expected: Any) -> None:
    """Calls a function; booleans and numbers are told apart in the comparison."""
    result = getattr(fx, function)(*args)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        ("text", (None,), ""),
        ("text", (True,), "true"),
        ("text", (3,), "3"),
        ("text", (3.0,), "3.0"),
        ("text", ("a",), "a"),
        ("text", ([1, "ä", None],), '[1,"ä",null]'),
        ("text", ({"a": (1, 2)},), '{"a":[1,2]}'),
        ("text", (b"abc",), "abc"),
        ("text", ({3, 1},), "[1,3]"),
        ("concat", ("a", None, 1, [2]), "a1[2]"),
        ("formatted", (3.14159, ".2f"), "3.14"),
        ("upper", ("aß",), "ASS"),
        ("lower", ("A",), "a"),
        ("trim", ("  a ",), "a"),
        ("trim", ("--a-", "-"), "a"),
        ("split", ("a b  c",), ["a", "b", "c"]),
        ("split", ("a,b,", ","), ["a", "b", ""]),
        ("split", ("abc", ""), ["a", "b", "c"]),
        ("join", (["a", 1, None, True], "-"), "a-1--true"),
        ("join", ([],), ""),
        ("replace", ("aXbX", "X", "YY"), "aYYbYY"),
        ("replace", ("aXbX", "X", "YY", 1), "aYYbX"),
        ("replace", (5, "5", "6"), "6"),
        ("repeat", ("ab", 3), "ababab"),
        ("repeat", ([0], 3), [0, 0, 0]),
        ("repeat", ("a", -1), ""),
        ("pad_start", ("7", 3, "0"), "007"),
        ("pad_end", ("a", 3), "a  "),
        ("center", ("a", 3, "*"), "*a*"),
        ("zfill", ("-7", 4), "-007"),
        ("slug", ("  Crème Brûlée & Co. ",), "creme-brulee-co"),
        ("truncate", ("abcdef", 4), "abc…"),
        ("truncate", ("abcdef", 6), "abcdef"),
        ("truncate", ("abcdef", 2, "..."), ".."),
        ("starts_with", ("abc", "a"), True),
        ("starts_with", (None, "a"), False),
        ("ends_with", ("abc", "c"), True),
        ("contains", ("abc", "b"), True),
        ("contains", ([1, 2], 3), False),
        ("contains", ({"a": 1}, "a"), True),
        ("contains", ({"a": 1}, ["a"]), False),
        ("contains", (None, "a"), False),
        ("escape_html", ('<a href="x">',), "&lt;a href=&quot;x&quot;&gt;"),
        ("number", ("12",), 12),
        ("number", (" -1.5e3 ",), -1500.0),
        ("number", (True,), 1),
        ("number", ("x", None), None),
        ("number", ("1_000", 0), 0),
        ("number", (float("nan"), 0), 0),
        ("round", (2.5,), 2),
        ("round", (1234.567, -2), 1200.0),
        ("floor", (-1.5,), -2),
        ("ceil", (1.2,), 2),
        ("average", ([1, "3"],), 2.0),
        ("format_number", (1234567.891,), "1,234,567.89"),
        ("format_number", (1234.5, 1, ".", ","), "1.234,5"),
        ("multiply", (3, 4), 12),
        ("modulo", (-7, 3), 2),
        ("power", (2, 10), 1024),
        ("power", (2, -1), 0.5),
        ("get", ({"a": {"b": [1, {"c": 2}]}}, "a.b[1].c"), 2),
        ("get", ({"a": [1]}, "a[-1]"), 1),
        ("get", ({"a.b": 1}, "a.b"), 1),
        ("get", ({"x y": {"z": 1}}, '["x y"].z'), 1),
        ("get", ({"x-id": 1}, "x-id"), 1),
        ("get", ({"a": None}, "a", 5), None),
        ("get", ({}, "a.b", 5), 5),
        ("get", (None, "a"), None),
        ("get", ([1, 2], 1), 2),
        ("get", ({"a b": [3]}, ["a b", 0]), 3),
        ("has", ({"a": None}, "a"), True),
        ("has", ({"a": 1}, "a.b"), False),
        ("default", (None, 1), 1),
        ("default", (0, 1), 0),
        ("coalesce", (None, None, 3), 3),
        ("coalesce", (None,), None),
        ("keys", ({"a": 1, "b": 2},), ["a", "b"]),
        ("values", ({"a": 1, "b": 2},), [1, 2]),
        ("entries", ({"a": 1},), [["a", 1]]),
        ("from_entries", ([["a", 1], ("b", 2)],), {"a": 1, "b": 2}),
        ("merge", ({"a": 1, "b": 1}, None, {"b": 2}), {"a": 1, "b": 2}),
        ("pick", ({"a": 1, "b": 2}, "a", "c"), {"a": 1}),
        ("omit", ({"a": 1, "b": 2}, "a", "c"), {"b": 2}),
        ("to_json", ({"a": [1, None]},), '{"a":[1,null]}'),
        ("to_json", ({"a": 1}, 2), '{\n  "a": 1\n}'),
        ("parse_json", ('{"a": [1, null]}',), {"a": [1, None]}),
        ("parse_json", ("nope", {}), {}),
        ("type_of", (None,), "null"),
        ("type_of", (True,), "boolean"),
        ("type_of", (1.5,), "number"),
        ("type_of", ((1,),), "array"),
        ("type_of", (Pair(1, 2),), "object"),
        ("is_empty", (None,), True),
        ("is_empty", ("",), True),
        ("is_empty", ([0],), False),
        ("is_empty", (0,), False),
        ("first", ([1, 2],), 1),
        ("first", ([], 9), 9),
        ("last", ("abc",), "c"),
        ("last", (None,), None),
        ("unique", ([1, True, 1, "1", {"a": 1}, {"a": 1}],), [1, True, "1", {"a": 1}]),
        ("unique", (PEOPLE, "team.id"), PEOPLE[:2]),
        ("flatten", ([1, [2, [3]]],), [1, 2, [3]]),
        ("flatten", ([1, [2, [3]]], 5), [1, 2, 3]),
        ("pluck", (PEOPLE, "age"), [36, None, 7]),
        ("where", (PEOPLE, "team.id", 2), PEOPLE[1:2]),
        ("group_by", (PEOPLE, "team.id"), {"1": [PEOPLE[0], PEOPLE[2]], "2": [PEOPLE[1]]}),
        ("key_by", (PEOPLE, "team.id"), {"1": PEOPLE[2], "2": PEOPLE[1]}),
        ("count_by", (PEOPLE, "team.id"), {"1": 2, "2": 1}),
        ("sort_by", (PEOPLE, "age"), [PEOPLE[1], PEOPLE[2], PEOPLE[0]]),
        ("sort_by", (PEOPLE, "team.id", True), [PEOPLE[1], PEOPLE[0], PEOPLE[2]]),
        ("sum_by", (PEOPLE, "age"), 43),
        ("sort", (["b", 2, None, "a", True, 1.5],), [None, True, 1.5, 2, "a", "b"]),
        ("sort", ([1, 3, 2], True), [3, 2, 1]),
        ("reverse", ([1, 2],), [2, 1]),
        ("chunk", ([1, 2, 3], 2), [[1, 2], [3]]),
        ("compact", ([0, 1, "", None, [], "a"],), [1, "a"]),
        ("difference", ([1, 2, {"a": 1}], [{"a": 1}, 1]), [2]),
        ("intersection", ([1, 2, True], [True, 2]), [2, True]),
        ("range", (3,), [0, 1, 2]),
        ("range", (1, 4), [1, 2, 3]),
        ("range", (5, 0, -2), [5, 3, 1]),
        ("range", (5, 0), []),
        ("matches", ("order-17", r"^order-\d+$"), True),
        ("matches", ("x", r"\d"), False),
        ("extract", ("order-17", r"\d+"), "17"),
        ("extract", ("order-17", r"order-(\d)(\d)"), "1"),
        ("extract", ("order-17", r"order-(\d)(\d)", 2), "7"),
        ("extract", ("order-17", r"order-(?P<n>\d+)", "n"), "17"),
        ("extract", ("x", r"\d"), None),
        ("extract_all", ("a1b2", r"\d"), ["1", "2"]),
        ("extract_all", ("a1b2", r"[a-z](\d)"), ["1", "2"]),
        ("extract_all", ("a1b2", r"([a-z])(\d)"), [["a", "1"], ["b", "2"]]),
        ("replace_pattern", ("a1b2", r"\d", "#"), "a#b#"),
        ("replace_pattern", ("a1b2", r"([a-z])(\d)", r"\2\1\\"), "1a\\2b\\"),
        ("replace_pattern", ("a1", r"(?P<x>\d)", r"<\g<x>\n>"), "a<1\\n>"),
        ("parse_date", ("2026-03-01",), "2026-03-01T00:00:00Z"),
        ("parse_date", ("01.03.2026 13:05", "%d.%m.%Y %H:%M"), "2026-03-01T13:05:00Z"),
        (
            "parse_date",
            ("2026-07-01 12:00", None, "Europe/Berlin"),
            "2026-07-01T12:00:00+02:00",
        ),
        ("parse_date", (0,), "1970-01-01T00:00:00Z"),
        ("parse_date", (1_700_000_000_000,), "2023-11-14T22:13:20Z"),
        ("format_date", ("2026-03-01T23:30:00Z",), "2026-03-01"),
        ("format_date", ("2026-03-01T23:30:00Z", "%d.%m.%y %H:%M", "Asia/Tokyo"), "02.03.26 08:30"),
        ("format_date", ("2026-03-01", "%A %B %j %%"), "Sunday March 060 %"),
        ("add_time", ("2026-01-31", 1, "month"), "2026-02-28T00:00:00Z"),
        ("add_time", ("2026-01-31", -1, "years"), "2025-01-31T00:00:00Z"),
        ("add_time", ("2026-01-01T00:00:00+02:00", 1.5, "hours"), "2026-01-01T01:30:00+02:00"),
        ("diff_time", ("2026-01-01", "2026-01-02"), 86400.0),
        ("diff_time", ("2026-01-02", "2026-01-01", "hours"), -24.0),
        ("start_of", ("2026-05-20T13:14:15.5Z", "hour"), "2026-05-20T13:00:00Z"),
        ("start_of", ("2026-05-20T13:14:15Z", "week"), "2026-05-18T00:00:00Z"),
        ("start_of", ("2026-05-20T13:14:15Z", "quarter"), "2026-04-01T00:00:00Z"),
        ("start_of", ("2026-05-20T13:14:15Z", "year"), "2026-01-01T00:00:00Z"),
        (
            "start_of",
            ("2026-05-20T23:30:00Z", "day", "Europe/Berlin"),
            "2026-05-21T00:00:00+02:00",
        ),
        ("timestamp", ("1970-01-01T00:01:00Z",), 60.0),
        ("before", ("2026-01-01T00:00:00+02:00", "2026-01-01"), True),
        ("after", ("2026-01-01", "2026-01-01"), False),
        ("base64_encode", ("ä?>",), "w6Q/Pg=="),
        ("base64_encode", ("ä?>", True), "w6Q_Pg"),
        ("base64_decode", ("w6Q_Pg",), "ä?>"),
        ("base64_decode", ("w6Q/Pg==",), "ä?>"),
        ("url_encode", ("a b/ä",), "a%20b%2F%C3%A4"),
        ("url_encode", ({"q": "a b", "n": [1, True]},), "q=a%20b&n=1&n=true"),
        ("url_decode", ("a%20b%2F",), "a b/"),
        ("sha256", ("",), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            "hmac_sha256",  # RFC 4231, test case 2
            ("what do ya want for nothing?", "Jefe"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ],
)
def test_functions_answer(function: str, args: tuple[Any, ...], expected: Any) -> None:
    check(function, args, expected)


@pytest.mark.parametrize(
    ("function", "args", "message"),
    [
        ("upper", (None,), "takes text, this is null"),
        ("upper", ([],), "this is array"),
        ("number", ("x",), "cannot read 'x'"),
        ("number", ("nan",), "cannot read"),
        ("number", (float("inf"),), "cannot read"),
        ("average", ([],), "empty array"),
        ("format_number", (1, 21), "0 to 20"),
        ("multiply", ("a", 2), "one of them is string; use repeat()"),
        ("modulo", ("%s", 2), "takes numbers"),
        ("power", (2, 20_000), "too many digits"),
        ("multiply", (2**13_000, 2**13_000), "too many digits"),
        ("power", (-8, 0.5), "no such root"),
        ("get", ({}, "a..b"), "is not a path"),
        ("get", ({}, "[" * 50), "is not a path"),
        ("get", ({}, [["a"]]), "made of text and numbers"),
        ("keys", ([],), "takes an object, this is array"),
        ("from_entries", ([[1, 2]],), "are text"),
        ("from_entries", (["ab"],), "pairs"),
        ("to_json", ({"a": float("nan")},), "cannot be written as JSON"),
        ("parse_json", ("{",), "cannot read the text"),
        ("parse_json", ("NaN",), "NaN is not JSON"),
        ("parse_json", ("[" * 100_000,), "cannot read the text"),
        ("flatten", ("ab",), "takes an array"),
        ("chunk", ([1], 0), "at least 1"),
        ("range", (0, 5, 0), "other than 0"),
        ("range", (100_002,), "at most 100,000"),
        ("range", (1.5,), "whole number"),
        ("repeat", ("a", 10_000_001), "10,000,001 characters"),
        ("repeat", (["a" * 1000], 20_000), "characters"),
        ("pad_start", ("a", 10**9), "characters"),
        ("replace", ("a" * 10_000, "a", "b" * 10_000), "100,000,000 characters"),
        ("join", (["a" * 1000] * 20_000,), "characters"),
        ("to_json", ([["a" * 1000] * 200] * 200,), "JSON would have more"),
        ("unique", ([["a" * 1000]] * 20_000,), "JSON would have more"),
        ("matches", ("a", "("), "not a regular expression"),
        ("matches", ("a", "(a+)+$"), "can take too long"),
        ("matches", ("a", "(a|a)+$"), "can take too long"),
        ("matches", ("a", r"(\w+\s?)*$"), "can take too long"),
        ("matches", ("a", "a?" * 20), "can take too long"),
        ("matches", ("a", "(a){2000}"), "more than 1000 times"),
        ("matches", ("a", r"(a)\1"), "refers back"),
        ("matches", ("a", "x" * 501), "at most 500"),
        ("matches", (" " * 20_001, r"\s+$"), "above 20,000"),
        ("extract", ("a", "a", 3), "no group 3"),
        ("replace_pattern", ("aaa", "a", r"\7"), "no such group"),
        ("parse_date", ("soon",), "'soon' is not a date"),
        ("parse_date", ("x", "%Y"), "does not match"),
        ("parse_date", (1e20,), "is not a date"),
        ("format_date", ("2026-01-01", "%Q"), "unknown directive %Q"),
        ("format_date", ("2026-01-01", "%"), "unknown directive"),
        ("format_date", ("2026-01-01", "%Y" * 101), "at most 200"),
        ("format_date", ("2026-01-01", "%Y", "Mars/Base"), "no time zone 'Mars/Base'"),
        ("format_date", ("2026-01-01", "%Y", "../../etc/passwd"), "no time zone"),
        ("add_time", ("2026-01-01", 1, "fortnight"), "it is one of"),
        ("add_time", ("2026-01-01", 10_000, "years"), "years 1 to 9999"),
        ("add_time", ("2026-01-01", "x", "days"), "a number of days"),
        ("diff_time", ("2026-01-01", "2026-01-02", "months"), "unknown unit"),
        ("base64_decode", ("!!!",), "takes Base64"),
        ("base64_decode", ("//8=",), "takes Base64 of a text"),
        ("hmac_sha256", ("a", "k", "md5"), "hex or base64"),
        ("formatted", ([], ".2f"), "array has no format"),
    ],
)
def test_functions_refuse_with_a_reason(function: str, args: tuple[Any, ...], message: str) -> None:
    with pytest.raises(FatalError) as raised:
        getattr(fx, function)(*args)
    assert message in raised.value.message
    assert raised.value.code in {"expression.limit", "expression.value"}


def test_arguments_are_never_changed() -> None:
    items = [3, 1, [2]]
    for function in ("sort", "reverse", "unique", "compact", "flatten"):
        getattr(fx, function)(items)
    assert items == [3, 1, [2]]


def test_loops_inside_loops_are_counted_anew_each_time() -> None:
    for _ in range(3):
        inner = range(100_000)
        with pytest.raises(FatalError, match="10,000,000 steps"):
            [1 for _ in fx.loop(range(1_000)) for _ in fx.nested(inner)]
    for _ in range(30):
        assert sum(1 for _ in fx.loop(range(10)) for _ in fx.nested(range(100_000))) == 1_000_000
    with pytest.raises(FatalError, match="built more than"):
        [fx.counted("a" * 100_000) for _ in fx.loop(range(1_000))]
    many = list(range(100_000))
    with pytest.raises(FatalError, match="steps"):
        [x in fx.scanned(many) for x in fx.loop(range(-1_000, 0))]
    assert all(x in fx.scanned({"a": 1}) for x in fx.loop(["a"] * 100_000))
