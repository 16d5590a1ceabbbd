"""Our JSON Schema against the library's, on random schemas and values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.nodes import schema as own
from nodegx.runtime.nodes.schema_errors import describe
from nodegx.runtime.nodes.schema_library import faults_of

KEYS = st.sampled_from(["a", "b", "c", "x-y"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, 2.5, -3, "", "a", "ab", "2026-11-23"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
COUNTS = st.integers(0, 3)
NUMBERS = st.sampled_from([0, 1, 2, 1.5, -1])
TYPE = st.sampled_from(sorted(own.TYPES))


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = {
        "type": TYPE | st.lists(TYPE, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        "minimum": NUMBERS,
        "maximum": NUMBERS,
        "exclusiveMinimum": NUMBERS,
        "exclusiveMaximum": NUMBERS,
        "multipleOf": st.sampled_from([1, 2, 0.5, 0.1]),
        "minLength": COUNTS,
        "maxLength": COUNTS,
        "pattern": st.sampled_from(["^a", "b$", "[0-9]"]),
        "format": st.sampled_from(["date", "uuid", "email", "unknown"]),
        "minItems": COUNTS,
        "maxItems": COUNTS,
        "uniqueItems": st.booleans(),
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "contains": inner,
        "minContains": COUNTS,
        "maxContains": COUNTS,
        "minProperties": COUNTS,
        "maxProperties": COUNTS,
        "properties": st.dictionaries(KEYS, inner, max_size=3),
        "required": st.lists(KEYS, max_size=3, unique=True),
        "additionalProperties": inner,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "-"]), inner, max_size=2),
        "propertyNames": inner,
        "dependentRequired": st.dictionaries(KEYS, st.lists(KEYS, max_size=2, unique=True)),
        "dependentSchemas": st.dictionaries(KEYS, inner, max_size=2),
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "anyOf": st.lists(inner, min_size=1, max_size=3),
        "oneOf": st.lists(inner, min_size=1, max_size=3),
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "$ref": st.sampled_from(["#/$defs/leaf", "#/$defs/list"]),
    }
    return st.lists(st.sampled_from(sorted(members)), max_size=4, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: members[name] for name in names})
    )


SCHEMAS = st.recursive(st.booleans() | st.just({}), keywords, max_leaves=5)
DEFINITIONS = {"leaf": {"type": "integer"}, "list": {"items": {"$ref": "#/$defs/leaf"}}}


@given(SCHEMAS, VALUES)
@settings(max_examples=400, deadline=None)
def test_the_library_agrees(schema: Any, value: Any) -> None:
    document = {**schema, "$defs": DEFINITIONS} if isinstance(schema, dict) else schema
    theirs = faults_of(document)(value)
    ours: list[own.Fault] = []
    own.build(document)(value, (), ours)
    assert bool(ours) == bool(theirs)
    places = {(fault.path, fault.keyword) for fault in theirs}
    # Some things the library says in another way: of `false` it names the keyword around it, and
    # of a key that is not allowed what is wrong with the key.
    odd = {"false", "items", "contains", "maxContains", "minContains"}
    exact = {place for place in places if place[1] not in odd}
    if "propertyNames" not in str(document):
        assert exact <= {(fault.path, fault.keyword) for fault in ours}
    if ours:
        message, details = describe(ours)
        assert message.startswith("does not fit the schema: $")
        assert details["count"] == len(ours)


def test_references_may_be_circular() -> None:
    schema = {"properties": {"next": {"$ref": "#"}}, "required": ["n"]}
    check = own.build(schema)
    faults: list[own.Fault] = []
    check({"n": 1, "next": {"n": 2, "next": {}}}, (), faults)
    assert [(fault.path, fault.detail) for fault in faults] == [(("next", "next"), "n")]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "#anchor"},
        {"$ref": "#/$defs/none"},
        {"unevaluatedProperties": False},
        {"$schema": "http://json-schema.org/draft-04/schema#"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "dependentRequired": {}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}]},
        {"type": "nonsense"},
        {"minLength": "3"},
        {"pattern": "("},
        {"properties": []},
        {"$defs": {"a": {"$dynamicRef": "#b"}}},
        3,
    ],
)
def test_what_is_left_to_the_library(schema: Any) -> None:
    assert not own.supports(schema)


def test_schemas_of_draft_7_in_everyday_use_need_no_library() -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    assert own.supports({"$schema": draft, "type": "object", "definitions": {"a": {}}})


def test_keywords_are_found_in_the_module_that_has_them() -> None:
    from nodegx.runtime.nodes import schema
    from nodegx.runtime.nodes.schema import arrays, combined, objects, scalars

    assert combined.KEYWORDS.keys() == schema.COMBINED
    assert arrays.KEYWORDS.keys() == schema.OF_ARRAYS
    for module in (arrays, combined, objects, scalars):
        for keyword, builder in module.KEYWORDS.items():
            assert schema.builder_of(keyword) is builder
    assert schema.builder_of("unevaluatedItems") is None
