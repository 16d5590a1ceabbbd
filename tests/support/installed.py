"""Packages from PyPI that tests run in processes of their own, away from this environment."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nodegx"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHON = Path(getattr(sys, "_base_executable", sys.executable))
"""The interpreter that this environment was made with."""


def installed(name: str, version: str) -> Path:
    """A directory that holds a package and what it needs; made when it is first asked for."""

    def make(folder: Path) -> None:
        _install("--target", str(folder), f"{name}=={version}")

    return _made(CACHE / f"{name}-{version}-py{VERSION}", make)


def _made(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, complete; other processes that want it wait until it is."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            (folder / ".complete").touch()
    return folder


def _install(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    tool = [str(uv), "pip"] if uv.exists() else [sys.executable, "-m", "pip"]
    subprocess.run([*tool, "install", "--quiet", *arguments], check=True)
