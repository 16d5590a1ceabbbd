"""The stages put together."""

from __future__ import annotations

import json
from typing import Any

import nodegx.compiler
import pytest
from nodegx.compiler.diagnostics import DiagnosticError
from nodegx.compiler.pipeline import compile_source
from nodegx.compiler.read import parse
from nodegx.compiler.sourcemap import first_lines, to_json, to_text

from tests.support.graphs import document, put


def bundle(*drawn: dict[str, Any]) -> str:
    named = [{**each, "name": f"/#__cloud__/Flow{at}"} for at, each in enumerate(drawn)]
    return json.dumps({"components": named}, indent=1)


def test_every_workflow_of_a_bundle() -> None:
    made = compile_source(parse(bundle(document("start > a"), document("start > b"))))
    assert [one.slug for one in made] == ["flow0", "flow1"]
    assert set(made[0].files()) == {"handler.py", "handler.map.json", "manifest.json"}


def test_findings_of_all_workflows_have_their_places() -> None:
    wrong = document("start > a", put("a", "{{ nothing }}"))
    with pytest.raises(DiagnosticError) as caught:
        compile_source(parse(bundle(wrong, document("start > a b; a b > z"), wrong)))
    found = caught.value.diagnostics
    assert [each.code for each in found] == ["NX402", "NX502", "NX402"]
    lines = [each.line or 0 for each in found]
    assert lines == sorted(lines)
    assert all(lines)


def test_warnings_come_along() -> None:
    (one,) = compile_source(parse(json.dumps(document("start > a", put("lost")))))
    assert [warning.code for warning in one.warnings] == ["NX316"]


def test_compiling_twice_gives_the_same_bytes() -> None:
    text = bundle(document("start > a b c; a b > m > z; c > d", {"id": "m", "type": "logic.merge"}))
    assert compile_source(parse(text))[0].files() == compile_source(parse(text))[0].files()


def test_the_package_offers_its_parts_without_importing_them_all() -> None:
    assert nodegx.compiler.compile_source is compile_source
    with pytest.raises(AttributeError):
        _ = nodegx.compiler.nothing


def test_source_maps() -> None:
    spans = [(4, 4, "b"), (3, 9, "a"), (3, 9, "a"), (5, 6, "b")]
    assert to_json(spans)["lines"] == [[3, 9, "a"], [4, 4, "b"], [5, 6, "b"]]
    assert json.loads(to_text(spans)) == to_json(spans)
    assert json.loads(to_text([])) == {"version": 1, "lines": []}
    assert first_lines(spans) == {"a": 3, "b": 4}
