"""Which workflows are durable: those that may wait for longer than a process should.

A workflow says so itself (`settings.durable`), or it follows from its nodes: from a wait that may
last, or from a call that waits for another durable workflow. So it spreads through a project, from
workflows to their callers.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from .checked import CheckedNode, CheckedWorkflow
from .graph import Literal

if TYPE_CHECKING:
    from .checks.across import Interface

HOLD = 30.0
"""Seconds that a process may sit through; a wait that is known to be no longer needs no journal."""

OPEN_ENDED = ("webhook", "condition")
"""Parameters of waits that nobody knows the end of."""


def reached(workflow: CheckedWorkflow) -> Iterator[CheckedNode]:
    """The nodes that a signal may get to, in file order."""
    seen = set(workflow.triggers)
    pending = deque(workflow.triggers)
    while pending:
        for targets in workflow.wires.get(pending.popleft(), {}).values():
            pending += (target for target in targets if target not in seen)
            seen.update(targets)
    yield from (node for key, node in workflow.nodes.items() if key in seen)


def suspends(workflow: CheckedWorkflow, durable: Collection[str] = ()) -> bool:
    """Whether a run may wait for longer than `HOLD`.

    Args:
        workflow: the workflow.
        durable: names of the workflows that are durable; a call that waits for one may last.
    """
    return any(_may_last(node) or awaited(node) in durable for node in reached(workflow))


def is_durable(workflow: CheckedWorkflow, durable: Collection[str] = ()) -> bool:
    """Whether a workflow is durable; arguments as for `suspends`."""
    told = workflow.settings.durable
    return suspends(workflow, durable) if told is None else told


def awaited(node: CheckedNode) -> str | None:
    """The workflow that a node calls and waits for, or None."""
    if node.type.type != "workflow.call":
        return None
    target, waits = node.params.get("workflow"), node.params.get("wait", Literal(True))
    if not isinstance(target, Literal) or not isinstance(target.value, str):
        return None
    return target.value if waits == Literal(True) else None


def wait_seconds(node: CheckedNode) -> float | None:
    """Length of a wait whose length is known, in seconds."""
    duration = node.params.get("duration")
    if isinstance(duration, Literal) and isinstance(duration.value, int | float):
        return float(duration.value)
    return None


def open_ended(node: CheckedNode) -> str | None:
    """What a wait waits for that nobody knows the end of, `webhook` or `condition`, or None."""
    return next((name for name in OPEN_ENDED if name in node.params), None)


def _may_last(node: CheckedNode) -> bool:
    if node.type.type != "logic.wait":
        return False
    seconds = wait_seconds(node)
    return seconds is None or seconds > HOLD


def durable_names(interfaces: Iterable[Interface], known: Collection[str] = ()) -> frozenset[str]:
    """The names of all durable workflows, those included that call one of them and wait.

    Args:
        interfaces: the workflows that are looked at together.
        known: names of durable workflows elsewhere.
    """
    here = {one.name: one for one in interfaces}
    callers: dict[str, list[str]] = defaultdict(list)
    for one in here.values():
        for call in one.calls:
            if call.waits and one.durable is None:
                callers[call.workflow].append(one.name)
    found = {name for name in known if name not in here}
    found |= {
        one.name for one in here.values() if (one.suspends if one.durable is None else one.durable)
    }
    pending = deque(sorted(found))
    while pending:
        new = [name for name in callers[pending.popleft()] if name not in found]
        found.update(new)
        pending += new
    return frozenset(found)
