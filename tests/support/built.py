"""Writes compiled workflows by hand, in the shape the compiler gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ORDERS = """
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, json

ORDER = Node("order", "trigger.webhook")
VALIDATE = Node("validate", "data.json")
LARGE = Node("large", "logic.if")
INVOICE = Node("invoice", "data.set")
REVIEW = Node("review", "data.set")
REJECT = Node("reject", "cloud.response")
CONFIRM = Node("confirm", "cloud.response")
ACCEPT = Node("accept", "cloud.response")

SCHEMA = {
    "type": "object",
    "required": ["id", "total", "card"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "total": {"type": "number", "exclusiveMinimum": 0},
        "card": {"type": "string"},
    },
}


@workflow("/#__cloud__/ProcessOrder", timeout=30.0, concurrency=200, redact=("$..card",))
async def process_order(run: Run) -> None:
    order = run.trigger
    try:
        await run.step(VALIDATE, json.validate, order.body, schema=SCHEMA)
    except Exception as exc:
        validate_error = run.caught(VALIDATE, exc)
        await run.respond(REJECT, status=422, body={"error": validate_error.message})
        return
    if run.branch(LARGE, order.body["total"] > 100):
        review = await run.step(REVIEW, data.set, {"order": order.body["id"], "review": True})
        await run.respond(ACCEPT, status=201, body=review)
    else:
        invoice = await run.step(
            INVOICE,
            data.set,
            {"order": order.body["id"], "total": order.body["total"], "terms": "net 30"},
        )
        await run.respond(CONFIRM, status=200, body=invoice)
"""


def write_workflow(
    build: Path,
    name: str,
    handler: str,
    triggers: list[dict[str, Any]],
    *,
    responds: bool = True,
    revision: str = "1",
    **settings: Any,
) -> Path:
    """Writes one workflow below `build` and returns its folder.

    Args:
        build: the build directory.
        name: the workflow's name; its last part in lower case is the folder.
        handler: the module's text.
        triggers: as the manifest has them.
        responds: whether it has a response node.
        revision: changes when the workflow does.
        settings: further settings in the manifest.
    """
    folder = build / name.rpartition("/")[2].lower()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "handler.py").write_text(handler)
    manifest = {
        "formatVersion": 1,
        "name": name,
        "slug": folder.name,
        "revision": revision,
        "settings": settings,
        "triggers": triggers,
        "nodes": [],
        "connections": [],
        "responds": responds,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def simple(
    name: str,
    body: str,
    *,
    trigger: str = "trigger.webhook",
    options: str = "",
) -> str:
    """The text of a handler whose trigger is called `start` and whose statements are `body`.

    Args:
        name: the workflow's name.
        body: statements, indented by four spaces; `respond`, `wait` and `emit` are nodes.
        trigger: type of the trigger.
        options: further arguments of `@workflow`, such as `, timeout=1.0`.
    """
    return f'''
from nodegx.runtime import Node, Run, workflow

START = Node("start", "{trigger}")
RESPOND = Node("respond", "cloud.response")
WAIT = Node("wait", "logic.wait")
EMIT = Node("emit", "workflow.emit")
CALL = Node("call", "workflow.call")


@workflow("{name}"{options})
async def handler(run: Run) -> None:
    start = run.trigger
{body}
'''


def webhook(path: str, **config: Any) -> dict[str, Any]:
    """A webhook trigger called `start`."""
    return {"node": "start", "type": "trigger.webhook", "config": {"path": path, **config}}


def manual(**config: Any) -> dict[str, Any]:
    """A manual trigger called `start`."""
    return {"node": "start", "type": "trigger.manual", "config": config}


def listener(event: str, **config: Any) -> dict[str, Any]:
    """An event trigger called `start`."""
    return {"node": "start", "type": "trigger.event", "config": {"event": event, **config}}
