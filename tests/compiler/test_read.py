"""Reading files: encodings, limits, and what is said of JSON that is none."""

import json
import os
from pathlib import Path

import pytest
from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError
from nodegx.compiler.read import MAX_BYTES, MAX_DEPTH, MAX_TEXT, parse, read


def refused(content: bytes | str) -> list[Diagnostic]:
    with pytest.raises(DiagnosticError) as caught:
        parse(content)
    return caught.value.diagnostics


def test_a_byte_order_mark_does_not_matter() -> None:
    source = parse(b'\xef\xbb\xbf{"a": 1}')
    assert source.data == {"a": 1}
    assert source.locate(("a",)) == (1, 7)


def test_text_beyond_ascii() -> None:
    assert parse('{"a": "Größe 💥"}'.encode()).data == {"a": "Größe 💥"}
    assert parse(r'{"a": "\ud83d\ude00"}').data == {"a": "😀"}


def test_up_to_the_limits_everything_is_read() -> None:
    assert len(parse(json.dumps("x" * (MAX_TEXT - 2))).data) == MAX_TEXT - 2
    nested = parse("[" * MAX_DEPTH + "]" * MAX_DEPTH).data
    assert nested
    assert parse('{"a": 9223372036854775807, "b": -9223372036854775807}').data["a"] == 2**63 - 1
    assert parse('["1e999", "12345678901234567890", "NaN", "[[["]').data[0] == "1e999"
    assert parse('{"a": 1e308, "b": 123456789012345678901.5}').data["a"] == 1e308


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(parse(json.dumps([[]] * 5_000)).data) == 5_000
    assert parse(json.dumps(["[" * 400] * 100)).data


def test_too_large_a_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES * 8)
    with pytest.raises(DiagnosticError, match="larger than 16 MiB"):
        read(path)
    assert [d.code for d in refused("ä" * (MAX_BYTES // 2 + 1))] == ["NX102"]


@pytest.mark.parametrize("kind", ["missing", "directory", "loop", "null"])
def test_what_cannot_be_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.json"
    if kind == "directory":
        path.mkdir()
    elif kind == "loop":
        os.symlink(path, path)
    elif kind == "null":
        path = tmp_path / "a\0b.json"
    with pytest.raises(DiagnosticError) as caught:
        read(path)
    (found,) = caught.value.diagnostics
    assert found.code == "NX101"
    assert found.file == path


def test_the_place_of_a_byte_that_is_not_utf8() -> None:
    (found,) = refused('{\n "ä": "'.encode() + b'\xff"}')
    assert (found.code, found.line, found.column) == ("NX103", 2, 8)


def test_every_unsafe_part_is_told_of() -> None:
    found = refused('{"a": NaN, "a": 1, "b": [1e999, {"c": 1, "c": -Infinity}], "d": "\\udc00"}')
    assert [(d.code, d.pointer) for d in found] == [
        ("NX106", ("a",)),
        ("NX105", ("a",)),
        ("NX106", ("b", 0)),
        ("NX105", ("b", 1, "c")),
        ("NX106", ("b", 1, "c")),
        ("NX109", ("d",)),
    ]


def test_half_a_character_in_a_key() -> None:
    assert [d.code for d in refused('{"\\ud800": 1}')] == ["NX109"]


def test_equal_keys_that_are_written_differently() -> None:
    assert [d.code for d in refused('{"a": 1, "\\u0061": 2}')] == ["NX105"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('{"a": 1,}', "a comma stands before", "remove the comma"),
        ('{"a": [1, 2 , ] }', "a comma stands before", "remove the comma"),
        ("{'a': 1}", "a key in double quotes must stand here", "straight double quotes"),
        ("{“a”: 1}", "a key in double quotes must stand here", "straight double quotes"),
        ('{"a": tru}', "a value must stand here", "put texts in double quotes"),
        ('{"a": True}', "a value must stand here", "true in lower case"),
        ('{"a": undefined}', "a value must stand here", "no undefined"),
        ('{"a": .5}', "a value must stand here", "numbers look like"),
        ('{"a": 01}', "a comma or a closing bracket must stand here", ""),
        ('{"a": ,}', "a comma stands before", ""),
        ('{"a": 1,, "b": 2}', "a key in double quotes must stand here", "one comma too many"),
        ('{"a": 1 /* one */}', "a comma or a closing bracket must stand here", "no comments"),
        ('{"a": 1 # one\n}', "a comma or a closing bracket must stand here", "no comments"),
        ("[1 2]", "a comma or a closing bracket must stand here", ""),
        ('[{"a": 1} {"a": 2}]', "a comma is missing here", "between two entries"),
        ('{"a" 1}', "a colon must stand", ""),
        ('{"a": 1', "the file ends in the middle", "missing"),
        ('{"a":', "the file ends in the middle", "missing"),
        ('{"a": "b', "no closing quote", ""),
        ('{"a": "b\nc"}', "over several lines", r"\n"),
        ('{"a": "b\tc"}', "a control character", r"\t"),
        (r'{"a": "\q"}', "a backslash", r"\\"),
        (r'{"a": "\u12"}', "a backslash", r"\\"),
        ('{"a": 1} x', "the document is over", ""),
        ("   \n ", "the file is empty", '{"name"'),
    ],
)
def test_explanations(text: str, message: str, hint: str) -> None:
    (found,) = refused(text)
    assert found.code == "NX104"
    assert message in found.message
    assert hint in found.hint
