"""The blocks of README.md that are made from the product itself.

python -m tests.support.readme     rewrites them, the speed table from build/bench.json
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from nodegx.compiler.build.project import build_project

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BENCH = ROOT / "build" / "bench.json"
MISTAKEN = """{
  "name": "/#__cloud__/Refund",
  "nodes": [
    {"id": "order", "type": "trigger.webhook", "parameters": {"path": "/refunds"}},
    {"id": "large", "type": "logic.if", "parameters": {"condition": "{{ order.bdy.total > 100 }}"}},
    {"id": "pay", "type": "http.requst", "parameters": {"url": "https://pay.example"}}
  ],
  "connections": [
    {"sourceId": "order", "sourcePort": "received", "targetId": "large", "targetPort": "run"},
    {"sourceId": "large", "sourcePort": "yes", "targetId": "pay", "targetPort": "run"}
  ]
}
"""


def handler() -> str:
    """The function that the compiler makes of process-order."""
    with tempfile.TemporaryDirectory() as folder:
        build_project(ROOT / "examples/process-order", out=Path(folder), jobs=1)
        text = (Path(folder) / "process_order" / "handler.py").read_text()
    return f"```python\n{text[text.index('@workflow(') :].rstrip()}\n```"


def diagnostics() -> str:
    """What `nodegx check` says about a workflow with mistakes."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "nodegx.json").write_text('{"name": "shop"}')
        (Path(folder) / "workflows").mkdir()
        (Path(folder) / "workflows/refund.json").write_text(MISTAKEN)
        command = [str(Path(sys.executable).with_name("nodegx")), "check"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return f"```\n$ nodegx check\n{(done.stdout + done.stderr).strip()}\n```"


def bench() -> str:
    """The speed table, as last measured here."""
    lines = ["| benchmark | value | compared with | ratio | promise |", "|---|---:|---:|---:|---:|"]
    for row in json.loads(BENCH.read_text()):
        sign = "≥" if row["more_is_better"] else "≤"
        cells = (
            row["name"],
            f"{row['value']:,.4g} {row['unit']}",
            "" if row["baseline"] is None else f"{row['baseline']:,.4g}",
            "" if row["ratio"] is None else f"{row['ratio']:.2f}",
            "" if row["limit"] is None else f"{sign} {row['limit']:g}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


BLOCKS: dict[str, Callable[[], str]] = {"handler": handler, "diagnostics": diagnostics}
"""Blocks that are the same on every machine."""


def block(text: str, name: str) -> str:
    """What stands in a block now."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", text, re.DOTALL)
    assert found, f"README.md has no block {name}"
    return found[1]


def replaced(text: str, name: str, content: str) -> str:
    """The text with another content of a block."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)


def main() -> None:
    """Rewrites all blocks."""
    text = README.read_text()
    for name, make in {**BLOCKS, **({"bench": bench} if BENCH.exists() else {})}.items():
        text = replaced(text, name, make())
    README.write_text(text)


if __name__ == "__main__":
    main()
