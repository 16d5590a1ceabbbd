"""The manifest says what a host has to know."""

from __future__ import annotations

import json
from typing import Any

from nodegx.compiler.manifest import Manifest
from nodegx.compiler.pipeline import compile_source
from nodegx.compiler.read import parse

from tests.support.graphs import compiled, document, node, put

HOOK = node(
    "start",
    "trigger.webhook",
    method="POST",
    path="/orders",
    auth={"type": "apiKey", "key": "{{ secrets.SHOP_KEY }}"},
)


def manifest(wires: str, *nodes: dict[str, Any], **settings: Any) -> Manifest:
    return compiled(document(wires, *nodes, settings=settings)).manifest


def test_it_survives_its_own_file() -> None:
    made = manifest("start > a", HOOK, timeout="30s", history={"redact": ["$..card"]})
    text = made.to_text()
    assert Manifest.model_validate_json(text) == made
    data = json.loads(text)
    assert data["formatVersion"] == 1
    assert data["handler"] == {"module": "handler", "function": "drawn"}
    assert data["settings"]["redact"] == ["$..card"]


def test_triggers_keep_references_to_secrets() -> None:
    (trigger,) = manifest("start > a", HOOK).triggers
    assert (trigger.node, trigger.type) == ("start", "trigger.webhook")
    assert trigger.config["path"] == "/orders"
    assert trigger.config["auth"]["key"] == {"$secret": "SHOP_KEY"}


def test_names_that_expressions_read() -> None:
    made = manifest(
        "start > a",
        node("v", "data.value", value="{{ vars.rate }}"),
        put("a", ["{{ secrets.KEY }}", "{{ env.REGION }}", "{{ v }}", "{{ vars['url'] }}"]),
    )
    assert (made.secrets, made.env, made.vars) == (["KEY"], ["REGION"], ["rate", "url"])


def test_other_workflows_and_events() -> None:
    made = manifest(
        "start > a > b; heard > a",
        node("start", "trigger.manual"),
        node("heard", "trigger.event", event="order.*"),
        node("a", "workflow.call", workflow="/#__cloud__/Other"),
        node("b", "workflow.emit", event="order.done"),
        onError="/#__cloud__/Ops",
    )
    assert made.calls == ["/#__cloud__/Ops", "/#__cloud__/Other"]
    assert made.emits == ["order.done"]
    assert made.listens == ["order.*"]


def test_packages() -> None:
    made = manifest(
        "start > a > b",
        node("a", "code.python", code="return 1", packages=["numpy>=2"]),
        node("b", "data.json", operation="extract", value=1, path="$.a"),
    )
    assert made.packages == ["numpy>=2", "python-jsonpath"]


def test_responses_and_waits() -> None:
    assert not manifest("start > a").responds
    assert manifest("start > a", node("a", "cloud.response")).responds
    short = manifest("start > a", node("a", "logic.wait", duration="5s"))
    assert (short.suspends, short.settings.durable) == (False, False)
    long = manifest("start > a", node("a", "logic.wait", duration="2h"))
    assert (long.suspends, long.settings.durable) == (True, True)


def test_nodes_know_their_lines() -> None:
    one = compiled(document("start > a > b", put("a")))
    lines = one.handler.splitlines()
    by_id = {entry.id: entry for entry in one.manifest.nodes}
    assert "run.step(A" in lines[(by_id["a"].line or 0) - 1]
    assert "run.step(B" in lines[(by_id["b"].line or 0) - 1]
    assert by_id["start"].line is None


def test_the_revision_follows_the_workflow_alone() -> None:
    drawn = document("start > a")
    first = compiled(drawn).manifest.revision
    spaced = compile_source(parse(json.dumps(drawn, indent=4)))[0].manifest.revision
    assert first == spaced
    assert first != compiled(document("start > b")).manifest.revision
