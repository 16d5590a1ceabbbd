from __future__ import annotations

import json as text_json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.errors import FatalError
from nodegx.runtime.nodes import json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(JSON, st.sampled_from([None, 0, 2]), st.booleans())
def test_round_trip(value: Any, indent: int | None, sort_keys: bool) -> None:
    assert json.parse(json.stringify(value, indent=indent, sort_keys=sort_keys)) == value


def test_how_text_looks() -> None:
    value = {"b": ["ä", 1], "a": None}
    assert json.stringify(value) == '{"b":["ä",1],"a":null}'
    assert json.stringify(value, indent=2, sort_keys=True).splitlines()[1] == '  "a": null,'


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), float("inf"), b"x", object(), {(1, 2): 3}])
def test_what_is_not_json(value: Any) -> None:
    with pytest.raises(FatalError, match="not JSON") as caught:
        json.stringify(value)
    assert caught.value.code == "json.invalid"


def test_what_is_huge_as_text_is_not_written() -> None:
    with pytest.raises(FatalError, match="of at most 10,000,000 characters") as caught:
        json.stringify([["x" * 100_000] * 1000] * 1000)
    assert caught.value.code == "json.invalid"


def test_a_cycle_is_not_json() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(FatalError, match="not JSON"):
        json.stringify(cycle)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1,\n "b": }', "line 2, column 7"),
        ("", "line 1, column 1"),
        ("[NaN]", "NaN"),
        ("[-Infinity]", "-Infinity"),
        ("[1] 2", "Extra data"),
        ("1" * 5000, "too many digits"),
        ("[" * 101 + "]" * 101, "deeper than 100"),
        ("[" * 100_000, "deeper than 100"),
        ('{"a":' * 100_000, "deeper than 100"),
        (b"[]", "binary data"),
        (None, "null"),
        ({"a": 1}, "an object"),
    ],
)
def test_what_cannot_be_parsed(text: Any, words: str) -> None:
    with pytest.raises(FatalError, match=words) as caught:
        json.parse(text)
    assert caught.value.code == "json.invalid"


def test_limits_of_parsing() -> None:
    assert json.parse("[" * 100 + "]" * 100)
    assert json.parse('"[[[["', max_depth=1) == "[[[["
    assert json.parse("[" + "[]," * 500 + "[]]", max_depth=2)
    with pytest.raises(FatalError, match="deeper than 2"):
        json.parse('[{"a": []}]', max_depth=2)
    assert json.parse('"ä"', max_bytes=4) == "ä"
    with pytest.raises(FatalError, match="longer than 3 bytes"):
        json.parse('"ä"', max_bytes=3)


def test_details_of_malformed_text() -> None:
    with pytest.raises(FatalError) as caught:
        json.parse('{\n "a": x}')
    assert caught.value.details == {"line": 2, "column": 7}


# --- validate --------------------------------------------------------------------------------

ORDER = {
    "type": "object",
    "required": ["id", "lines"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "mail": {"type": "string", "format": "email"},
        "lines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["sku"],
                "properties": {
                    "sku": {"type": "string"},
                    "price": {"type": "number", "minimum": 0},
                },
            },
        },
    },
}
GOOD = {"id": "123e4567-e89b-12d3-a456-426614174000", "lines": [{"sku": "a", "price": 1}]}


def faults(value: Any, schema: Any) -> list[tuple[str, str]]:
    with pytest.raises(FatalError) as caught:
        json.validate(value, schema=schema)
    assert caught.value.code == "json.invalid"
    text_json.dumps(caught.value.details)
    return [(entry["path"], entry["message"]) for entry in caught.value.details["errors"]]


def test_a_valid_value_is_passed_on() -> None:
    assert json.validate(GOOD, schema=ORDER) is GOOD
    assert json.validate(3, schema=True) == 3


def test_all_errors_are_listed_with_their_places() -> None:
    value = {"id": "x", "lines": [{"sku": 1}, {"price": -1}], "odd": 1}
    assert faults(value, ORDER) == [
        ("$", 'has keys that are not allowed: "odd"'),
        ("$.id", 'must have the format "uuid"'),
        ("$.lines[0].sku", "must be string, is number"),
        ("$.lines[1]", "has no `sku`"),
        ("$.lines[1].price", "must be at least 0"),
    ]


