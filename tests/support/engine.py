"""The real engine for tests, on programs that need no cloud."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from nodegx.providers.aws.emulator import pulumi_build
from nodegx.providers.aws.engine import Engine

COMPONENTS = """\
import pulumi

class Part(pulumi.ComponentResource):
    def __init__(self, name, **outputs):
        super().__init__("nodegx:test:Part", name, {})
        self.register_outputs(outputs)

config = pulumi.Config()
print("this goes to nobody")
"""


def pulumi_command() -> Path:
    """The `pulumi` command. Tests do not build it: that takes minutes."""
    found = pulumi_build.find()
    assert found is not None, "there is no pulumi command: `make tools` builds it"
    return found


def write_program(home: Path, body: str, name: str = "shop") -> Path:
    """Writes a program of components, which no cloud has to make."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\nstackConfigDir: stacks\n")
    (home / "stacks").mkdir(exist_ok=True)
    (home / "__main__.py").write_text(COMPONENTS + body)
    return home


def engine(home: Path, env: Mapping[str, str] | None = None) -> Engine:
    """The engine on a program, with state and home beside it."""
    state = home.parent / "state"
    state.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
    return Engine(
        pulumi_command(),
        home,
        "shop",
        {
            **kept,
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_HOME": str(home.parent / "pulumi"),
            **(env or {}),
        },
    )
