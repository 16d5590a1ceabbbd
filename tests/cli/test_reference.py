"""`nodegx nodes`, `functions` and `schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.cli.exit_codes import ExitCode
from nodegx.compiler.expressions.functions import FUNCTIONS, METHODS
from nodegx.runtime.catalog import CATALOG


def test_lists_every_node_type(nodegx: Any) -> None:
    lines = nodegx("nodes").stdout.splitlines()
    assert lines[0].split() == ["TYPE", "TITLE", "WHAT", "IT", "DOES"]
    assert [line.split()[0] for line in lines[1:]] == list(CATALOG)
    assert [node["type"] for node in json.loads(nodegx("nodes", "--json").stdout)] == list(CATALOG)


@pytest.mark.parametrize("name", CATALOG)
def test_a_page_names_all_ports_and_parameters(nodegx: Any, name: str) -> None:
    declared = CATALOG[name]
    page = nodegx("nodes", name).stdout
    for part in (*declared.params, *declared.outputs, *declared.signals_in, *declared.signals_out):
        assert f"  {part.name} " in page, part.name
    data = json.loads(nodegx("nodes", name, "--json").stdout)
    assert [param["name"] for param in data["parameters"]] == [p.name for p in declared.params]
    assert data["signals"]["out"] == [{"name": s.name, "doc": s.doc} for s in declared.signals_out]


def test_the_page_of_logic_if(nodegx: Any) -> None:
    page = nodegx("nodes", "logic.if").stdout
    assert page.startswith("logic.if  If\n\nGoes one of two ways")
    assert "Goes on with\n  true " in page
    assert "\nParameters\n  condition (condition, required)\n      " in page
    assert "\nExample\n  {" in page


def test_aliases_are_known(nodegx: Any) -> None:
    assert nodegx("nodes", "python.logic.if").stdout == nodegx("nodes", "logic.if").stdout


def test_unknown_node_type(nodegx: Any) -> None:
    result = nodegx("nodes", "logic.swich")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "hint: did you mean logic.switch" in result.stderr


def test_functions(nodegx: Any) -> None:
    data = json.loads(nodegx("functions", "--json").stdout)
    assert len(data) == len(FUNCTIONS) + len(METHODS)
    text = nodegx("functions", "date").stdout
    assert "formatDate(date: any" in text
    assert "slug(" not in text
    assert nodegx("functions", "qqqq").exit_code == ExitCode.NOT_FOUND


@pytest.mark.parametrize("kind", ["workflow", "project"])
def test_schema(nodegx: Any, kind: str, tmp_path: Path) -> None:
    printed = json.loads(nodegx("schema", kind).stdout)
    assert printed["$schema"].startswith("https://json-schema.org/")
    target = tmp_path / "schema.json"
    assert nodegx("schema", kind, "-o", target).exit_code == 0
    assert json.loads(target.read_text()) == printed
    assert nodegx("schema", kind, "-o", tmp_path / "no" / "x").exit_code == ExitCode.NOT_FOUND
