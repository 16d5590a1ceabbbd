"""What the declaration of logic.wait says beyond single fields, and what it promises."""

from __future__ import annotations

from typing import Any

import pytest
from nodegx.runtime import waiting
from nodegx.runtime.catalog import CATALOG
from nodegx.runtime.catalog.types import Param


def found(path: str) -> Param:
    """The parameter at a path of names, through objects and the elements of lists."""
    first, *rest = path.split(".")
    param = CATALOG["logic.wait"].param(first)
    for name in rest:
        assert param is not None
        param = (param.items or param).field(name)
    assert param is not None
    return param


def fault(path: str, value: Any) -> str | None:
    param = found(path)
    param = param.items or param
    assert param.check is not None
    return param.check(value)


def test_intervals_are_those_of_the_runtime() -> None:
    defaults = [found(f"poll.{name}").default for name in ("interval", "backoff", "maxInterval")]
    assert defaults == [waiting.INTERVAL, waiting.BACKOFF, waiting.MAX_INTERVAL]


@pytest.mark.parametrize(
    "poll",
    [
        {"url": "https://a.example", "json": {}, "interval": 5},
        {"workflow": "/A", "input": 1},
        {"interval": 60},
        {},
    ],
)
def test_polls(poll: dict[str, Any]) -> None:
    assert fault("poll", poll) is None


@pytest.mark.parametrize(
    ("poll", "word"),
    [
        ({"workflow": "/A", "url": "https://a.example"}, "exclude"),
        ({"workflow": "/A", "headers": {}}, "exclude"),
        ({"input": 1}, "workflow"),
        ({"method": "POST"}, "url"),
        ({"url": "https://a.example", "json": 1, "body": "x"}, "both"),
    ],
)
def test_polls_that_contradict_themselves(poll: dict[str, Any], word: str) -> None:
    assert word in (fault("poll", poll) or "")


@pytest.mark.parametrize(
    ("webhook", "fits"),
    [
        ({}, True),
        ({"method": ["GET", "PUT"]}, True),
        ({"form": {}}, True),
        ({"form": {}, "method": "POST"}, True),
        ({"form": {}, "method": ["POST"]}, True),
        ({"form": {}, "method": "GET"}, False),
        ({"form": {}, "method": ["POST", "PUT"]}, False),
    ],
)
def test_a_form_is_sent_by_post(webhook: dict[str, Any], fits: bool) -> None:
    assert (fault("webhook", webhook) is None) is fits


def test_names_in_a_form_are_different() -> None:
    twice = [{"name": "a"}, {"name": "b"}, {"name": "a"}]
    assert "`a`" in (fault("webhook.form", {"fields": twice}) or "")
    assert fault("webhook.form", {"fields": twice[:2]}) is None
    actions = [{"value": "yes"}, {"value": "yes", "label": "Yes!"}]
    assert "`yes`" in (fault("webhook.form", {"actions": actions}) or "")


def test_a_choice_needs_its_choices() -> None:
    fields = "webhook.form.fields"
    assert fault(fields, {"name": "a", "type": "choice", "choices": [1]}) is None
    assert fault(fields, {"name": "a"}) is None
    assert fault(fields, {"name": "a", "type": "choice"})
    assert fault(fields, {"name": "a", "choices": [1]})


def test_a_key_leaves_no_header_that_could_be_required() -> None:
    header = CATALOG["trigger.webhook"].param("idempotency")
    assert header is not None
    assert header.check is not None
    assert header.check({"required": True}) is None
    assert header.check({"key": "{{ a }}"}) is None
    assert header.check({"key": "{{ a }}", "required": True})


def test_every_trigger_without_a_timetable_can_tell_repeats() -> None:
    without = {
        node.type
        for node in CATALOG.values()
        if node.kind == "trigger" and node.param("idempotency") is None
    }
    assert without == {"trigger.schedule"}
