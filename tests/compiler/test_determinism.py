"""The same drawing gives the same bytes: in every process, and however its JSON is laid out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from nodegx.compiler.pipeline import compile_source
from nodegx.compiler.read import parse, read

from tests.support.drawing import callees
from tests.support.tricky import CASES
from tests.support.workflows import Case, well_formed_workflows

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/workflows/*.json"))

COMPILE_ALL = """
import hashlib, sys
from pathlib import Path
from nodegx.compiler.pipeline import compile_source
from nodegx.compiler.read import read
for path in sys.argv[1:]:
    for compiled in compile_source(read(Path(path))):
        for name, content in sorted(compiled.files().items()):
            print(compiled.slug, name, hashlib.sha256(content).hexdigest())
"""


def compile_elsewhere(paths: list[Path], seed: int) -> str:
    """Hashes of everything compiled from some files, by a process with that hash seed."""
    return subprocess.run(
        [sys.executable, "-c", COMPILE_ALL, *map(str, paths)],
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_hash_seeds_do_not_show(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.json"
    components = [
        {**case.document(), "name": f"/#__cloud__/Case{number}"}
        for number, case in enumerate(CASES)
    ]
    drawn.write_text(json.dumps({"components": [*components, *callees()]}), "utf-8")
    paths = [drawn, *EXAMPLES]
    first = compile_elsewhere(paths, seed=1)
    assert len(first.splitlines()) > 3 * len(CASES)
    assert compile_elsewhere(paths, seed=4321) == first


def handlers(document: Mapping[str, Any], **layout: Any) -> list[tuple[str, Any]]:
    """Handlers and source maps of a bundle whose JSON is written with `layout`."""
    text = json.dumps(document, **layout)
    return [(each.handler, each.source_map) for each in compile_source(parse(text))]


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(well_formed_workflows())
def test_the_layout_of_the_json_does_not_show(case: Case) -> None:
    document = {"components": [case.document, *callees()]}
    plain = handlers(document)
    assert handlers(document, indent=2) == plain
    assert handlers(document, separators=(",", ":"), ensure_ascii=False) == plain


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_places_of_nodes_on_the_canvas_do_not_show(path: Path) -> None:
    source = read(path)
    moved = json.loads(path.read_text("utf-8"))
    for workflow in moved.get("components", [moved]):
        for node in workflow["nodes"]:
            node["x"], node["y"] = node.get("y", 0) + 7, node.get("x", 0) - 7
    for one, other in zip(
        compile_source(source), compile_source(parse(json.dumps(moved), path)), strict=True
    ):
        assert one.handler == other.handler
