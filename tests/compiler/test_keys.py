"""Idempotency keys: functions beside the handler, made of what the trigger brings alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.loader import load
from nodegx.runtime.triggers.request import WebhookRequest

from tests.support.graphs import Document, compiled, document, findings, node


def hook(**idempotency: Any) -> Document:
    return node("order", "trigger.webhook", path="/o", idempotency=idempotency)


def drawn(key: str, *others: Document) -> Document:
    made = document("order > end", hook(key=key), *others)
    made["nodes"] = [each for each in made["nodes"] if each["id"] != "start"]
    return made


def key_of(one: Document, directory: Path) -> Any:
    """The key function of the webhook, from the loaded handler."""
    for name, content in compiled(one).files().items():
        (directory / name).write_bytes(content)
    return load(directory).keys["order"]


def request(body: Any, **headers: str) -> WebhookRequest:
    return WebhookRequest("POST", "/o", {}, {}, headers, body, "http://x/o", "127.0.0.1")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("{{ order.body.id }}", 7),
        ("{{ order.headers.shop }}-{{ order.body.id }}", "berlin-7"),
        ("{{ nodes['order'].body['id'] }}", 7),
        ("{{ upper(order.headers.shop) }}", "BERLIN"),
        ("{{ json(order.body) }}", '{"id":7}'),
        ("{{ [line for line in order.body] }}", ["id"]),
    ],
)
def test_keys_are_functions_of_the_trigger(key: str, value: Any, tmp_path: Path) -> None:
    assert key_of(drawn(key), tmp_path)(request({"id": 7}, shop="berlin")) == value


def test_keys_of_several_triggers(tmp_path: Path) -> None:
    start = node("start", "trigger.manual", idempotency={"key": "{{ start.n }}"})
    one = document("order start > end", hook(key="{{ order.body }}"), start)
    assert set(load_all(one, tmp_path)) == {"order", "start"}
    assert load_all(one, tmp_path)["start"]({"n": 3}) == 3


def load_all(one: Document, directory: Path) -> Any:
    for name, content in compiled(one).files().items():
        (directory / name).write_bytes(content)
    return load(directory).keys


def test_the_header_needs_no_function() -> None:
    one = compiled(document("order > end", hook(required=True)))
    assert "keys=" not in one.handler


def config(**idempotency: Any) -> Any:
    return compiled(document("order > end", hook(**idempotency))).manifest.triggers[-1].config


def test_the_manifest_has_the_rest_with_its_defaults() -> None:
    default = {"required": False, "window": 86_400, "onRepeat": "wait", "hasKey": False}
    assert config()["idempotency"] == default
    given = config(key="{{ order.body.id }}", window="1h", onRepeat="conflict")
    assert given["idempotency"] == {
        "required": False,
        "window": 3600.0,
        "onRepeat": "conflict",
        "hasKey": True,
    }
    start = node("start", "trigger.manual", idempotency={"key": "{{ start.n }}"})
    (trigger,) = compiled(document("start > end", start)).manifest.triggers
    assert trigger.config["idempotency"] == {"window": 86_400, "onRepeat": "wait", "hasKey": True}


def test_triggers_without_it_have_none_of_it() -> None:
    one = compiled(document("start > end"))
    assert "idempotency" not in one.manifest.triggers[0].config
    assert "keys=" not in one.handler


@pytest.mark.parametrize(
    ("key", "code", "word"),
    [
        ("{{ secrets.KEY }}{{ order.body }}", "NX401", "`secrets` cannot be read in a key"),
        ("{{ vars.shop }}{{ order.body }}", "NX401", "`vars` cannot be read in a key"),
        ("{{ env.SHOP }}{{ order.body }}", "NX401", "`env` cannot be read in a key"),
        ("{{ execution.id }}", "NX401", "`execution` cannot be read in a key"),
        ("{{ item }}{{ order.body }}", "NX401", "`item` cannot be read in a key"),
        ("{{ now() }}{{ order.body }}", "NX401", "a key must come out the same"),
        ("{{ uuid() }}", "NX401", "the same for everything"),
        ("{{ 1 + 1 }}", "NX401", "the same for everything"),
        ("{{ end }}", "NX404", "`end` has no value yet"),
        ("{{ nodes['end'] }}", "NX401", "there is no node with the id 'end'"),
        ("{{ ordr.body }}", "NX401", "unknown name `ordr`"),
        ("{{ order.bdy }}", "NX401", "`order` has no port 'bdy'"),
        ("{{ resumeUrl('end') }}{{ order.body }}", "NX401", "there is no wait 'end' here"),
    ],
)
def test_what_keys_cannot_be_made_of(key: str, code: str, word: str) -> None:
    (found,) = findings(drawn(key))
    assert (found.code, found.node) == (code, "order")
    assert found.pointer[-3:] == ("parameters", "idempotency", "key")
    assert word in found.message
    assert found.hint
