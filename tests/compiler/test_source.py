"""Positions: from places in the data back to lines and columns of the text."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.compiler.diagnostics import Diagnostic, Pointer
from nodegx.compiler.read import parse
from nodegx.compiler.source import Source

TEXT = """{
  "name": "a",
\t"nodes": [
    {"id": "x", "deep": {"list": [1, [2, 3], {"k": null}]}},
    "text"
  ]
}
"""


def at(line: int, column: int) -> str:
    return TEXT.split("\n")[line - 1][column - 1 :]


@pytest.mark.parametrize(
    ("pointer", "starts"),
    [
        ((), "{"),
        (("name",), '"a"'),
        (("nodes",), "["),
        (("nodes", 0), '{"id"'),
        (("nodes", 0, "deep", "list", 1, 1), "3]"),
        (("nodes", 0, "deep", "list", 2, "k"), "null"),
        (("nodes", 1), '"text"'),
    ],
)
def test_values(pointer: Pointer, starts: str) -> None:
    assert at(*parse(TEXT).locate(pointer)).startswith(starts)


def test_keys() -> None:
    source = parse(TEXT)
    assert source.locate(("nodes",), key=True) == (3, 2)
    assert at(*source.locate(("nodes", 0, "deep"), key=True)).startswith('"deep"')
    assert at(*source.locate(("nodes", 1), key=True)).startswith('"text"')


@pytest.mark.parametrize(
    ("pointer", "starts"),
    [
        (("nothing",), "{"),
        (("nodes", 2), "["),
        (("nodes", 0, "deep", "list", 7, "k"), "[1"),
        (("name", "deeper", 1), '"a"'),
        (("nodes", "0"), "["),
        ((0,), "{"),
    ],
)
def test_places_that_do_not_exist_lead_as_far_as_they_go(pointer: Pointer, starts: str) -> None:
    assert at(*parse(TEXT).locate(pointer)).startswith(starts)


def test_offsets_count_decoded_characters() -> None:
    text = r'{"a": "\u00e4\n\"\ud83d\ude00\\x"}'
    source = parse(text)
    decoded = source.data["a"]
    columns = [source.locate(("a",), offset)[1] for offset in range(len(decoded))]
    assert [text[column - 1] for column in columns] == ["\\", "\\", "\\", "\\", "\\", "x"]
    assert source.locate(("a",), len(decoded))[1] == text.rindex('"') + 1
    assert source.locate(("a",), 10_000)[1] == text.rindex('"') + 1


def test_an_offset_into_anything_but_a_text_is_its_start() -> None:
    assert parse('{"a": [1]}').locate(("a",), 5) == (1, 7)


def test_windows_line_ends() -> None:
    source = parse('{\r\n  "a": 1,\r\n  "b": 2\r\n}')
    assert source.locate(("b",)) == (3, 8)
    (found,) = source.resolve([Diagnostic("NX201", "", ("b",))])
    assert found.excerpt is not None
    assert found.excerpt.text == '"b": 2'


def test_of_keys_that_stand_twice_the_last_counts() -> None:
    assert Source(None, '{"a": 1, "a": 2}', None).locate(("a",)) == (1, 15)


def test_excerpts_show_the_column_in_long_lines() -> None:
    source = parse('{"pad": "' + "x" * 500 + '", "a": "here", "rest": "' + "y" * 500 + '"}')
    (found,) = source.resolve([Diagnostic("NX201", "", ("a",))])
    assert found.excerpt is not None
    assert found.excerpt.text[found.excerpt.column - 1 :].startswith('"here"')
    assert len(found.excerpt.text) <= 100


def test_findings_come_in_the_order_of_the_text() -> None:
    source = parse(TEXT, Path("w.json"))
    found = source.resolve(
        [
            Diagnostic("NX2", "", ("nodes", 1)),
            Diagnostic("NX1", "", ("name",)),
            Diagnostic("NX0", ""),
        ]
    )
    assert [d.code for d in found] == ["NX0", "NX1", "NX2"]
    assert {d.file for d in found} == {Path("w.json")}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def pointers(value: Any, here: Pointer = ()) -> list[tuple[Pointer, Any]]:
    members = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [(here, value), *(one for key, v in members for one in pointers(v, (*here, key)))]


@settings(max_examples=150)
@given(JSON, st.sampled_from([None, 0, 1, 2]), st.booleans())
def test_every_value_is_found_where_it_stands(data: Any, indent: int | None, ascii: bool) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii)
    source = parse(text)
    lines = text.split("\n")
    for pointer, value in pointers(data):
        line, column = source.locate(pointer)
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0] == value
