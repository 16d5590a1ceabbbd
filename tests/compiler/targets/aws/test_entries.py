"""`entry.py`."""

from __future__ import annotations

from typing import Any

import pytest
from nodegx.compiler.targets.aws.entries import entry
from nodegx.compiler.targets.aws.planning import make_plan

from tests.support.manifests import drawn, manifests

RESPONSE = ("cloud.response", {"body": 1})


def text(
    *triggers: tuple[str, dict[str, Any]], name: str = "/#__cloud__/Flow", **given: Any
) -> str:
    (manifest,) = manifests(drawn(name, *triggers, **given))
    plan, _ = make_plan("shop", {}, 30, [manifest])
    return entry(manifest, plan.functions[0])


def handler(*triggers: tuple[str, dict[str, Any]], **given: Any) -> str:
    return bound(text(*triggers, **given))


def bound(entry: str) -> str:
    """What `handler` is in the text of an entry."""
    return entry.partition("handler = ")[2].partition("gc.freeze()")[0].strip()


def test_a_whole_entry() -> None:
    assert text(("trigger.manual", {})) == (
        '"""AWS Lambda entry of Flow: `entry.handler`.\n\n'
        "Compiled by nodegx from workflow.json. Edit the workflow, not this file.\n"
        "Nothing that a cold start makes is garbage, and its bytecode could be written nowhere.\n"
        '"""\n\n'
        "import gc\n"
        "import sys\n\n"
        "gc.disable()\n"
        "sys.dont_write_bytecode = True\n"
        "from handler import flow\n"
        "from nodegx.runtime.aws.entry import manual\n\n"
        'handler = manual(flow, "trigger0")\n'
        "gc.freeze()\n"
        "gc.enable()\n"
    ).replace("workflow.json", _source())


def _source() -> str:
    (manifest,) = manifests(drawn("/A", ("trigger.manual", {})))
    return manifest.source


@pytest.mark.parametrize(
    ("kind", "parameters", "expected"),
    [
        ("trigger.schedule", {"every": "1h"}, 'schedule(flow, "trigger0")'),
        (
            "trigger.schedule",
            {"every": "1h", "timezone": "Asia/Tokyo"},
            'schedule(flow, "trigger0", {"timezone": "Asia/Tokyo"})',
        ),
        ("trigger.event", {"event": "a.*"}, 'event(flow, "trigger0")'),
        ("trigger.queue", {"queue": "q"}, 'queue(flow, "trigger0")'),
        ("trigger.file", {"bucket": "b"}, 'file(flow, "trigger0")'),
        ("trigger.record", {"table": "t"}, 'record(flow, "trigger0")'),
        (
            "trigger.record",
            {"table": "t", "events": "insert"},
            'record(flow, "trigger0", {"events": "insert"})',
        ),
    ],
)
def test_adapters(kind: str, parameters: dict[str, Any], expected: str) -> None:
    assert handler((kind, parameters)) == expected


def test_filters_are_checked_again_by_the_function() -> None:
    comparison = {"path": "a", "op": "equals", "value": 1}
    found = handler(("trigger.event", {"event": "a", "filter": [comparison]}))
    assert eval(found, {"event": lambda *args: args, "flow": 0}) == (
        0,
        "trigger0",
        {"event": "a", "filter": [comparison]},
    )


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("trigger.event", {"event": "a"}),
        ("trigger.queue", {"queue": "q"}),
        ("trigger.file", {"bucket": "b"}),
        ("trigger.record", {"table": "t"}),
        ("trigger.manual", {}),
    ],
)
def test_how_repeats_are_told(kind: str, parameters: dict[str, Any]) -> None:
    key = "{{ trigger0 }}" if kind == "trigger.manual" else "{{ trigger0.REPLACE }}"
    output = {"event": "id", "queue": "id", "file": "key", "record": "keys"}
    key = key.replace("REPLACE", output.get(kind.rpartition(".")[2], ""))
    repeats = {"key": key, "window": "1h"}
    found = text((kind, {**parameters, "idempotency": repeats}))
    assert "from nodegx.runtime.aws.idempotent import once\n" in found
    adapter = kind.rpartition(".")[2]
    names = {adapter: lambda *args: args, "flow": 0, "once": lambda bound: ("once", bound)}
    settings = {"window": 3600, "onRepeat": "wait", "hasKey": True}
    assert eval(bound(found), names) == (
        "once",
        (0, "trigger0", {"idempotency": settings}),
    )


def test_only_triggers_that_tell_repeats_are_bound_once() -> None:
    keyed = {"path": "/a", "idempotency": {"required": True}}
    found = text(("trigger.webhook", keyed), ("trigger.manual", {}), name="/#__cloud__/Once")
    assert "from handler import once as workflow\n" in found
    assert "handler = bound(\n    once(\n        http(" in found
    assert '    manual(workflow, "trigger1"),\n' in found


def test_http() -> None:
    found = handler(("trigger.webhook", {"path": "/a"}))
    config = {"method": "POST", "path": "/a", "maxBodyBytes": 1_000_000, "bodyType": "auto"}
    assert eval(found, {"http": lambda *args, **named: (args, named), "flow": 0}) == (
        (0, "trigger0", config),
        {"responds": False},
    )
    answered = handler(("trigger.webhook", {"path": "/a"}), nodes=[RESPONSE])
    assert "responds" not in answered
    assert handler(("cloud.request", {})).startswith("request(")


def test_several_triggers() -> None:
    found = text(("trigger.manual", {}), ("trigger.schedule", {"every": "1h"}))
    assert "from nodegx.runtime.aws.entry import bound, manual, schedule" in found
    assert 'handler = bound(manual(flow, "trigger0"), schedule(flow, "trigger1"))' in found


@pytest.mark.parametrize("name", ["Bound", "Handler", "Event"])
def test_workflows_with_the_name_of_an_adapter(name: str) -> None:
    found = text(("trigger.event", {"event": "a"}), name=f"/#__cloud__/{name}")
    assert f"from handler import {name.lower()} as workflow\n" in found
    assert 'handler = event(workflow, "trigger0")' in found


def test_secrets_stay_references() -> None:
    auth = {"type": "apiKey", "key": "{{ secrets.KEY }}"}
    assert '"key": {"$secret": "KEY"}' in text(("trigger.webhook", {"path": "/a", "auth": auth}))
