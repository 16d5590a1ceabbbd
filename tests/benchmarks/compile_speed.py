"""How long compiling takes: 1,000 workflows from nothing, 1,000 unchanged, and the command's own
start. Each is the wall time of a real `nodegx` process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.row import Row

NODEGX = str(Path(sys.executable).with_name("nodegx"))
COUNT = 1_000
COLD_LIMIT = 20.0
UNCHANGED_LIMIT = 1.0
START_LIMIT = 0.15


def measure(count: int = COUNT) -> list[Row]:
    """Seconds for each; `count` workflows."""
    directory = Path(tempfile.mkdtemp(prefix="nodegx-bench-"))
    try:
        make_project(directory, count)
        cold = seconds("compile", cwd=directory)
        written = len(list((directory / "build").glob("*/handler.py")))
        if written != count:
            raise RuntimeError(f"{written} of {count} workflows were compiled")
        unchanged = min(seconds("compile", cwd=directory) for _ in range(3))
    finally:
        shutil.rmtree(directory)
    start = min(seconds("--help", cwd=Path.cwd()) for _ in range(5))
    scale = count / COUNT
    return [
        Row(f"compile {count:,} workflows, nothing built", cold, "s", limit=COLD_LIMIT * scale),
        Row(f"compile {count:,} unchanged workflows", unchanged, "s", limit=UNCHANGED_LIMIT),
        Row("nodegx --help", start, "s", limit=START_LIMIT),
    ]


def seconds(*arguments: str, cwd: Path) -> float:
    """Wall time of a `nodegx` command that has to succeed."""
    started = time.perf_counter()
    subprocess.run([NODEGX, *arguments], cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def make_project(directory: Path, count: int) -> None:
    """A project of `count` workflows of fourteen nodes: an endpoint that validates, loops, branches,
    calls a service and answers. No two are the same."""
    (directory / "workflows").mkdir()
    (directory / "nodegx.json").write_text(
        '{"name": "bench", "vars": {"pay": "http://pay.example"}}'
    )
    for number in range(count):
        path = directory / "workflows" / f"order-{number:04}.json"
        path.write_text(json.dumps(workflow(number), indent=2))


def workflow(number: int) -> dict[str, Any]:
    """The `number`th workflow."""
    nodes = [
        node("order", "trigger.webhook", method="POST", path=f"/shop{number}/orders"),
        node(
            "validate",
            "data.json",
            operation="validate",
            value="{{ order.body }}",
            schema={
                "type": "object",
                "required": ["id", "items"],
                "properties": {"items": {"type": "array"}, "id": {"type": "string"}},
            },
        ),
        node("lines", "logic.forEach", items="{{ order.body.items }}", concurrency=4),
        node(
            "price",
            "data.set",
            value={"sku": "{{ item.sku }}", "total": "{{ item.price * item.count }}"},
        ),
        node("total", "data.set", value="{{ sum([line.total for line in lines.results]) }}"),
        node("large", "logic.if", condition=f"{{{{ total > {number} }}}}"),
        node(
            "charge",
            "http.request",
            method="POST",
            url="{{ vars.pay }}/charges",
            json={"order": "{{ order.body.id }}", "amount": "{{ round(total * 100) }}"},
        ),
        node("accept", "cloud.response", status=201, body={"charge": "{{ charge.body.id }}"}),
        node("refuse", "cloud.response", status=502, body={"error": "{{ charge.error.message }}"}),
        node(
            "tier",
            "logic.switch",
            value="{{ order.body.tier }}",
            cases=[{"name": "gold", "value": "G"}, {"name": "silver", "value": "S"}],
        ),
        node("invoice", "data.set", value={"terms": "{{ 30 if total else 0 }}", "n": number}),
        node("confirm", "cloud.response", status=200, body="{{ invoice }}"),
        node("reject", "cloud.response", status=422, body={"error": "invalid"}),
    ]
    wires = [
        ("order", "received", "validate"),
        ("validate", "done", "lines"),
        ("validate", "failure", "reject"),
        ("lines", "iteration", "price"),
        ("lines", "completed", "total"),
        ("total", "done", "large"),
        ("large", "true", "charge"),
        ("charge", "done", "accept"),
        ("charge", "failure", "refuse"),
        ("large", "false", "tier"),
        ("tier", "gold", "invoice"),
        ("tier", "silver", "invoice"),
        ("tier", "default", "confirm_only"),
        ("invoice", "done", "confirm"),
    ]
    nodes.append(node("confirm_only", "cloud.response", status=204))
    return {
        "name": f"/#__cloud__/Order{number:04}",
        "settings": {"timeout": 30},
        "nodes": nodes,
        "connections": [
            {"sourceId": a, "sourcePort": port, "targetId": b, "targetPort": "run"}
            for a, port, b in wires
        ],
    }


def node(id: str, type: str, **parameters: Any) -> dict[str, Any]:
    """A node; `parameters` as in the workflow file."""
    return {"id": id, "type": type, "label": id.title(), "parameters": parameters, "x": 0, "y": 0}
