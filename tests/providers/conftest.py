"""Fixtures for tests of providers: moto instead of AWS, everything else real."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import ByHand, new_name, write_stack
from tests.support.moto import moto_server
from tests.support.projects import write_project

Deploy = Callable[..., ByHand]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The SDK finds moto, and nothing of the developer's."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name, value in moto_server().environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def by_hand(aws: None, tmp_path: Path) -> Deploy:
    """Writes a project of some workflows and deploys it without the engine."""

    def deploy(*workflows: dict[str, Any], **stack: Any) -> ByHand:
        root = write_project(tmp_path / "project", *workflows, name=new_name())
        write_stack(root, **stack)
        made = ByHand(root)
        made.deploy()
        return made

    return deploy
