from __future__ import annotations

from typing import Any

import pytest
from nodegx.runtime.triggers.events import Event, subscription
from nodegx.runtime.triggers.problem import ConfigError

DATA = {"customer": {"tier": "gold"}, "total": 120, "tags": ["new", "eu"], "paid": True, "n": None}


def event(name: str = "order.created", data: Any = DATA) -> Event:
    return Event(name, data, "id", "2026-01-01T00:00:00Z", "source")


@pytest.mark.parametrize(
    ("pattern", "name", "takes"),
    [
        ("order.created", "order.created", True),
        ("order.created", "order.created.eu", False),
        ("order.*", "order.created", True),
        ("order.*", "order.created.eu", True),
        ("order.*", "orders", False),
        ("*", "anything", True),
    ],
)
def test_names(pattern: str, name: str, takes: bool) -> None:
    assert subscription({"event": pattern}).takes(event(name)) is takes


@pytest.mark.parametrize(
    ("path", "op", "value", "takes"),
    [
        ("customer.tier", "equals", "gold", True),
        ("customer.tier", "notEquals", "gold", False),
        ("customer.name", "notEquals", "gold", True),
        ("paid", "equals", 1, False),
        ("n", "equals", None, True),
        ("missing", "equals", None, False),
        ("total", "gt", 100, True),
        ("total", "gte", 120, True),
        ("total", "lt", 120, False),
        ("total", "lte", 120, True),
        ("total", "gt", "100", False),
        ("customer.tier", "in", ["gold", "silver"], True),
        ("customer.tier", "in", 3, False),
        ("tags", "contains", "eu", True),
        ("customer.tier", "contains", "ol", True),
        ("total", "contains", 1, False),
        ("customer", "contains", [], False),
        ("tags.0", "startsWith", "ne", True),
        ("tags.9", "exists", None, False),
        ("tags.1", "endsWith", "u", True),
        ("n", "exists", True, True),
        ("missing", "notExists", None, True),
        ("total.deeper", "exists", True, False),
    ],
)
def test_filters(path: str, op: str, value: Any, takes: bool) -> None:
    entry = {"path": path, "op": op, "value": value}
    assert subscription({"event": "*", "filter": [entry]}).takes(event()) is takes


def test_all_filters_must_hold() -> None:
    filters = [{"path": "total", "op": "gt", "value": 1}, {"path": "paid", "value": False}]
    assert not subscription({"event": "*", "filter": filters}).takes(event())
    assert subscription({"event": "*", "filter": filters[:1]}).takes(event())


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"event": " "},
        {"event": "a*b"},
        {"event": "a", "filter": [{"path": "x", "op": "like"}]},
        {"event": "a", "filter": [{"op": "equals"}]},
    ],
)
def test_refuses_what_cannot_work(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        subscription(config)
