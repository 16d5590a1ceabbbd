"""A project with a stack on moto, for tests of the commands for deployments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nodegx.providers.aws.deployment import Deployment

from tests.support.by_hand import ByHand, new_name, write_stack
from tests.support.fake_engine import FakeEngine
from tests.support.projects import manual, write_project


class Shop:
    """A project with a stack, and the engine that its commands get."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = new_name()
        self.engine: FakeEngine | None = None
        self.write(manual("One"), manual("Two"))
        write_stack(root)

    def write(self, *workflows: dict[str, Any]) -> None:
        write_project(self.root, *workflows, name=self.name)

    def open(self, deployment: Deployment, **_: Any) -> FakeEngine:
        if self.engine is None:
            self.engine = FakeEngine(deployment)
        self.engine.deployment = deployment
        return self.engine

    @property
    def by_hand(self) -> ByHand:
        return ByHand(self.root)


def data(result: Any) -> Any:
    """The JSON that a command has printed."""
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)
