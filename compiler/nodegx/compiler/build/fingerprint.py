"""A hash of everything besides the workflow that decides what the compiler writes."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .closure import runtime_root

FORMAT = "2"
"""Raised when the layout of the cache or of the build directory changes."""


@cache
def compiler_fingerprint() -> str:
    """Hash over the sources of the compiler and the runtime, and the Python that runs them.

    Sources, not a version number: a developer's change or a patched installation must never leave
    stale output behind. The Python version counts because `ast` formats code.
    """
    digest = hashlib.sha256(f"{FORMAT} {sys.version_info[:2]}".encode())
    for root in (Path(__file__).resolve().parents[1], runtime_root()):
        for name, path in _sources(str(root), ""):
            with open(path, "rb") as file:
                content = file.read()
            digest.update(f"\0{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _sources(directory: str, prefix: str) -> Iterator[tuple[str, str]]:
    with os.scandir(directory) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _sources(entry.path, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.path
