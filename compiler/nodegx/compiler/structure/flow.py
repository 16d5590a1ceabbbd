"""The control-flow graph of a workflow: its signals, with what the wires leave implicit made
explicit.

Besides one vertex for every node there are vertices for the outputs that open a region (`iteration`
of a loop), for outputs with several wires (forks), and for the places where a function or region
ends. Edges that leave a vertex exclude one another, except those of a fork.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from nodegx.compiler.graph import DictValue, Graph, GraphNode, ListValue, Literal
from nodegx.runtime.catalog.types import Kind

OPEN = ""
"""Target of an edge that ends here; `regions.close` replaces it by the vertex of that end."""


class Shape(StrEnum):
    """What a vertex is."""

    ENTRY = "entry"  # start of the handler: one edge for each trigger
    NODE = "node"  # a node of the workflow
    REGION = "region"  # an output that opens a region: iteration, attempt, try, catch, finally
    FORK = "fork"  # an output with several wires, before its branches are known
    PARALLEL = "parallel"  # a fork whose branches are known
    BRANCH = "branch"  # start of one of those branches
    ARRIVE = "arrive"  # a branch has reached the merge it shares with its siblings
    END = "end"  # a function or region ends


TERMINAL = frozenset({Shape.ARRIVE, Shape.END})

FRAMES = frozenset({"iteration", "attempt"})
"""Regions that become functions."""

CLOSED = frozenset({"iteration", "attempt", "finally"})
"""Regions that no wire may leave."""

REGION_PORTS: dict[Kind, tuple[str, ...]] = {
    Kind.FOR_EACH: ("iteration",),
    Kind.RETRY: ("attempt",),
    Kind.TRY: ("try", "catch", "finally"),
}

MAX_ALTERNATIVES = 100
"""Triggers of a workflow, and conditions of a switch: each is a test nested in the one before."""


@dataclass(slots=True)
class Vertex:
    """A vertex. `node` is the workflow's node it belongs to, `port` the output of it.

    `edges` are (label, target) in order. A `logic.try` has an edge `done` although its regions lead
    there: it keeps that target outside of them.
    `merge` is the merge node at which a PARALLEL's branches meet (for ARRIVE: which one they reach);
    `arrive` the vertex at which they do; `branches` their starts.
    """

    key: str
    shape: Shape
    node: str = ""
    port: str = ""
    edges: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    merge: str | None = None
    arrive: str | None = None
    branches: list[str] = field(default_factory=list[str])

    @property
    def targets(self) -> Iterator[str]:
        """Where edges lead, open ends left out."""
        return (target for _, target in self.edges if target != OPEN)

    def target(self, label: str) -> str | None:
        """Where the edge called `label` leads, or None."""
        return next((target for name, target in self.edges if name == label), None)


def key_of(owner: str, what: str) -> str:
    """Key of a vertex that stands for a part of another one. Ids of nodes hold no line breaks."""
    return f"{owner}\n{what}"


ENTRY = key_of("", "entry")


@dataclass(slots=True)
class Flow:
    """All vertices, by key; those of nodes have the node's id."""

    graph: Graph
    vertices: dict[str, Vertex]

    def __getitem__(self, key: str) -> Vertex:
        return self.vertices[key]

    def add(self, vertex: Vertex) -> Vertex:
        """Adds a vertex and returns it."""
        self.vertices[vertex.key] = vertex
        return vertex

    def kind(self, key: str) -> Kind | None:
        """The kind of the node that a vertex stands for, or None if it stands for something else."""
        vertex = self.vertices[key]
        return self.graph.nodes[vertex.node].type.kind if vertex.shape is Shape.NODE else None

    def is_merge(self, key: str) -> bool:
        """Whether concurrent branches may meet here."""
        return self.vertices[key].shape is Shape.ARRIVE or self.kind(key) is Kind.MERGE

    def name(self, key: str) -> str:
        """What messages call the node a vertex belongs to."""
        return self.vertices[key].node or self.vertices[key].merge or ""


def crowded(graph: Graph) -> Iterator[tuple[str, str]]:
    """Nodes with more alternatives than `MAX_ALTERNATIVES`, and what they have too many of."""
    if len(graph.triggers) > MAX_ALTERNATIVES:
        yield graph.triggers[MAX_ALTERNATIVES], "triggers"
    for node in graph.nodes.values():
        if node.type.kind is Kind.SWITCH and conditions(node) > MAX_ALTERNATIVES:
            yield node.id, "conditions in one switch"


def conditions(node: GraphNode) -> int:
    """How many cases of a switch have a condition of their own."""
    match node.params.get("cases"):
        case ListValue(items=items):
            return sum(isinstance(item, DictValue) and "when" in dict(item.items) for item in items)
        case Literal(value=list()) as cases:
            return sum("when" in case for case in cases.value)
        case _:
            return 0


def flow_of(graph: Graph) -> Flow:
    """The control-flow graph of a workflow."""
    flow = Flow(graph, {})
    entry = flow.add(Vertex(ENTRY, Shape.ENTRY))
    entry.edges += [(trigger, trigger) for trigger in graph.triggers]
    for node in graph.nodes.values():
        _add_node(flow, node)
    return flow


def _add_node(flow: Flow, node: GraphNode) -> None:
    vertex = flow.add(Vertex(node.id, Shape.NODE, node.id))
    wires = flow.graph.wires.get(node.id, {})
    regions = REGION_PORTS.get(node.type.kind, ())
    declared = {signal.name for signal in node.type.signals_out}
    optional = {signal.name for signal in node.type.signals_out if signal.optional}
    for port in sorted(node.signals, key=declared.__contains__):  # cases before `default`
        targets = wires.get(port, ())
        if not targets and port in optional:
            continue
        target = _target(flow, node.id, port, targets)
        if port in regions:
            region = flow.add(Vertex(key_of(node.id, port), Shape.REGION, node.id, port))
            region.edges.append((port, target))
            target = region.key
        if target == OPEN and node.type.kind is Kind.TRY:
            continue  # its regions end where it stands
        vertex.edges.append((port, target))


def _target(flow: Flow, node: str, port: str, targets: tuple[str, ...]) -> str:
    if len(targets) <= 1:
        return targets[0] if targets else OPEN
    fork = flow.add(Vertex(key_of(node, f"fork {port}"), Shape.FORK, node, port))
    fork.edges += [(str(number), target) for number, target in enumerate(targets)]
    return fork.key
