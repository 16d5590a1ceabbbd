"""The code that executions are started with, or moved to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nodegx.runtime.durable.store import Kept


class TriggerPort(NamedTuple):
    """A trigger of a workflow: its type, and its parameters as the manifest has them."""

    type: str
    config: Mapping[str, Any]


class Target(NamedTuple):
    """One revision of a workflow, and its triggers by the ids of their nodes."""

    workflow: str
    revision: str
    durable: bool
    triggers: Mapping[str, TriggerPort]

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Target:
        """The target that a manifest describes."""
        settings: Mapping[str, Any] = manifest.get("settings") or {}
        triggers: list[Mapping[str, Any]] = manifest.get("triggers") or []
        return cls(
            str(manifest["name"]),
            str(manifest.get("revision") or ""),
            bool(settings.get("durable")),
            {
                str(each["node"]): TriggerPort(str(each["type"]), each.get("config") or {})
                for each in triggers
            },
        )


Targets = Callable[[str, str | None], Target | None]
"""Finds a workflow by its full name: the revision that begins with a text, or with None the current
one. None where there is none."""

Replay = Callable[[Target, Kept], str | None]
"""Leads a handler through the journal of an execution without doing anything. Gives None if it
does what the journal says, otherwise what it does instead, as one sentence."""
