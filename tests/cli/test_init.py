"""`nodegx init`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.cli.scaffold import TEMPLATES
from nodegx.compiler.project import load_project


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_makes_a_project(nodegx: Any, tmp_path: Path, template: str) -> None:
    directory = tmp_path / "my shop"
    result = nodegx("init", directory, "--template", template)
    assert result.exit_code == 0, result.output
    project = load_project(directory)
    assert project.name == "my shop"
    assert set(project.vars) == set(TEMPLATES[template].variables)
    assert (directory / ".gitignore").read_text() == "build/\n.nodegx/\n.env\n"
    readme = (directory / "README.md").read_text()
    assert readme.startswith("# my shop\n")
    assert "[[" not in readme
    assert "[%" not in readme
    assert TEMPLATES[template].run in readme
    assert bool(project.workflow_files()) == (template != "empty")


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name != "empty"])
def test_templates_have_no_mistakes(nodegx: Any, tmp_path: Path, template: str) -> None:
    nodegx("init", tmp_path / "p", "--template", template)
    result = nodegx("check", "-C", tmp_path / "p", "--strict")
    assert result.exit_code == 0, result.output


def test_names_are_quoted(nodegx: Any, tmp_path: Path) -> None:
    nodegx("init", tmp_path / "p", "--name", 'the "best" <shop>')
    assert json.loads((tmp_path / "p/nodegx.json").read_text())["name"] == 'the "best" <shop>'


def test_nothing_is_overwritten(nodegx: Any, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    result = nodegx("init", tmp_path)
    assert result.exit_code == 1
    assert "already has README.md" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_next_steps(nodegx: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = json.loads(nodegx("init", "shop", "--json").stdout)
    assert data["next"][:2] == ["cd shop", "nodegx check"]
    assert data["files"] == sorted(data["files"])
    assert all((tmp_path / "shop" / name).is_file() for name in data["files"])


def test_the_first_workflow_takes_a_call_without_a_body(
    nodegx: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodegx("init", tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    result = nodegx("run", "Hello")
    assert result.exit_code == 0
    assert "answer 422" in result.stdout
