"""Packages from PyPI that tests run in processes of their own, away from this environment."""

from __future__ import annotations

import sys
from pathlib import Path

from nodegx.providers.aws.emulator import cache

PYTHON = Path(getattr(sys, "_base_executable", sys.executable))
"""The interpreter that this environment was made with."""


def installed(name: str, version: str) -> Path:
    """A directory that holds a package and what it needs; made when it is first asked for."""
    requirement = f"{name}=={version}"
    return cache.kept(
        f"{name}-{version}-{cache.PYTHON}", lambda home: cache.install(requirement, home)
    )
