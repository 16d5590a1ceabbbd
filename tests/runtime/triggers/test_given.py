"""Trigger values made from JSON that a person gives."""

from __future__ import annotations

from typing import Any

import pytest
from nodegx.runtime.triggers.given import trigger_value
from nodegx.runtime.triggers.inputs import InputError

WEBHOOK = {"method": ["PUT", "POST"], "path": "/orders/{id}"}


@pytest.mark.parametrize(
    "data", [None, 3, [], {"total": 5}, {"url": "https://a.example"}, {"body": 1, "title": "x"}]
)
def test_a_plain_document_is_the_body_of_a_request(data: Any) -> None:
    value = trigger_value("trigger.webhook", WEBHOOK, data)
    assert (value.method, value.path, value.body) == ("PUT", "/orders/{id}", data)
    assert (value.query, value.params, value.headers) == ({}, {}, {})


def test_parts_of_a_request_can_be_spelled_out() -> None:
    data = {"params": {"id": 7}, "headers": {"X-Kind": 1}, "body": {"a": 1}, "method": "POST"}
    value = trigger_value("trigger.webhook", WEBHOOK, data)
    assert value.method == "POST"
    assert (value.path, value.url) == ("/orders/7", "http://localhost/orders/7")
    assert value.headers == {"x-kind": "1"}
    assert value.body == {"a": 1}


def test_declared_parameters_of_a_cloud_request_are_checked() -> None:
    config = {"parameters": [{"name": "count", "type": "integer", "required": True}]}
    value = trigger_value("cloud.request", config, {"count": "3"})
    assert value.parameters == {"count": 3}
    with pytest.raises(InputError, match="count: is required"):
        trigger_value("cloud.request", config, {})
    assert trigger_value("cloud.request", {}, {"x": 1}).parameters == {}


def test_events() -> None:
    config = {"event": "order.*"}
    plain = trigger_value("trigger.event", config, {"id": 1})
    assert (plain.name, plain.data) == ("order.*", {"id": 1})
    whole = trigger_value("trigger.event", config, {"name": "order.created", "data": 5})
    assert (whole.name, whole.data) == ("order.created", 5)


def test_schedules_fire_now_unless_told_otherwise() -> None:
    now = trigger_value("trigger.schedule", {"timezone": "Europe/Berlin"})
    assert now.time == now.scheduled
    assert now.time[-6:] in ("+01:00", "+02:00")
    due = {"scheduled": "2026-01-01T00:00:00+00:00"}
    assert trigger_value("trigger.schedule", {}, due).scheduled == due["scheduled"]


def test_manual_inputs_are_converted() -> None:
    config = {"inputs": [{"name": "n", "type": "number"}, {"name": "t", "default": "x"}]}
    assert trigger_value("trigger.manual", config, {"n": "2.5"}) == {"n": 2.5, "t": "x"}
    assert trigger_value("trigger.manual", {}, [1]) == [1]


def test_messages_files_and_changes() -> None:
    plain = trigger_value("trigger.queue", {"queue": "orders"}, {"total": 5})
    assert (plain.body, plain.attributes, plain.attempt) == ({"total": 5}, {}, 1)
    again = trigger_value("trigger.queue", {}, {"body": "x", "attempt": 2})
    assert (again.body, again.attempt) == ("x", 2)

    by_key = trigger_value("trigger.file", {"bucket": "uploads"}, "in/a.csv")
    assert (by_key.bucket, by_key.key, by_key.event) == ("uploads", "in/a.csv", "created")
    gone = trigger_value("trigger.file", {}, {"key": "a", "event": "removed"})
    assert (gone.key, gone.event, gone.size, gone.etag) == ("a", "removed", 0, "")

    new = trigger_value("trigger.record", {}, {"id": 1})
    assert (new.event, new.new, new.old) == ("insert", {"id": 1}, None)
    changed = trigger_value("trigger.record", {}, {"new": {"n": 2}, "old": {"n": 1}})
    assert (changed.event, changed.new, changed.old) == ("modify", {"n": 2}, {"n": 1})
    assert trigger_value("trigger.record", {}, {"old": {"n": 1}}).event == "remove"


def test_other_triggers_take_the_data_as_it_is() -> None:
    assert trigger_value("trigger.unheard", {}, {"a": 1}) == {"a": 1}
