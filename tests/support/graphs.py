"""Small workflows for tests of single stages, written as wires.

`wires` reads `a b > c d`: from the first output of a and of b to c and to d; `a.port` names an
output, `;` separates paths.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from nodegx.compiler.check import check
from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError
from nodegx.compiler.graph import Graph
from nodegx.compiler.lower import lower
from nodegx.compiler.pipeline import Compiled, compile_source
from nodegx.compiler.read import parse

Document = dict[str, Any]

FIRST_OUTPUT = {
    "trigger.manual": "started",
    "trigger.webhook": "received",
    "trigger.event": "received",
    "trigger.schedule": "fired",
    "logic.forEach": "completed",
}


def node(id: str, type: str, **parameters: Any) -> Document:
    """A node; further keys of the node itself go into `more`."""
    more = parameters.pop("more", {})
    return {"id": id, "type": type, "parameters": parameters, **more}


def put(id: str, value: Any = 0) -> Document:
    """A step without a context of its own."""
    return node(id, "data.set", value=value)


def when(id: str, condition: Any = "{{ start.n > 1 }}") -> Document:
    return node(id, "logic.if", condition=condition)


def document(wires: str, *nodes: Document, settings: Mapping[str, Any] | None = None) -> Document:
    """A workflow. `start` is a manual trigger unless it is given; other names that only the wires
    mention are steps."""
    known = {each["id"]: each for each in nodes}
    if "start" not in known:
        known = {"start": node("start", "trigger.manual"), **known}
    connections: list[Document] = []
    for path in wires.split(";"):
        groups = [group.split() for group in path.split(">")]
        for sources, targets in pairwise(groups):
            for source in sources:
                for target in targets:
                    _connect(source, target, known, connections)
    return {
        "name": "/#__cloud__/Drawn",
        "settings": dict(settings or {}),
        "nodes": list(known.values()),
        "connections": connections,
    }


def _connect(
    source: str, target: str, known: dict[str, Document], connections: list[Document]
) -> None:
    id, _, port = source.partition(".")
    goal = target.partition(".")[0]
    for name in (id, goal):
        known.setdefault(name, put(name))
    connections.append(
        {
            "sourceId": id,
            "sourcePort": port or FIRST_OUTPUT.get(known[id]["type"], "done"),
            "targetId": goal,
            "targetPort": "run",
        }
    )


def data_wire(drawn: Document, source: str, target: str) -> Document:
    """The workflow with one more wire, of data."""
    (source_id, source_port), (target_id, target_port) = source.split("."), target.split(".")
    wire = {
        "sourceId": source_id,
        "sourcePort": source_port,
        "targetId": target_id,
        "targetPort": target_port,
    }
    return {**drawn, "connections": [*drawn["connections"], wire]}


def graph(drawn: Document) -> Graph:
    """The lowered workflow."""
    checked = check(parse(json.dumps(drawn)))
    return lower(checked.workflows[0], checked.source)


def compiled(drawn: Document) -> Compiled:
    """The compiled workflow."""
    return compile_source(parse(json.dumps(drawn)))[0]


def body(drawn: Document) -> str:
    """The handler function's own lines."""
    text = compiled(drawn).handler
    return text[text.index("async def drawn(") :].partition("\n")[2].rstrip("\n")


def findings(drawn: Document) -> list[Diagnostic]:
    """What is wrong with a workflow."""
    try:
        compiled(drawn)
    except DiagnosticError as error:
        return error.diagnostics
    return []
