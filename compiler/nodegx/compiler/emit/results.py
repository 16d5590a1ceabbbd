"""What an iteration contributes to its loop's results when the loop does not say."""

from __future__ import annotations

from nodegx.compiler.graph import Graph
from nodegx.compiler.scopes import VALUED, Presence, Scopes, end_of_body
from nodegx.compiler.structure.flow import Shape, key_of


class Results:
    """Finds the action that a body ends with."""

    def __init__(self, graph: Graph, scopes: Scopes) -> None:
        self._graph = graph
        self._scopes = scopes

    def last_action(self, loop: str) -> str | None:
        """The one node of a loop's body that nothing follows, if its value exists there."""
        layout = self._scopes.layout
        body = key_of(loop, "iteration")
        ends = [
            key
            for key in layout.tree.order
            if layout.flow[key].shape is Shape.NODE
            and layout.tree.dominates(body, key)
            and not any(self._graph.wires.get(key, {}).values())
        ]
        if len(ends) != 1:
            return None
        last = self._graph.nodes[ends[0]]
        if last.type.kind not in VALUED or not last.outputs:
            return None
        present = self._scopes.value(end_of_body(loop), ends[0])
        return None if present is Presence.NEVER else ends[0]
