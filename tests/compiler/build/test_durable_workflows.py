"""Durability spreads from workflows to their callers through a project, and only what changes by it
is compiled again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.build.project import build_project
from nodegx.compiler.build.report import BuildReport

Json = dict[str, Any]

WAIT: Json = {"webhook": {}}
PAUSE: Json = {"duration": "5s"}


class Shop:
    """A project in a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "workflows").mkdir()
        (root / "nodegx.json").write_text('{"name": "shop"}')
        self.compiled: list[str] = []

    def write(
        self, name: str, *calls: str, waits: Json = PAUSE, wait: bool = True, **settings: Any
    ) -> None:
        """A workflow that waits, then calls others."""
        nodes: list[Json] = [
            {"id": "start", "type": "trigger.manual"},
            {"id": "pause", "type": "logic.wait", "parameters": waits},
        ]
        wires = [("start", "started", "pause")]
        for number, called in enumerate(calls):
            parameters = {"workflow": f"/{called}", "wait": wait}
            nodes.append({"id": f"c{number}", "type": "workflow.call", "parameters": parameters})
            wires.append(("pause" if not number else f"c{number - 1}", "done", f"c{number}"))
        connections = [
            {"sourceId": one, "sourcePort": port, "targetId": other, "targetPort": "run"}
            for one, port, other in wires
        ]
        drawn = {"name": f"/{name}", "settings": settings, "nodes": nodes}
        text = json.dumps({**drawn, "connections": connections})
        (self.root / f"workflows/{name}.json").write_text(text)

    def build(self, *names: str) -> BuildReport:
        """Builds all workflows, or some; `compiled` tells which of them were compiled."""
        self.compiled = []

        def progress(_done: int, _total: int, name: str) -> None:
            if name:
                self.compiled.append(Path(name).stem)

        paths = [self.root / f"workflows/{name}.json" for name in names] if names else None
        return build_project(self.root, paths=paths, jobs=1, progress=progress)

    @property
    def durable(self) -> str:
        """The workflows that are durable, by what has been built."""
        found: list[str] = []
        for path in sorted((self.root / "build").glob("*/manifest.json")):
            manifest = json.loads(path.read_text())
            says_so = "durable=True" in path.with_name("handler.py").read_text()
            assert manifest["settings"]["durable"] is says_so
            found += [path.parent.name] if says_so else []
        return " ".join(found)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.write("ask", waits=WAIT)
    made.write("order", "ask")
    made.write("batch", "order")
    made.write("report")
    return made


def test_callers_of_durable_workflows_are_durable(shop: Shop) -> None:
    assert shop.build().ok
    assert shop.durable == "ask batch order"
    assert not shop.build().diagnostics
    assert shop.compiled == []


def test_a_change_reaches_the_callers_and_nobody_else(shop: Shop) -> None:
    shop.build()
    shop.write("ask")
    report = shop.build()
    assert shop.compiled == ["ask", "batch", "order"]
    assert shop.durable == ""
    assert {built.name: built.state.value for built in report.workflows} == {
        "/ask": "written",
        "/batch": "written",
        "/order": "written",
        "/report": "unchanged",
    }
    shop.write("ask", waits=WAIT)
    shop.build()
    assert shop.durable == "ask batch order"
    shop.build()
    assert shop.compiled == []


def test_known_workflows_are_compiled_once(shop: Shop) -> None:
    shop.build()
    shop.write("order", "ask", memory=256)
    shop.build()
    assert shop.compiled == ["order"]
    assert shop.durable == "ask batch order"


def test_a_build_of_one_file_leaves_its_callers_to_the_next_build(shop: Shop) -> None:
    shop.build()
    shop.write("ask")
    shop.build("ask")
    assert shop.compiled == ["ask"]
    shop.build("report")
    shop.build()
    assert sorted(shop.compiled) == ["batch", "order"]
    assert shop.durable == ""


def test_a_build_of_one_file_knows_which_others_are_durable(shop: Shop) -> None:
    shop.build()
    shop.write("order", "ask", memory=256)
    shop.build("order")
    assert shop.durable == "ask batch order"


def test_workflows_that_call_one_another(shop: Shop) -> None:
    shop.write("ask", "batch", waits=WAIT)
    shop.build()
    assert shop.durable == "ask batch order"
    shop.write("ask", "batch")
    shop.build()
    assert shop.durable == ""


def test_only_calls_that_wait_count(shop: Shop) -> None:
    shop.write("order", "ask", wait=False)
    shop.build()
    assert shop.durable == "ask"


def test_settings_come_first(shop: Shop) -> None:
    shop.write("order", "ask", durable=False)
    report = shop.build()
    assert [(found.code, found.node) for found in report.diagnostics] == [("NX607", "c0")]
    assert shop.durable == "ask"
    shop.write("report", durable=True)
    shop.write("order", "report")
    shop.build()
    assert shop.durable == "ask batch order report"


def test_a_broken_workflow_counts_as_it_last_was(shop: Shop) -> None:
    shop.build()
    (shop.root / "workflows/ask.json").write_text("{")
    assert not shop.build().ok
    assert shop.durable == "ask batch order"


def test_the_revision_tells_whether_a_workflow_is_durable(shop: Shop) -> None:
    def revision() -> str:
        manifest = (shop.root / "build/order/manifest.json").read_text()
        return str(json.loads(manifest)["revision"])

    shop.build()
    first = revision()
    shop.write("ask")
    shop.build()
    assert revision() != first
    shop.write("ask", waits=WAIT)
    shop.build()
    assert revision() == first
