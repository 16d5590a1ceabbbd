"""`nodegx compile --target aws`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodegx.cli.exit_codes import ExitCode

Add = Callable[..., Path]


def scheduled(project: Path, cron: str) -> None:
    """A workflow with a schedule."""
    drawing = {
        "name": "/Nightly",
        "nodes": [
            {"id": "night", "type": "trigger.schedule", "parameters": {"cron": cron}},
            {"id": "done", "type": "data.set", "parameters": {"value": 1}},
        ],
        "connections": [
            {"sourceId": "night", "sourcePort": "fired", "targetId": "done", "targetPort": "run"}
        ],
    }
    (project / "workflows/nightly.json").write_text(json.dumps(drawing, indent=1))


def test_writes_a_program(nodegx: Any, add_workflow: Add, project: Path) -> None:
    add_workflow("/A")
    add_workflow("/B")
    result = nodegx("compile", "--target", "aws")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-3:] == [
        "+ created stacks/aws/Pulumi.dev.yaml: settings of a stack, yours to edit",
        "+ created stacks/aws/Pulumi.prod.yaml: settings of a stack, yours to edit",
        "program for AWS written: 2 functions  → build/aws",
    ]
    assert (project / "build/aws/__main__.py").is_file()
    again = nodegx("compile", "--target", "aws").stdout.splitlines()
    assert again[-1] == "program for AWS unchanged: 2 functions  → build/aws"
    assert "created" not in "".join(again)


def test_as_json(nodegx: Any, add_workflow: Add, project: Path) -> None:
    add_workflow("/A")
    data = json.loads(nodegx("compile", "--target", "aws", "--json").stdout)
    program = data["program"]
    assert program["ok"]
    assert program["directory"] == str(project / "build/aws")
    assert program["functions"] == ["a"]
    assert len(program["created"]) == 2
    assert "program" not in json.loads(nodegx("compile", "--json").stdout)


def test_what_aws_cannot_do(nodegx: Any, project: Path) -> None:
    scheduled(project, "0 0 13 * FRI")
    result = nodegx("compile", "--target", "aws")
    assert result.exit_code == ExitCode.DIAGNOSTICS
    assert "workflows/nightly.json:8:13: error NX701" in result.stderr
    assert "hint: use two schedule triggers" in result.stderr
    assert (project / "build/nightly/handler.py").is_file()
    assert not (project / "build/aws").exists()


def test_the_whole_project_even_if_one_file_is_compiled(
    nodegx: Any, add_workflow: Add, project: Path
) -> None:
    add_workflow("/A")
    path = add_workflow("/B")
    nodegx("compile")
    result = nodegx("compile", "--target", "aws", path)
    assert "2 functions" in result.stdout


def test_no_program_of_workflows_with_errors(nodegx: Any, add_workflow: Add, project: Path) -> None:
    add_workflow("/A", "{{ nothing }}")
    result = nodegx("compile", "--target", "aws")
    assert result.exit_code == ExitCode.DIAGNOSTICS
    assert not (project / "build/aws").exists()


def test_only_targets_that_there_are(nodegx: Any, project: Path) -> None:
    result = nodegx("compile", "--target", "azure")
    assert result.exit_code == ExitCode.USAGE
    assert "aws" in result.stderr