def test_elements_are_listed_in_order() -> None:
    found = faults([1] * 12, {"items": {"type": "string"}})
    assert [path for path, _ in found] == [f"$[{index}]" for index in range(12)]


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        (None, {"type": ["string", "number"]}, "must be string or number, is null"),
        (True, {"type": "integer"}, "must be integer, is boolean"),
        ({}, {"required": ["a"]}, "has no `a`"),
        ("x", {"enum": ["a", 1]}, 'must be one of ["a", 1]'),
        ("x", {"const": 3}, "must be 3"),
        (9, {"maximum": 8}, "must be at most 8"),
        (9, {"exclusiveMaximum": 9}, "must be less than 9"),
        (9, {"multipleOf": 2}, "must be a multiple of 2"),
        ("b", {"pattern": "^a"}, 'must match the pattern "^a"'),
        ("b", {"minLength": 2}, "must have at least 2 characters"),
        ([1, 1], {"uniqueItems": True}, "must not have an element twice"),
        ([], {"contains": {"type": "null"}}, "has no element of the kind that is required"),
        ([1, 2], {"maxItems": 1}, "must have at most 1 elements"),
        (3, {"not": {"type": "number"}}, "is of a kind that is excluded"),
        (3, False, "is not allowed here"),
        (
            {"a": 1},
            {"anyOf": [{"type": "string"}, {"required": ["b"]}]},
            "fits none of the alternatives; the nearest: $ has no `b`",
        ),
        (
            3,
            {"oneOf": [{"type": "number"}, {"minimum": 1}]},
            "fits more than one of the alternatives",
        ),
        (
            {"x-a": 1, "b": 2},
            {"patternProperties": {"^x-": {}}, "additionalProperties": False},
            'has keys that are not allowed: "b"',
        ),
        ({"a": 1}, {"dependentRequired": {"a": ["b"]}}, "lacks a key that another key requires"),
    ],
)
def test_messages(value: Any, schema: Any, message: str) -> None:
    assert faults(value, schema) == [("$", message)]


def test_messages_never_quote_the_value() -> None:
    schema = {"properties": {"password": {"minLength": 20, "pattern": "^[0-9]+$", "enum": ["x"]}}}
    with pytest.raises(FatalError) as caught:
        json.validate({"password": "hunter2hunter2"}, schema=schema)
    assert "hunter2" not in str((caught.value.message, caught.value.details))


def test_what_is_listed_is_bounded() -> None:
    with pytest.raises(FatalError) as caught:
        json.validate([1] * 500, schema={"items": {"type": "string"}})
    assert len(caught.value.details["errors"]) == 50
    assert caught.value.details["count"] == 500
    assert caught.value.message.endswith("and 497 more")
    assert len(caught.value.message) < 300


def test_references() -> None:
    schema = {"$defs": {"n": {"type": "number"}}, "items": {"$ref": "#/$defs/n"}}
    assert json.validate([1], schema=schema) == [1]
    assert faults(["a"], schema) == [("$[0]", "must be number, is string")]


def test_no_schema_is_fetched() -> None:
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    with pytest.raises(FatalError) as caught:
        json.validate(1, schema=schema)
    assert caught.value.code == "json.schema"


def test_older_drafts() -> None:
    draft = "http://json-schema.org/draft-04/schema#"
    schema = {"$schema": draft, "minimum": 1, "exclusiveMinimum": True}
    assert faults(1, schema) == [("$", "must be at least 1")]


def test_a_schema_that_is_none() -> None:
    with pytest.raises(FatalError) as caught:
        json.validate(1, schema={"type": "nonsense"})
    assert caught.value.code == "json.schema"


def test_deep_values_do_not_break_it() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(FatalError, match="too deeply"):
        json.validate(
            deep, schema={"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}
        )


def test_validators_are_kept() -> None:
    json.validate(GOOD, schema=ORDER)
    made = json._check.cache_info().misses
    json.validate(GOOD, schema=dict(ORDER))
    assert json._check.cache_info().misses == made


# --- extract ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.lines[0].sku", "a"),
        ("$['lines'][0]", {"sku": "a", "price": 1}),
        ("$..sku", "a"),
        ("$.lines[?@.price > 5]", "none"),
        ("$.lines[7]", "none"),
        ("/lines/0/sku", "a"),
        ("/lines/-1", "none"),
        ("/lines/01", "none"),
        ("", GOOD),
        ("$", GOOD),
    ],
)
def test_extract(path: str, expected: Any) -> None:
    assert json.extract(GOOD, path, default="none") == expected


def test_extract_escapes_and_nulls() -> None:
    assert json.extract({"a/b": {"~": 1}}, "/a~1b/~0") == 1
    assert json.extract({"a": None}, "$.a", default=3) is None
    assert json.extract({}, "$.a") is None


def test_extract_with_a_malformed_path() -> None:
    with pytest.raises(FatalError) as caught:
        json.extract({}, "$.[")
    assert caught.value.code == "path.invalid"
