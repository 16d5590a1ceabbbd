"""Topological order and dominators of an acyclic flow, without recursion.

The dominator algorithm is that of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance
Algorithm", 2001); on an acyclic graph visited in topological order a single pass is exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .flow import ENTRY, Flow


class CycleError(Exception):
    """The flow runs in a circle. `path` are the keys on it, in order."""

    def __init__(self, path: list[str]) -> None:
        super().__init__("cycle")
        self.path = path


def topological(start: str, targets_of: Callable[[str], Iterable[str]]) -> list[str]:
    """What can be reached from `start`, every vertex before its successors.

    Edges are followed last one first: what stands on an earlier output of a node comes first, and
    regions come before what follows the node that owns them.

    Raises:
        CycleError: there is no such order.
    """
    done: set[str] = set()
    open_at: dict[str, int] = {start: 0}
    path = [start]
    pending = [list(targets_of(start))]
    finished: list[str] = []
    while path:
        if not pending[-1]:
            key = path.pop()
            pending.pop()
            del open_at[key]
            done.add(key)
            finished.append(key)
            continue
        target = pending[-1].pop()
        if target in done:
            continue
        if target in open_at:
            raise CycleError(path[open_at[target] :])
        open_at[target] = len(path)
        path.append(target)
        pending.append(list(targets_of(target)))
    finished.reverse()
    return finished


@dataclass(slots=True)
class Dominators:
    """The dominator tree. `index` is the place in topological order, `children` are in that
    order."""

    order: list[str]
    index: dict[str, int]
    parent: dict[str, str]
    depth: dict[str, int]
    children: dict[str, list[str]]
    _spans: dict[str, tuple[int, int]]

    def dominates(self, ancestor: str, key: str) -> bool:
        """Whether every way to `key` leads through `ancestor` (a vertex dominates itself)."""
        first, last = self._spans[ancestor]
        return first <= self._spans[key][0] <= last

    def adopt(self, key: str, parent: str) -> None:
        """Adds a leaf below `parent`: an end, which needs no place in the order."""
        self.parent[key] = parent
        self.depth[key] = self.depth[parent] + 1
        self._spans[key] = (self._spans[parent][0], self._spans[parent][0])


def predecessors(flow: Flow, order: list[str]) -> dict[str, list[str]]:
    """For every vertex those with an edge to it, each once, in topological order."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for key in order:
        for target in flow[key].targets:
            found[target][key] = None
    return {key: list(sources) for key, sources in found.items()}


def dominators(flow: Flow) -> Dominators:
    """The dominator tree of everything that can be reached.

    Raises:
        CycleError: the flow is not acyclic.
    """
    order = topological(ENTRY, lambda key: flow[key].targets)
    sources = predecessors(flow, order)
    parent: dict[str, str] = {}
    depth = {ENTRY: 0}
    children: dict[str, list[str]] = {key: [] for key in order}
    for key in order[1:]:
        # The nearest sources first: each further one then costs a few steps only.
        candidates = reversed(sources[key])
        common = next(candidates)
        for other in candidates:
            while common != other:
                if depth[common] < depth[other]:
                    other = parent[other]
                else:
                    common = parent[common]
        parent[key] = common
        depth[key] = depth[common] + 1
        children[common].append(key)
    index = {key: place for place, key in enumerate(order)}
    return Dominators(order, index, parent, depth, children, _spans(children))


def _spans(children: dict[str, list[str]]) -> dict[str, tuple[int, int]]:
    """Numbers the tree so that the numbers below a vertex are a range."""
    first: dict[str, int] = {}
    spans: dict[str, tuple[int, int]] = {}
    stack = [(ENTRY, False)]
    number = 0
    while stack:
        key, leaving = stack.pop()
        if leaving:
            spans[key] = (first[key], number - 1)
            continue
        first[key] = number
        number += 1
        stack.append((key, True))
        stack += [(child, False) for child in reversed(children[key])]
    return spans
