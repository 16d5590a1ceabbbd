"""What the builder must know of every vertex before it can lay out code.

A *join* is a vertex with several ways in. It belongs to its immediate dominator, the construct
whose branches meet there, as in Ramsey's "Beyond Relooper" (2022). Where WebAssembly jumps to the
end of a labelled block, a handler falls through to the join, returns, or calls it as a function.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from nodegx.runtime.catalog.types import Kind

from .flow import ENTRY, TERMINAL, Flow, Shape
from .order import Dominators
from .regions import end_of


@dataclass(slots=True)
class Layout:
    """The flow with its analyses.

    `frames` has for every vertex the start of the function it is in, `ends` where a signal that
    ends there goes.
    `joins` are vertices with several ways in, and what `done` of a try leads to. `leaving[v]` are
    the targets outside of what v dominates that its part of the flow leads to; ends of functions
    count as outside until their function is left. `size` counts the nodes v dominates.
    `normal` and `failing` count the ways into a join, by whether they are a node's failure.
    `crossing` are joins that some way in enters from another function than the construct they
    belong to. `may_stop` are branches that can end short of their merge.
    """

    flow: Flow
    tree: Dominators
    frames: dict[str, str]
    ends: dict[str, str]
    joins: set[str]
    leaving: dict[str, set[str]]
    size: dict[str, int]
    normal: dict[str, int]
    failing: dict[str, int]
    crossing: set[str]
    may_stop: set[str]

    def inline(self, target: str) -> bool:
        """Whether the code of `target` stands where its only way in leads to it."""
        return target not in self.joins and self.flow[target].shape not in TERMINAL

    def belonging(self, key: str) -> list[str]:
        """The joins that belong to a construct, in topological order."""
        return [child for child in self.tree.children[key] if child in self.joins]


def lay_out(flow: Flow, tree: Dominators, frames: dict[str, str], ends: dict[str, str]) -> Layout:
    """Analyses a flow whose forks are resolved and whose ends are closed."""
    layout = Layout(flow, tree, frames, ends, set(), {}, {}, {}, {}, set(), set())
    _measure(layout)
    _count_ways(layout)
    _find_crossings(layout)
    return layout


def _measure(layout: Layout) -> None:
    """Sizes and ways out, from the leaves of the dominator tree to its root."""
    flow, tree = layout.flow, layout.tree
    for key in reversed(tree.order):
        vertex = flow[key]
        joined = vertex.shape is Shape.PARALLEL and vertex.merge is not None
        if joined and all(branch in layout.may_stop for branch in vertex.branches):
            vertex.edges.append(("short", layout.ends[key]))
        is_try = flow.kind(key) is Kind.TRY
        leaving = {target for label, target in vertex.edges if not (is_try and label == "done")}
        size = int(vertex.shape is Shape.NODE)
        for child in tree.children[key]:
            size += layout.size[child]
            leaving = _union(leaving, layout.leaving[child])
        layout.size[key] = size
        end = end_of(key)
        stops = end in leaving
        leaving = {target for target in leaving if not _inside(layout, key, target)}
        layout.leaving[key] = leaving
        if vertex.shape is Shape.BRANCH:
            arrive = flow[tree.parent[key]].arrive
            if stops or leaving - {arrive}:
                layout.may_stop.add(key)


def _union(one: set[str], other: set[str]) -> set[str]:
    if len(one) < len(other):
        one, other = other, one
    return one | other if other else one


def _inside(layout: Layout, key: str, target: str) -> bool:
    vertex = layout.flow[target]
    if vertex.shape is Shape.ARRIVE:
        return layout.flow[key].arrive == target
    return layout.tree.dominates(key, target)


def _count_ways(layout: Layout) -> None:
    """Ways into every vertex. Several cases of one switch with the same target are one way."""
    flow = layout.flow
    normal: dict[str, int] = defaultdict(int)
    failing: dict[str, int] = defaultdict(int)
    for key in layout.tree.order:
        vertex = flow[key]
        kind = flow.kind(key)
        seen: set[str] = set()
        for label, target in vertex.edges:
            if kind is Kind.TRY and label == "done":
                layout.joins.add(target)
                continue
            if kind is Kind.SWITCH and target in seen:
                continue
            seen.add(target)
            (failing if label == "failure" else normal)[target] += 1
    for key in layout.tree.order:
        if key != ENTRY and normal[key] + failing[key] > 1:
            layout.joins.add(key)
    layout.joins = {key for key in layout.joins if flow[key].shape not in TERMINAL}
    layout.normal, layout.failing = normal, failing


def _find_crossings(layout: Layout) -> None:
    """A join is crossing if a way in starts inside of a function, or of another crossing join, that
    does not hold the whole construct the join belongs to."""
    flow, tree = layout.flow, layout.tree
    barrier: dict[str, int] = {}
    for key in tree.order:
        starts = layout.frames[key] == key or key in layout.crossing
        barrier[key] = tree.depth[key] if starts else barrier[tree.parent[key]]
        for target in flow[key].targets:
            if target in layout.joins and barrier[key] > tree.depth[tree.parent[target]]:
                layout.crossing.add(target)
