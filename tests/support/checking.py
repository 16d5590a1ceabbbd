"""Small workflows, and what the checker makes of them."""

import json
from typing import Any

import pytest
from nodegx.compiler.check import check
from nodegx.compiler.checked import CheckedWorkflow
from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError
from nodegx.compiler.project import Project
from nodegx.compiler.read import parse

START = {"id": "start", "type": "trigger.manual"}
Json = dict[str, Any]


def wire(source: str, target: str) -> dict[str, str]:
    """`a.done` to `b.run` from "a.done", "b"; a data wire from "a.value", "b.input"."""
    source_id, source_port = source.split(".")
    target_id, _, target_port = target.partition(".")
    return {
        "sourceId": source_id,
        "sourcePort": source_port,
        "targetId": target_id,
        "targetPort": target_port or "run",
    }


def workflow(*nodes: Json, wires: list[dict[str, str]] | None = None, **more: Any) -> Json:
    return {"name": "/#__cloud__/Test", "nodes": list(nodes), "connections": wires or [], **more}


def checked(data: Json, project: Project | None = None) -> CheckedWorkflow:
    return check(parse(json.dumps(data)), project).workflows[0]


def refused(data: Any, project: Project | None = None) -> list[Diagnostic]:
    with pytest.raises(DiagnosticError) as caught:
        check(parse(json.dumps(data)), project)
    return caught.value.diagnostics
