"""Projects on disk for tests of what happens after compiling."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def copy_example(name: str, target: Path) -> Path:
    """Copies an example without what was built from it; returns `target`."""
    ignored = shutil.ignore_patterns("build", ".nodegx", "__pycache__", "stacks")
    return Path(shutil.copytree(EXAMPLES / name, target, ignore=ignored))


def write_project(
    root: Path, *workflows: Mapping[str, Any], name: str = "shop", **settings: Any
) -> Path:
    """Writes a project of some workflows; returns `root`."""
    (root / "workflows").mkdir(parents=True, exist_ok=True)
    (root / "nodegx.json").write_text(json.dumps({"name": name, **settings}))
    for workflow in workflows:
        file = f"{str(workflow['name']).rpartition('/')[2].lower()}.json"
        (root / "workflows" / file).write_text(json.dumps(workflow, indent=2))
    return root


def chain(name: str, *nodes: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """A workflow whose nodes follow one another; triggers come first, and the first node that is
    none follows each of them."""
    listed = [dict(node) for node in nodes]
    triggers = [node for node in listed if _is_trigger(node)]
    steps = [node for node in listed if not _is_trigger(node)]
    pairs = [
        (trigger, _SIGNALS[trigger["type"]], step) for trigger in triggers for step in steps[:1]
    ]
    pairs += [(one, "done", other) for one, other in pairwise(steps)]
    return {
        "name": name,
        "settings": settings,
        "nodes": listed,
        "connections": [_wire(one["id"], port, other["id"]) for one, port, other in pairs],
    }


def node(id: str, type: str, **parameters: Any) -> dict[str, Any]:
    """A node."""
    return {"id": id, "type": type, "parameters": parameters}


def manual(name: str, value: Any = 1, **settings: Any) -> dict[str, Any]:
    """A workflow that is started by hand and answers with `value`."""
    start = node("start", "trigger.manual")
    return chain(name, start, node("answer", "cloud.response", body=value), **settings)


def names(found: Iterable[Any]) -> list[str]:
    """The slugs of what was made, sorted."""
    return sorted(each.slug for each in found)


def _is_trigger(node: Mapping[str, Any]) -> bool:
    return node["type"] in _SIGNALS


def _wire(source: str, port: str, target: str) -> dict[str, str]:
    return {"sourceId": source, "sourcePort": port, "targetId": target, "targetPort": "run"}


_SIGNALS = {
    "trigger.manual": "started",
    "trigger.webhook": "received",
    "trigger.schedule": "fired",
    "trigger.event": "received",
    "trigger.queue": "received",
    "trigger.file": "received",
    "trigger.record": "received",
    "cloud.request": "received",
}
