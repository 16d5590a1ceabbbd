"""Manifests of workflows that tests draw in a few words, made by the real compiler."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nodegx.compiler.build.project import build_project
from nodegx.compiler.manifest import Manifest
from nodegx.compiler.pipeline import compile_source
from nodegx.compiler.project import Project, load_project
from nodegx.compiler.read import parse
from nodegx.compiler.targets.aws.findings import Finding
from nodegx.compiler.targets.aws.plan import Function, Plan
from nodegx.compiler.targets.aws.planning import make_plan

EXAMPLES = Path(__file__).parents[2] / "examples"
SIGNALS = {
    "trigger.schedule": "fired",
    "trigger.manual": "started",
}
"""The signal of a trigger, where it is not `received`."""

Json = dict[str, Any]


def drawn(
    name: str,
    *triggers: tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], str],
    nodes: Sequence[tuple[str, Mapping[str, Any]]] = (),
    **settings: Any,
) -> Json:
    """A workflow whose triggers, (type, parameters, id `trigger<N>`), lead to one value and then,
    one after the other, to `nodes`, (type, parameters)."""
    drawing: list[Json] = [{"id": "last", "type": "data.set", "parameters": {"value": 1}}]
    wires: list[Json] = []
    for number, (kind, parameters, *given) in enumerate(triggers):
        node = given[0] if given else f"trigger{number}"
        drawing.append({"id": node, "type": kind, "parameters": dict(parameters)})
        wires.append(_wire(node, SIGNALS.get(kind, "received"), "last"))
    before = "last"
    for number, (kind, parameters) in enumerate(nodes):
        node = f"node{number}"
        drawing.append({"id": node, "type": kind, "parameters": dict(parameters)})
        wires.append(_wire(before, "done", node))
        before = node
    return {"name": name, "settings": settings, "nodes": drawing, "connections": wires}


def _wire(source: str, port: str, target: str) -> Json:
    return {"sourceId": source, "sourcePort": port, "targetId": target, "targetPort": "run"}


def manifests(*drawings: Json) -> list[Manifest]:
    """The manifests of some workflows, which must compile."""
    source = parse(json.dumps({"components": list(drawings)}))
    return [compiled.manifest for compiled in compile_source(source)]


def planned(*drawings: Json, vars: Mapping[str, Any] | None = None) -> tuple[Plan, list[Finding]]:
    """The plan of a project `shop` with some workflows, and what was found."""
    return make_plan("shop", vars or {}, 30, manifests(*drawings))


def function(*drawings: Json, vars: Mapping[str, Any] | None = None) -> Function:
    """The function of the first of some workflows, in which nothing is wrong."""
    plan, findings = planned(*drawings, vars=vars)
    assert not findings, [(each.code, each.message) for each in findings]
    slugs = {each.workflow: each for each in plan.functions}
    return slugs[drawings[0]["name"]]


def write_project(directory: Path, *drawings: Json, **spec: Any) -> Project:
    """A project of some workflows, compiled."""
    (directory / "workflows").mkdir(parents=True)
    (directory / "nodegx.json").write_text(json.dumps({"name": "shop", **spec}))
    for drawing in drawings:
        name = drawing["name"].rpartition("/")[2]
        (directory / "workflows" / f"{name}.json").write_text(json.dumps(drawing, indent=2))
    return compiled(directory)


def compiled(directory: Path) -> Project:
    """The project in a directory, compiled."""
    report = build_project(directory, jobs=1)
    assert report.ok, [each.message for each in report.diagnostics]
    return load_project(directory)


def manifests_of(project: Project) -> list[Manifest]:
    """The manifests of a compiled project."""
    found = sorted(project.build.glob("*/manifest.json"))
    return [Manifest.model_validate_json(path.read_bytes()) for path in found]
