"""Which values and errors of nodes exist where: certainly, perhaps, or never.

A forward pass over the flow of the workflow. Every vertex gets two sets, as bit masks: what has
certainly been computed on every way there, and what may have been on some way. Where concurrent
branches meet their sets add up; what is computed in the body of a loop is not seen outside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from nodegx.runtime.catalog.types import Kind

from .graph import GraphNode
from .structure.flow import ENTRY, FRAMES, TERMINAL, Shape, Vertex, key_of
from .structure.layout import Layout
from .structure.order import topological
from .structure.regions import end_of

VALUED = frozenset({Kind.TRIGGER, Kind.ACTION, Kind.FOR_EACH})
"""Kinds of nodes that have a value."""

INNER_PORTS = ("iteration", "attempt", "try", "catch", "finally")
"""Outputs that open a region."""


class Presence(Enum):
    """Whether something exists at some place."""

    NEVER = "never"
    MAYBE = "maybe"
    CERTAIN = "certain"


@dataclass(frozen=True, slots=True)
class State:
    """What has been computed, as masks: `certain` on every way here, `maybe` on some."""

    certain: int = 0
    maybe: int = 0

    def plus(self, mask: int) -> State:
        """The state after something has been computed."""
        return State(self.certain | mask, self.maybe | mask)

    def perhaps(self, mask: int) -> State:
        """The state after something may have been computed."""
        return State(self.certain, self.maybe | mask)

    def presence(self, mask: int) -> Presence:
        """Whether what the mask stands for exists."""
        if self.certain & mask:
            return Presence.CERTAIN
        return Presence.MAYBE if self.maybe & mask else Presence.NEVER


def meet(states: Iterable[State]) -> State | None:
    """The state where several ways come together; None if there is none."""
    result: State | None = None
    for state in states:
        if result is None:
            result = state
        else:
            result = State(result.certain & state.certain, result.maybe | state.maybe)
    return result


class Scopes:
    """What exists where in a workflow. Places are keys of vertices: nodes have their ids, the end
    of a loop's body has `end_of_body(loop)`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._bits: dict[str, int] = {}
        self._states = _Pass(layout, self._bits).run()
        self._frames: dict[str, tuple[str, ...]] = {}
        self._find_frames()

    def value(self, place: str, node: str) -> Presence:
        """Whether the value of `node` exists at a place."""
        return self._presence(place, f"{node}\nvalue")

    def error(self, place: str, node: str) -> Presence:
        """Whether the error of `node` exists at a place."""
        return self._presence(place, f"{node}\nerror")

    def _presence(self, place: str, what: str) -> Presence:
        mask = self._bits.get(what, 0)
        return self._states.get(place, State()).presence(mask)

    def values(self, place: str) -> list[GraphNode]:
        """The nodes whose value may exist at a place, in file order."""
        nodes = self.layout.flow.graph.nodes.values()
        return [node for node in nodes if self.value(place, node.id) is not Presence.NEVER]

    def frames(self, place: str) -> tuple[str, ...]:
        """The bodies of loops and retries that a place is in, outermost first, by the keys of the
        regions they are."""
        return self._frames.get(place, ())

    def loops(self, place: str) -> tuple[str, ...]:
        """The loops whose bodies a place is in, outermost first."""
        flow = self.layout.flow
        return tuple(flow[key].node for key in self.frames(place) if flow[key].port == "iteration")

    def reached(self, place: str) -> bool:
        """Whether any signal gets to a place."""
        return place in self._states

    def _find_frames(self) -> None:
        tree, flow = self.layout.tree, self.layout.flow
        for key in tree.order:
            frames = self._frames.get(tree.parent.get(key, ""), ())
            vertex = flow[key]
            if vertex.shape is Shape.REGION and vertex.port in FRAMES:
                frames = (*frames, key)
                self._frames[end_of(key)] = frames
            self._frames[key] = frames


def end_of_body(loop: str) -> str:
    """The place at which the body of a loop ends, where its result is computed."""
    return end_of(key_of(loop, "iteration"))


