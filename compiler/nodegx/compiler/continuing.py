"""Whether a workflow goes on after its caller has been answered.

Where nothing is left to do, the answer is the end. It is told here from the wires alone, and rather
once too often: by what follows a response, by what runs beside it, and by the blocks it is in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from nodegx.runtime.catalog.types import Kind

from .graph import Graph, GraphNode

RESPONSE = "cloud.response"
IDLE = (RESPONSE, "logic.stop")
"""Types of nodes that do nothing once the caller has been answered."""

FOLLOWING: Mapping[tuple[Kind, str], tuple[str, ...]] = {
    (Kind.FOR_EACH, "iteration"): ("iteration", "completed"),
    (Kind.RETRY, "attempt"): ("done",),
    (Kind.TRY, "try"): ("finally", "done"),
    (Kind.TRY, "catch"): ("finally", "done"),
    (Kind.TRY, "finally"): ("done",),
}
"""Where a block goes on once the branch behind one of its outputs has ended."""


def continues(graph: Graph) -> bool:
    """Whether a run may do something after a response."""
    return any(
        _is_followed(graph, node) for node in graph.nodes.values() if node.type.type == RESPONSE
    )


def _is_followed(graph: Graph, response: GraphNode) -> bool:
    if _works(graph, _targets(graph, response.id, ("done",))):
        return True
    for node in graph.nodes.values():
        for port, targets in graph.wires.get(node.id, {}).items():
            leading = [target for target in targets if response.id in _reached(graph, [target])]
            if not leading:
                continue
            beside = [target for target in targets if target not in leading]
            after = _targets(graph, node.id, FOLLOWING.get((node.type.kind, port), ()))
            if _works(graph, (*beside, *after)):
                return True
    return False


def _targets(graph: Graph, node: str, ports: Iterable[str]) -> list[str]:
    wires = graph.wires.get(node, {})
    return [target for port in ports for target in wires.get(port, ())]


def _works(graph: Graph, targets: Iterable[str]) -> bool:
    reached = _reached(graph, targets)
    return any(graph.nodes[id].type.type not in IDLE for id in reached)


def _reached(graph: Graph, starts: Iterable[str]) -> set[str]:
    """The nodes that a signal to some nodes may get to, those included."""
    found = set(starts)
    pending = deque(found)
    while pending:
        for targets in graph.wires.get(pending.popleft(), {}).values():
            pending += (target for target in targets if target not in found)
            found.update(targets)
    return found
