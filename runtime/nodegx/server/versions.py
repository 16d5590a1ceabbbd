"""Compiled workflows of the past, for executions that began on them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from nodegx.runtime import loader
from nodegx.runtime.workflow import Workflow

from .workflows import LoadedWorkflow

FILES = ("handler.py", "handler.map.json", "manifest.json")

Revision = tuple[str, str]
"""A workflow's name and the hash of what it was compiled from."""


class Versions:
    """Keeps a copy of each durable workflow that was served.

    Args:
        folder: where; made when the first copy is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[Revision, Workflow] = {}

    def keep(self, entry: LoadedWorkflow, build: Path) -> None:
        """Copies a workflow, unless its revision is there already.

        Raises:
            OSError: it cannot be copied.
        """
        place = self._folder / entry.slug / entry.workflow.revision
        if not entry.workflow.revision or place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_name(f".{place.name}.{os.getpid()}")
        half.mkdir(exist_ok=True)
        for name in FILES:
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(build / entry.slug / name, half / name)
        try:
            half.rename(place)
        except OSError:  # another process was quicker
            shutil.rmtree(half, ignore_errors=True)

    def find(self, workflow: str, revision: str) -> Workflow | None:
        """A workflow as it was, or None if it is not kept."""
        known = self._loaded.get((workflow, revision))
        if known is not None:
            return known
        for place in self._folder.glob(f"*/{_safe(revision)}"):
            with contextlib.suppress(OSError, ImportError):
                found = loader.load(place)
                if found.name == workflow:
                    self._loaded[workflow, revision] = found
                    return found
                loader.unload(found)
        return None

    def prune(self, used: Collection[Revision]) -> int:
        """Removes copies that no execution needs any more. Returns how many."""
        revisions = {revision for _, revision in used}
        removed = 0
        for place in self._folder.glob("*/*"):
            if place.is_dir() and place.name not in revisions:
                shutil.rmtree(place, ignore_errors=True)
                removed += 1
        for known in [known for known in self._loaded if known not in used]:
            loader.unload(self._loaded.pop(known))
        return removed


def _safe(revision: str) -> str:
    """A revision as a name to look for: they are hexadecimal, and a store may hold anything."""
    return revision if revision.isalnum() else "-"
