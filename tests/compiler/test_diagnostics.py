"""How findings are worded and shown."""

import re
from pathlib import Path

import pytest
from nodegx.compiler.diagnostics import (
    CODES,
    Diagnostic,
    Excerpt,
    Severity,
    did_you_mean,
    has_errors,
    json_pointer,
    listing,
    printable,
    quoted,
    suggestion,
    to_json,
    to_text,
)

COMPILER = Path(__file__).parents[2] / "compiler" / "nodegx" / "compiler"


def test_every_code_is_in_the_table() -> None:
    used = {
        code
        for path in COMPILER.rglob("*.py")
        if path.name != "diagnostics.py"
        for code in re.findall(r'"(NX\d{3})"', path.read_text())
    }
    assert used <= set(CODES)


def test_text() -> None:
    found = Diagnostic(
        "NX311",
        'no output "tru"',
        ("connections", 0),
        "did you mean true?",
        file=Path("/p/workflows/a.json"),
        line=12,
        column=7,
        excerpt=Excerpt('"sourcePort": "tru"', 15),
    )
    warning = Diagnostic("NX316", "never runs", severity=Severity.WARNING)
    assert to_text([found, warning], base=Path("/p")) == (
        'workflows/a.json:12:7: error NX311: no output "tru"\n'
        '  12 | "sourcePort": "tru"\n'
        "     |               ^\n"
        "  hint: did you mean true?\n"
        "warning NX316: never runs"
    )
    assert to_text([found], base=Path("/elsewhere")).startswith("/p/workflows/a.json:12:7: ")
    assert has_errors([found, warning])
    assert not has_errors([warning])


def test_json() -> None:
    found = Diagnostic(
        "NX1", "m", ("a/b", 0, "c~d"), "h", "node", 3, file=Path("f.json"), line=1, column=2
    )
    assert to_json([found, Diagnostic("NX2", "n")]) == [
        {
            "code": "NX1",
            "severity": "error",
            "message": "m",
            "hint": "h",
            "file": "f.json",
            "line": 1,
            "column": 2,
            "pointer": "/a~1b/0/c~0d",
            "node": "node",
        },
        {"code": "NX2", "severity": "error", "message": "n", "pointer": ""},
    ]
    assert json_pointer(()) == ""


def test_what_users_write_does_not_steer_the_terminal() -> None:
    assert printable("\x1b[31mred\n\u202e") == "\\u001b[31mred\\u000a\\u202e"
    assert quoted("\x07") == '"\\u0007"'


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1, "1"), (None, "null"), (True, "true"), ({}, "an object"), ([1], "a list"), (1.5, "1.5")],
)
def test_values_in_messages(value: object, shown: str) -> None:
    assert quoted(value) == shown


def test_long_words_are_shortened() -> None:
    assert len(quoted("x" * 10_000)) < 70
    assert listing(str(n) for n in range(20)).endswith("11 and 8 more")
    assert len(listing(["x" * 1000])) == 40


def test_suggestions() -> None:
    assert did_you_mean("Http.Requst", ["http.request", "logic.if"]) == "http.request"
    assert did_you_mean("zzz", ["http.request"]) is None
    assert did_you_mean("x" * 1_000_000, ["http.request"]) is None
    assert suggestion("dne", ["done", "failure"], "ports") == 'did you mean "done"?'
    assert suggestion("zzz", ["done", "failure"], "ports") == "ports: done, failure"
    assert suggestion("zzz", [], "ports") == "there are no ports"
