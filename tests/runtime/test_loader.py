from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from nodegx.runtime.loader import load, unload
from nodegx.runtime.sourcemap import SourceMap

HANDLER = '''\
from nodegx.runtime import Node, Retry, Run, workflow

WORK = Node("work", "http.request", retry=Retry(attempts=2))


@workflow("/Loaded", timeout=5.0, concurrency=3, capture="minimal", redact=("$..x",))
async def loaded(run: Run) -> None:
    """Does nothing."""
'''


def test_a_built_folder_is_loaded_with_its_revision(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text(HANDLER)
    (tmp_path / "manifest.json").write_text(json.dumps({"revision": "abc"}))
    flow = load(tmp_path)
    assert (flow.name, flow.revision) == ("/Loaded", "abc")
    assert (flow.settings.timeout, flow.settings.concurrency) == (5.0, 3)
    assert (flow.settings.capture, flow.settings.redact) == ("minimal", ("$..x",))
    assert flow.gate.limit == 3
    assert flow.node_type("work") == "http.request"
    assert flow.node_type("gone") == ""
    assert repr(flow) == "<Workflow /Loaded>"


def test_versions_live_beside_each_other_until_unloaded(tmp_path: Path) -> None:
    path = tmp_path / "handler.py"
    path.write_text(HANDLER)
    old = load(path)
    path.write_text(HANDLER.replace("timeout=5.0", "timeout=6.0"))
    new = load(path)
    assert (old.settings.timeout, new.settings.timeout) == (5.0, 6.0)
    assert "timeout=5.0" in "\n".join(old.source.lines)
    name = old.handler.__module__
    assert name in sys.modules
    unload(old)
    unload(old)
    assert name not in sys.modules
    assert new.handler.__module__ in sys.modules
    unload(new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "0 workflows"),
        ("syntax error here", "cannot be imported"),
        ("raise RuntimeError('at import')", "at import"),
        (HANDLER + HANDLER.replace("loaded", "again"), "2 workflows"),
    ],
)
def test_what_is_no_handler_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "handler.py").write_text(text)
    before = set(sys.modules)
    with pytest.raises(ImportError, match=message):
        load(tmp_path)
    assert not {name for name in set(sys.modules) - before if name.startswith("nodegx_build")}
    with pytest.raises(OSError, match="missing"):
        load(tmp_path / "missing" / "handler.py")


def test_lines_lead_to_the_innermost_node(tmp_path: Path) -> None:
    path = tmp_path / "handler.py"
    lines = [[1, 20, "loop"], [5, 9, "inner"], [7, 7, "deep"], [30, 31, "after"]]
    path.with_name("handler.map.json").write_text(json.dumps({"version": 1, "lines": lines}))
    source = SourceMap(str(path), "handler", "text\n")
    found = [source.node_at(line) for line in (1, 5, 7, 8, 10, 25, 30, 99)]
    assert found == ["loop", "inner", "deep", "inner", "loop", None, "after", None]


@pytest.mark.parametrize("text", ["", "{}", '{"lines": 3}', '{"lines": [[1]]}', "[]"])
def test_a_broken_map_leads_nowhere(tmp_path: Path, text: str) -> None:
    (tmp_path / "handler.map.json").write_text(text)
    assert SourceMap(str(tmp_path / "handler.py"), "handler").node_at(1) is None
