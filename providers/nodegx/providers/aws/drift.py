"""What has been changed in the cloud by other hands than the deployer's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .steps import Outcome, Step

HIDDEN = frozenset({"__defaults", "tagsAll", "lastModified", "qualifiedArn", "qualifiedInvokeArn"})
"""Properties that AWS sets itself, and that follow from others."""
DERIVED = frozenset({"version", "codeSha256", "sourceCodeSize", "invokeArn", "etag"})


@dataclass(frozen=True, slots=True)
class Drift:
    """A resource that is not as it was deployed.

    Args:
        kind: its type, as people read it.
        name: its name in the program.
        id: its name in the cloud.
        workflow: slug of the workflow it belongs to; "" for what all share.
        gone: whether it is missing.
        differences: what was deployed and what is there, by property.
    """

    kind: str
    name: str
    id: str
    workflow: str
    gone: bool
    differences: dict[str, tuple[Any, Any]]


def drifts(outcome: Outcome) -> list[Drift]:
    """What a refresh would change, for people."""
    return sorted(_drifts(outcome), key=lambda each: (each.workflow, each.kind, each.name))


def _drifts(outcome: Outcome) -> Iterator[Drift]:
    for step in outcome.steps:
        if step.is_component or not step.changes:
            continue
        gone = step.op == "delete"
        differences = {} if gone else dict(_differences(step))
        if gone or differences:
            yield Drift(step.kind, step.name, step.id, workflow_of(step), gone, differences)


def workflow_of(step: Step) -> str:
    """Slug of the workflow that a resource belongs to; "" for what all share."""
    if "nodegx:aws:Workflow$" not in step.urn:
        return ""
    # Names in a workflow begin with its slug.
    return step.name.split("-")[0].split(" ")[0]


def _differences(step: Step) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key in sorted({name.split(".")[0].split("[")[0] for name in step.diffs}):
        if key in HIDDEN or key in DERIVED:
            continue
        old, new = step.old.get(key), step.new.get(key)
        if old != new:
            yield key, (old, new)
