"""The formatter whose layout the compiler's output has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def formatted(source: str) -> str:
    """A module as `ruff format` writes it for handlers."""
    ruff = Path(sys.executable).with_name("ruff")
    ended = subprocess.run(
        [ruff, "format", "--isolated", "--line-length=100", "--target-version=py311", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
