"""`nodegx compile`."""

from __future__ import annotations

import ast
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nodegx.cli.commands import compile as command
from nodegx.cli.exit_codes import ExitCode
from nodegx.compiler.build.layout import workflow_files
from nodegx.compiler.project import load_project

Add = Callable[..., Path]


def test_writes_what_a_workflow_needs(nodegx: Any, add_workflow: Add, project: Path) -> None:
    add_workflow("/#__cloud__/ProcessOrder", {"x": 1})
    result = nodegx("compile")
    assert result.exit_code == 0, result.output
    directory = project / "build/process_order"
    assert {path.name for path in directory.iterdir()} == {
        "handler.py",
        "handler.map.json",
        "manifest.json",
        "nodegx",
    }
    ast.parse((directory / "handler.py").read_text())
    assert json.loads((directory / "manifest.json").read_text())["slug"] == "process_order"
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["WORKFLOW", "DIRECTORY", "STATE", "CODE", "RUNTIME"]
    assert re.fullmatch(
        r"ProcessOrder  build/process_order  written +[\d.]+ kB +[\d.]+ kB in \d+ files",
        lines[1],
    )
    assert re.fullmatch(r"1 written in [\d.]+ \w+  → build", lines[2])


def test_a_second_time(nodegx: Any, add_workflow: Add) -> None:
    add_workflow("/A")
    add_workflow("/B")
    nodegx("compile")
    assert re.fullmatch(r"2 unchanged in [\d.]+ \w+  → build\n", nodegx("compile").stdout)
    assert "build/a" in nodegx("compile", "--all").stdout
    assert "2 unchanged" in nodegx("compile", "--force").stdout


def test_as_json(nodegx: Any, add_workflow: Add, project: Path) -> None:
    add_workflow("/A")
    data = json.loads(nodegx("compile", "--json").stdout)
    assert data["ok"]
    assert data["out"] == str(project / "build")
    (one,) = data["workflows"]
    assert (one["name"], one["slug"], one["state"]) == ("/A", "a", "written")
    assert one["source"] == "workflows/a.json"
    assert one["runtimeFiles"] > 10


def test_a_workflow_with_errors_does_not_stop_the_others(
    nodegx: Any, add_workflow: Add, project: Path
) -> None:
    add_workflow("/A")
    (project / "workflows/bad.json").write_text('{"name": "/Bad"}')
    result = nodegx("compile")
    assert result.exit_code == ExitCode.DIAGNOSTICS
    assert "workflows/bad.json:1:1: error NX" in result.stderr
    assert "1 written, 1 failed in" in result.stdout
    assert (project / "build/a/handler.py").exists()


def test_a_deleted_workflow(nodegx: Any, add_workflow: Add, project: Path) -> None:
    add_workflow("/A")
    gone = add_workflow("/B")
    nodegx("compile")
    gone.unlink()
    output = nodegx("compile").stdout
    assert "- removed build/b: its workflow is gone" in output
    assert "1 unchanged, 1 removed in" in output
    assert not (project / "build/b").exists()


def test_some_files_elsewhere(nodegx: Any, add_workflow: Add, project: Path) -> None:
    add_workflow("/A")
    path = add_workflow("/B")
    assert nodegx("compile", path, "--out", project / "dist").exit_code == 0
    assert (project / "dist/b/handler.py").exists()
    assert not (project / "dist/a").exists()
    assert not (project / "build").exists()
    assert nodegx("compile", "missing.json").exit_code == ExitCode.NOT_FOUND


def test_same_bytes_wherever_the_project_lies(
    nodegx: Any, add_workflow: Add, project: Path, tmp_path: Path
) -> None:
    add_workflow("/A", {"deep": ["{{ start.x }}"]})
    nodegx("compile")
    nodegx("compile", "--out", tmp_path / "again")
    first, second = project / "build/a", tmp_path / "again/a"
    names = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert names
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_variables_of_the_project_are_known(nodegx: Any, add_workflow: Add, project: Path) -> None:
    (project / "nodegx.json").write_text('{"name": "shop", "vars": {"rate": 2}}')
    add_workflow("/A", "{{ vars.rate }}")
    assert nodegx("compile").exit_code == 0
    (project / "nodegx.json").write_text('{"name": "shop", "vars": {"rates": 2}}')
    result = nodegx("compile")
    assert result.exit_code == ExitCode.DIAGNOSTICS
    assert "rate" in result.stderr


def test_the_build_directory_cannot_lead_out(nodegx: Any, project: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (project / "build").symlink_to(outside)
    result = nodegx("compile")
    assert result.exit_code == ExitCode.DIAGNOSTICS
    assert "a link out of the project" in result.stderr
    (project / "nodegx.json").write_text('{"name": "shop", "build": "../x"}')
    assert nodegx("compile").exit_code == ExitCode.DIAGNOSTICS


def test_the_quick_look_finds_the_same_files(project: Path) -> None:
    for name in ("b.json", "a/c.json", "a.json", ".x.json", ".git/y.json", "a/z.txt", "d.json/e"):
        path = project / "workflows" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    found = load_project(project)
    assert list(workflow_files(found.workflows).values()) == found.workflow_files()


def test_watch(
    nodegx: Any, add_workflow: Add, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = add_workflow("/A", "first")
    monkeypatch.setattr(command, "POLL", 0.01)
    rounds: list[int] = []

    def build(*arguments: Any) -> int:
        rounds.append(original(*arguments))
        if len(rounds) == 3:
            raise KeyboardInterrupt
        return rounds[-1]

    def edit() -> None:
        for count, text in ((1, "{"), (2, path.read_text().replace("first", "second"))):
            while len(rounds) < count:
                time.sleep(0.01)
            time.sleep(0.05)
            draft = path.with_suffix(".draft")
            draft.write_text(text)
            draft.replace(path)  # at once, so that no half-written file is built

    original = command._build
    monkeypatch.setattr(command, "_build", build)
    editor = threading.Thread(target=edit)
    editor.start()
    result = nodegx("compile", "--watch")
    editor.join()
    assert result.exit_code == ExitCode.INTERRUPTED
    assert rounds == [0, 3, 0]
    assert "second" in (project / "build/a/handler.py").read_text()