class _Pass:
    """The pass itself: every vertex after all that its state depends on."""

    def __init__(self, layout: Layout, bits: dict[str, int]) -> None:
        self.layout = layout
        self.flow = layout.flow
        self.tree = layout.tree
        self.bits = bits
        self.states: dict[str, State] = {}
        self.made: dict[str, int] = {}
        self.guards: dict[str, str] = {}
        self.incoming: dict[str, list[tuple[Vertex, str]]] = defaultdict(list)
        for key in self.tree.order:
            vertex = self.flow[key]
            guarding = vertex.shape is Shape.REGION and vertex.port in {"try", "catch"}
            self.guards[key] = (
                key if guarding else self.guards.get(self.tree.parent.get(key, ""), "")
            )
            for label, target in vertex.edges:
                self.incoming[target].append((vertex, label))
        for key in reversed(self.tree.order):
            self.made[key] = self._made_by(key)

    def run(self) -> dict[str, State]:
        """The state at every vertex that is reached."""
        for key in topological(ENTRY, self._successors):
            edges = self.incoming[key]
            real = [edge for edge in edges if not self._is_shortcut(*edge)] or edges
            self.states[key] = self._meet(real, key) or State()
        return self.states

    # ---------------------------------------------------------------------------- order

    def _successors(self, key: str) -> Iterator[str]:
        """Everything whose state depends on that of `key`."""
        vertex = self.flow[key]
        yield from vertex.targets
        owner = self.tree.parent[key] if vertex.shape in TERMINAL else ""
        if vertex.shape is Shape.ARRIVE:
            parallel = key.rpartition("\n")[0]
            yield from self._behind(parallel)
        elif vertex.shape is Shape.END and owner != ENTRY:
            yield from self._behind(self.tree.parent[owner])

    def _behind(self, key: str) -> Iterator[str]:
        """Where the flow goes on behind a construct with regions or branches."""
        vertex = self.flow[key]
        inside = {*vertex.branches, *(key_of(key, port) for port in INNER_PORTS)}
        yield from (target for target in vertex.targets if target not in inside)
        if self.flow.kind(key) is Kind.TRY:
            for port in ("try", "catch"):
                yield from sorted(self.layout.leaving.get(key_of(key, port), ()))

    def _is_shortcut(self, vertex: Vertex, label: str) -> bool:
        """Whether an edge only says where the regions of a try lead to."""
        return label == "done" and self.flow.kind(vertex.key) is Kind.TRY

    # --------------------------------------------------------------------------- states

    def _meet(self, edges: Iterable[tuple[Vertex, str]], target: str) -> State | None:
        return meet(self._along(vertex, label, target) for vertex, label in edges)

    def _along(self, vertex: Vertex, label: str, target: str) -> State:
        """The state that an edge brings to its target."""
        state = self.states[vertex.key]
        match self.flow.kind(vertex.key):
            case Kind.TRIGGER:
                state = state.plus(self._value(vertex.node))
            case Kind.ACTION | Kind.FOR_EACH if label == "failure":
                state = state.plus(self._error(vertex.node))
            case Kind.ACTION:
                state = state.plus(self._value(vertex.node))
            case Kind.FOR_EACH if label != "iteration":
                state = state.plus(self._value(vertex.node))
            case Kind.RETRY if label != "attempt":
                state = self._after_attempts(vertex, label, state)
            case Kind.TRY:
                state = self._into_region(vertex, label, state)
            case _ if vertex.shape is Shape.PARALLEL and target not in vertex.branches:
                state = self._after_branches(vertex, label, state)
            case _:
                pass
        return self._past_finally(vertex.key, target, state)

    def _after_attempts(self, vertex: Vertex, label: str, state: State) -> State:
        body = key_of(vertex.node, "attempt")
        state = state.perhaps(self.made[body])
        if label == "failure":
            return state.plus(self._error(vertex.node))
        ended = self.states.get(end_of(body))
        return state if ended is None else state.plus(ended.certain)

    def _into_region(self, vertex: Vertex, label: str, state: State) -> State:
        made = {port: self.made.get(key_of(vertex.node, port), 0) for port in INNER_PORTS}
        error = self._error(vertex.node)
        if label == "catch":
            return state.perhaps(made["try"]).plus(error)
        if label == "finally":
            caught = error if key_of(vertex.node, "catch") in self.made else 0
            return state.perhaps(made["try"] | made["catch"] | caught)
        return state

    def _after_branches(self, vertex: Vertex, label: str, state: State) -> State:
        for branch in vertex.branches:
            state = state.perhaps(self.made[branch])
        if label == "short":
            return state
        merge = vertex.merge
        ends = [self._branch_end(vertex, branch) for branch in vertex.branches]
        if merge is not None and self.flow.graph.nodes[merge].literal("mode") == "any":
            first = meet(end for end in ends if end is not None)
            return state if first is None else state.plus(first.certain)
        for branch, end in zip(vertex.branches, ends, strict=True):
            if end is not None and (merge is None or branch not in self.layout.may_stop):
                state = state.plus(end.certain)
        return state

    def _branch_end(self, vertex: Vertex, branch: str) -> State | None:
        """The state in which a branch gets to where it ends or meets its siblings."""
        if vertex.arrive is None:
            lost = self.layout.leaving[branch]
            return None if lost else self.states.get(end_of(branch))
        arrivals = [
            edge
            for edge in self.incoming[vertex.arrive]
            if self.layout.frames[edge[0].key] == branch
        ]
        return self._meet(arrivals, vertex.arrive)

    def _past_finally(self, source: str, target: str, state: State) -> State:
        """Adds what the `finally` of every try computes that an edge leads out of."""
        guard = self.guards[source]
        while guard and not self.tree.dominates(guard, target):
            owner = self.tree.parent[guard]
            last = key_of(owner, "finally")
            if last in self.made:
                ended = self.states.get(end_of(last))
                state = state.perhaps(self.made[last])
                state = state if ended is None else state.plus(ended.certain)
            guard = self.guards[owner]
        return state

    # ----------------------------------------------------------------------------- bits

    def _made_by(self, key: str) -> int:
        """All that may be computed in what a vertex dominates, except in bodies of loops."""
        vertex = self.flow[key]
        made = 0
        if vertex.shape is Shape.NODE:
            kind = self.flow.kind(key)
            made |= self._value(vertex.node) if kind in VALUED else 0
            made |= self._error(vertex.node)
        if vertex.shape is Shape.REGION and vertex.port == "iteration":
            return 0
        for child in self.tree.children[key]:
            made |= self.made[child]
        return made

    def _value(self, node: str) -> int:
        return self._bit(f"{node}\nvalue")

    def _error(self, node: str) -> int:
        wired = {"failure", "catch"} & {label for label, _ in self.flow[node].edges}
        return self._bit(f"{node}\nerror") if wired else 0

    def _bit(self, what: str) -> int:
        return self.bits.setdefault(what, 1 << len(self.bits))
