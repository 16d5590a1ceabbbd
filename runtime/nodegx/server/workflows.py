"""Compiled workflows, read from the build directory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nodegx.runtime import loader
from nodegx.runtime.workflow import Workflow

Stamp = tuple[int, ...]
MANUAL = "trigger.manual"


class TriggerEntry(NamedTuple):
    """A trigger as the manifest lists it."""

    node: str
    type: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedWorkflow:
    """A workflow that can be started. `stamp` tells whether its files have changed since."""

    name: str
    slug: str
    workflow: Workflow
    manifest: Mapping[str, Any]
    triggers: tuple[TriggerEntry, ...]
    stamp: Stamp

    @property
    def responds(self) -> bool:
        """Whether it has a response node."""
        return bool(self.manifest.get("responds"))

    @property
    def timezone(self) -> str:
        """Time zone of schedules that name none."""
        settings: Mapping[str, Any] = self.manifest.get("settings") or {}
        return settings.get("timezone") or "UTC"

    @property
    def manual(self) -> TriggerEntry | None:
        """The trigger that callers start it by, or None."""
        return next((entry for entry in self.triggers if entry.type == MANUAL), None)


class Found(NamedTuple):
    """What a build directory holds: workflows, and what is wrong with the others."""

    workflows: tuple[LoadedWorkflow, ...]
    problems: tuple[str, ...]


def load_all(build: Path, known: Iterable[LoadedWorkflow] = ()) -> Found:
    """Loads every workflow below `build`.

    Args:
        build: the build directory; where there is none, there are no workflows.
        known: what was loaded before. A workflow whose files are the same is kept, and one that
            cannot be loaded any more stays as it was.
    """
    before = {entry.slug: entry for entry in known}
    workflows: dict[str, LoadedWorkflow] = {}
    problems: list[str] = []
    for manifest in sorted(build.glob("*/manifest.json")):
        slug = manifest.parent.name
        previous = before.get(slug)
        try:
            entry = _load(manifest, previous)
        except (OSError, ValueError, KeyError, TypeError, ImportError) as exc:
            problems.append(f"{slug}: {exc}")
            entry = previous
        if entry is None:
            continue
        if entry.name in workflows:
            problems.append(f"{slug}: {entry.name} exists already in another folder")
            continue
        workflows[entry.name] = entry
    return Found(tuple(workflows.values()), tuple(problems))


def release(before: Iterable[LoadedWorkflow], after: Iterable[LoadedWorkflow]) -> None:
    """Forgets modules that have been replaced. Executions of theirs go on."""
    kept = {id(entry) for entry in after}
    for entry in before:
        if id(entry) not in kept:
            loader.unload(entry.workflow)


def _load(file: Path, previous: LoadedWorkflow | None) -> LoadedWorkflow:
    handler = file.with_name("handler.py")
    stamp = _stamp(file, handler)
    if previous is not None and previous.stamp == stamp:
        return previous
    manifest: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
    triggers = tuple(
        TriggerEntry(entry["node"], entry["type"], entry.get("config") or {})
        for entry in manifest["triggers"]
    )
    workflow = loader.load(handler)
    if previous is not None:  # what runs on the old code still counts
        gate = previous.workflow.gate
        gate.limit = workflow.settings.concurrency
        workflow.gate = gate
    return LoadedWorkflow(workflow.name, file.parent.name, workflow, manifest, triggers, stamp)


def _stamp(*files: Path) -> Stamp:
    stamp: list[int] = []
    for file in files:
        status = file.stat()
        stamp += (status.st_mtime_ns, status.st_size, status.st_ino)
    return tuple(stamp)
