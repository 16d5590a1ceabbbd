from __future__ import annotations

from typing import Any

import pytest
from nodegx.runtime.idempotency.settings import DAY, Settings, read
from nodegx.runtime.triggers.problem import ConfigError
from nodegx.runtime.triggers.route import build


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        ({}, None),
        ({"idempotency": None}, None),
        ({"idempotency": {}}, Settings(DAY, True, False)),
        ({"idempotency": {"window": 60, "onRepeat": "conflict"}}, Settings(60.0, False, False)),
        ({"idempotency": {"window": "7d", "required": True}}, Settings(7 * DAY, True, True)),
        ({"idempotency": {"hasKey": True, "required": None}}, Settings()),
    ],
)
def test_settings_are_read(config: dict[str, Any], settings: Settings | None) -> None:
    assert read(config) == settings
    route = build("/A", "start", "trigger.webhook", {"path": "/a", **config}, {})
    assert route.idempotency == settings


@pytest.mark.parametrize("given", [[], "yes", {"onRepeat": "ignore"}, {"window": "soon"}])
def test_settings_that_cannot_work_are_named(given: Any) -> None:
    with pytest.raises(ConfigError, match="idempotency"):
        read({"idempotency": given})
