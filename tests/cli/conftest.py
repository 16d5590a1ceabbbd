"""Fixtures for tests of the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from nodegx.cli.main import main

if TYPE_CHECKING:
    from tests.support.shop import Shop

Invoke = Callable[..., Result]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of the developer's shell must not change what is tested."""
    for name in (
        "NO_COLOR",
        "FORCE_COLOR",
        "NODEGX_DATABASE_URL",
        "NODEGX_DEBUG",
        "NODEGX_TOKEN",
        "NODEGX_URL",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def nodegx() -> Invoke:
    """Runs the command line in this process: `nodegx("nodes", "logic.if")`."""
    runner = CliRunner()

    def invoke(*arguments: str | Path, input: str | None = None) -> Result:
        return runner.invoke(main, [str(argument) for argument in arguments], input=input)

    return invoke


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the current directory."""
    (tmp_path / "nodegx.json").write_text('{"name": "shop"}')
    (tmp_path / "workflows").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def add_workflow(project: Path) -> Callable[..., Path]:
    """Writes a workflow into the project: a manual start, and an answer that holds `body`."""

    def add(name: str, body: Any = None, file: str | None = None, **settings: Any) -> Path:
        path = project / "workflows" / (file or f"{name.rsplit('/', 1)[-1].lower()}.json")
        path.write_text(json.dumps(answering(name, body, **settings), indent=2))
        return path

    return add


def answering(name: str, body: Any = None, **settings: Any) -> dict[str, Any]:
    """A workflow that answers with `body`; `start` is its trigger."""
    return {
        "name": name,
        "settings": settings,
        "nodes": [
            {"id": "start", "type": "trigger.manual"},
            {
                "id": "answer",
                "type": "cloud.response",
                "parameters": {"status": 200, "body": body},
            },
        ],
        "connections": [
            {
                "sourceId": "start",
                "sourcePort": "started",
                "targetId": "answer",
                "targetPort": "run",
            }
        ],
    }


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK finds moto, and nothing of the developer's."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "PULUMI_")):
            monkeypatch.delenv(name)
    from tests.support.moto import moto_server

    for name, value in moto_server().environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def shop(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A project with a stack, which is the current directory. The engine is faked."""
    from tests.support.shop import Shop

    made = Shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in ("deploy", "preview", "stacks", "drift", "destroy"):
        monkeypatch.setattr(f"nodegx.cli.commands.{command}.open_engine", made.open)
    return made
