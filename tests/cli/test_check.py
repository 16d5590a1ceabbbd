"""`nodegx check`: what it prints about workflows with mistakes, to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from nodegx.cli import findings
from nodegx.cli.exit_codes import ExitCode
from nodegx.compiler import diagnostics
from nodegx.compiler.diagnostics import Diagnostic, Excerpt, Severity

BROKEN = """\
{
  "name": "/#__cloud__/Orders",
  "nodes": [
    {"id": "order", "type": "trigger.webhok", "parameters": {"method": "POST"}},
    {"id": "large", "type": "logic.if", "parameters": {"condition": "{{ ordr.body.total > 100 }}"}}
  ],
  "conections": []
}
"""
MISSPELT = """\
{
  "name": "/#__cloud__/Totals",
  "nodes": [
    {"id": "start", "type": "trigger.manual"},
    {
      "id": "total",
      "type": "data.set",
      "parameters": {"value": "Über \\u00e4 {{ sum(strat.items) }}"}
    },
    {"id": "lost", "type": "data.set", "parameters": {"value": 1}}
  ],
  "connections": [
    {"sourceId": "start", "sourcePort": "started", "targetId": "total", "targetPort": "run"}
  ]
}
"""


@pytest.fixture
def broken(project: Path) -> Path:
    path = project / "workflows" / "orders.json"
    path.write_text(BROKEN)
    (project / "workflows" / "totals.json").write_text(MISSPELT)
    return path


def test_a_sound_project(nodegx: Any, add_workflow: Callable[..., Path]) -> None:
    add_workflow("/#__cloud__/A", {"x": 1})
    add_workflow("/#__cloud__/B", {"x": 1})
    result = nodegx("check")
    assert (result.exit_code, result.output) == (
        0,
        "✓ 2 files checked, nothing to complain about\n",
    )


def test_mistakes_in_text(nodegx: Any, broken: Path) -> None:
    result = nodegx("check")
    assert result.exit_code == ExitCode.DIAGNOSTICS
    assert result.stdout == (GOLDEN / "check.txt").read_text()


def test_mistakes_for_github(nodegx: Any, broken: Path) -> None:
    result = nodegx("check", "--format", "github")
    assert result.exit_code == ExitCode.DIAGNOSTICS
    assert result.stdout == (GOLDEN / "check.github").read_text()


@pytest.mark.parametrize("arguments", [["--json"], ["--format", "json"]])
def test_mistakes_for_editors(nodegx: Any, broken: Path, arguments: list[str]) -> None:
    result = nodegx("check", *arguments)
    assert result.exit_code == ExitCode.DIAGNOSTICS
    data = json.loads(result.stdout.replace(str(broken.parent.parent), "."))
    assert data == json.loads((GOLDEN / "check.json").read_text())


GOLDEN = Path(__file__).with_name("golden")


def test_all_files_of_a_directory(nodegx: Any, broken: Path, tmp_path: Path) -> None:
    assert nodegx("check", broken).exit_code == ExitCode.DIAGNOSTICS
    assert nodegx("check", broken.parent).exit_code == ExitCode.DIAGNOSTICS
    assert "totals.json" not in nodegx("check", broken).output
    empty = tmp_path / "empty"
    empty.mkdir()
    assert nodegx("check", empty).output == "✓ 0 files checked, nothing to complain about\n"
    assert nodegx("check", tmp_path / "none.json").exit_code == ExitCode.NOT_FOUND


def test_files_outside_of_any_project(
    nodegx: Any, broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nodegx.json").unlink()
    monkeypatch.chdir("/")
    assert nodegx("check", broken).exit_code == ExitCode.DIAGNOSTICS


def test_calls_between_files(nodegx: Any, add_workflow: Callable[..., Path]) -> None:
    add_workflow("/#__cloud__/A", 1, onError="/#__cloud__/B")
    assert "NX603" in nodegx("check").stdout
    other = add_workflow("/#__cloud__/B", 1)
    assert nodegx("check").exit_code == 0
    assert nodegx("check", "workflows/a.json").exit_code == 0, "B is not known, so nothing is said"
    assert nodegx("compile").exit_code == 0
    other.unlink()
    assert "NX603" in nodegx("check", "workflows/a.json", "--strict").stdout


def test_warnings_fail_only_when_asked(nodegx: Any, project: Path) -> None:
    document = {
        "name": "/W",
        "nodes": [
            {"id": "start", "type": "trigger.manual"},
            {"id": "lost", "type": "data.set", "parameters": {"value": 1}},
        ],
        "connections": [],
    }
    (project / "workflows/w.json").write_text(json.dumps(document, indent=1))
    result = nodegx("check")
    assert result.exit_code == 0
    assert "warning NX316" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("in 1 of 1 file")
    assert nodegx("check", "--strict").exit_code == ExitCode.DIAGNOSTICS


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[1]", b"null", b'{"name": 1}', b"[" * 5000]
)
def test_no_file_is_bad_enough_for_a_traceback(nodegx: Any, project: Path, content: bytes) -> None:
    (project / "workflows/bad.json").write_bytes(content)
    for arguments in (["check"], ["compile"], ["compile", "--json"]):
        result = nodegx(*arguments)
        assert result.exit_code == ExitCode.DIAGNOSTICS, result.output
        assert "bad.json" in result.output
        assert "unexpected" not in result.stderr


FOUND = [
    Diagnostic("NX101", "no file"),
    Diagnostic(
        "NX402",
        "unknown name",
        hint="did you mean it?",
        file=Path("/p/w.json"),
        line=12,
        column=3,
        severity=Severity.WARNING,
        excerpt=Excerpt('"a": "{{ b }}"', 10),
    ),
]


def test_colours_change_nothing_but_colours() -> None:
    """What editors recognize in the compiler's own rendering, they recognize here."""
    text = "\n".join(findings.text_lines(FOUND, Path("/p")))
    assert click.unstyle(text) == diagnostics.to_text(FOUND, base=Path("/p"))
    assert text != click.unstyle(text)


def test_github_cannot_be_tricked_by_messages() -> None:
    tricky = Diagnostic("NX1", "a\n::error::b%0A", file=Path("/p/a,b:c.json"), line=1, column=2)
    (line,) = findings.github_lines([tricky], Path("/p"))
    assert line == "::error file=a%2Cb%3Ac.json,line=1,col=2,title=NX1::a%0A::error::b%250A"
