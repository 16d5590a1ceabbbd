"""One workflow with a node of every type of the catalog, each with its example parameters."""

from typing import Any

from nodegx.runtime.catalog import CATALOG
from nodegx.runtime.catalog.types import Kind

_LITERALS = {"data.value": {"value": {"total": 1}}}


def every_node() -> dict[str, Any]:
    """A valid workflow; its expressions name nodes that it does not have."""
    nodes: list[dict[str, Any]] = [{"id": "start", "type": "trigger.manual"}]
    connections: list[dict[str, str]] = []
    for position, (name, declared) in enumerate(CATALOG.items()):
        node_id = name.replace(".", "_")
        parameters = dict(_LITERALS.get(name, declared.example))
        nodes.append(
            {
                "id": node_id,
                "type": name,
                "label": declared.title,
                "parameters": parameters,
                "x": position * 220,
                "y": 0,
            }
        )
        if declared.kind not in {Kind.TRIGGER, Kind.PURE}:
            connections.append(
                {
                    "sourceId": "start",
                    "sourcePort": "started",
                    "targetId": node_id,
                    "targetPort": "run",
                }
            )
    return {"name": "/#__cloud__/EveryNode", "nodes": nodes, "connections": connections}
