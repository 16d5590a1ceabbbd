"""Python names for the parts of a handler, all different, none with another meaning."""

from __future__ import annotations

import builtins
import keyword

from nodegx.runtime.catalog import CATALOG

from .expressions import GENERATED_NAMES
from .graph import Graph, GraphNode
from .names import snake_case

MAX_NAME = 60
"""Characters of a name in code; longer ones come from labels and are cut."""


def modules_called() -> frozenset[str]:
    """The modules of implementations, which handlers import by their own name."""
    calls: set[str] = set()
    for node_type in CATALOG.values():
        if isinstance(node_type.call, str):
            calls.add(node_type.call)
        elif node_type.call is not None:
            calls.update(node_type.call.values())
    return frozenset(call.partition(".")[0] for call in calls) | {"python"}


RESERVED = (
    frozenset(keyword.kwlist)
    | frozenset(keyword.softkwlist)
    | frozenset(dir(builtins))
    | GENERATED_NAMES
    | modules_called()
    | {"Any", "Node", "Retry", "Run", "workflow", "run", "exc", "item", "index", "self"}
)


class Naming:
    """Hands out names. The same requests in the same order give the same names.

    Args:
        graph: the workflow; the handler's own name is its slug.
    """

    def __init__(self, graph: Graph) -> None:
        self._taken = set(RESERVED)
        self.handler = self.unique(graph.slug)
        self.constants: dict[str, str] = {}
        self._variables: dict[str, str] = {}
        self._arguments: dict[str, str] = {}
        for node in graph.everything():
            stem = self._stem(node)
            self.constants[node.id] = self.unique(stem.upper())
            self._variables[node.id] = self.unique(stem)
        self._errors: dict[str, str] = {
            node.id: self.unique(f"{self._variables[node.id]}_error") for node in graph.everything()
        }

    def unique(self, base: str) -> str:
        """A name that nothing has yet: `base`, `base_` where it means something, or `base_2`."""
        name = f"{base}_" if base in RESERVED else base
        number = 2
        while name in self._taken:
            name = f"{base}_{number}"
            number += 1
        self._taken.add(name)
        return name

    def argument(self, base: str) -> str:
        """The name of an argument, which nothing else that a function reads may have: `base`,
        unless a node's variable has it."""
        if base not in self._taken or base in RESERVED:
            return base
        if base not in self._arguments:
            self._arguments[base] = self.unique(base)
        return self._arguments[base]

    def variable(self, node: str) -> str:
        """The variable that holds a node's value."""
        return self._variables[node]

    def error(self, node: str) -> str:
        """The variable that holds a node's failure."""
        return self._errors[node]

    def _stem(self, node: GraphNode) -> str:
        stem = snake_case(node.name)[:MAX_NAME].strip("_") or "node"
        return f"node_{stem}" if stem[0].isdigit() else stem
