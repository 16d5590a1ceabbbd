"""Finds out what concurrent branches do together: which of them meet at which merge.

Every fork is swept in topological order, from its targets on. A vertex whose ways in come from
different branches (in terms of dominators: one that the fork itself dominates immediately) is a
meeting; only a merge may be one. Branches that share meetings form a group, and each group meets
at one merge at the latest:

    B ─┐                       await run.all(b_and_c(), d())      # D joins at M2
       M1 ─┐                       async def b_and_c():
    C ─┘   M2 ─ …                      await run.all(b(), c())    # B and C join at M1
    D ─────┘

Groups that never meet run beside one another to their ends. A sweep stops as soon as a single
signal is left, so that a workflow with many forks in a row stays cheap.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError

from . import problems
from .flow import OPEN, Flow, Shape, Vertex, key_of
from .order import Dominators, predecessors


def resolve(flow: Flow, tree: Dominators) -> None:
    """Turns every fork into a parallel vertex with known branches.

    Raises:
        DiagnosticError: branches meet where they must not, or overlap.
    """
    Forks(flow, tree).run()


@dataclass(slots=True)
class _Sweep:
    """What the signals of one fork do. Masks hold one bit for each target of the fork."""

    targets: list[str]
    masks: dict[str, int] = field(default_factory=dict[str, int])
    origins: dict[str, str] = field(default_factory=dict[str, str])
    sources: dict[str, dict[str, None]] = field(default_factory=dict[str, "dict[str, None]"])
    tainted: set[str] = field(default_factory=set[str])
    meetings: list[str] = field(default_factory=list[str])
    wrong: bool = False

    @property
    def everyone(self) -> int:
        return (1 << len(self.targets)) - 1

    def members(self, mask: int) -> list[str]:
        return [target for bit, target in enumerate(self.targets) if mask >> bit & 1]

    def groups(self, meetings: list[str]) -> list[int]:
        """The targets that these meetings connect, as masks, in the order of the targets."""
        groups = [1 << bit for bit in range(len(self.targets))]
        for meeting in meetings:
            mask = self.masks[meeting]
            joined = sum(group for group in groups if group & mask)
            groups = [group for group in groups if not group & mask]
            groups.append(joined)
        return sorted(groups, key=lambda group: group & -group)


class Forks:
    """One pass over the forks of a flow, outer ones first."""

    def __init__(self, flow: Flow, tree: Dominators) -> None:
        self.flow = flow
        self.index = tree.index
        self.forks = [key for key in tree.order if flow[key].shape is Shape.FORK]
        self.before = {key: set(sources) for key, sources in predecessors(flow, tree.order).items()}
        self.leads: dict[str, str] = {}
        """Where a vertex inside of a branch arrives in the end, if it can."""
        self.wrong: list[Diagnostic] = []

    def run(self) -> None:
        """Resolves all forks."""
        pending = self.forks[::-1]
        while pending:
            fork = self.flow[pending.pop()]
            pending += reversed(self._resolve(fork))
        if self.wrong:
            raise DiagnosticError(self.wrong)

    def _resolve(self, fork: Vertex) -> list[str]:
        """Makes `fork` a parallel vertex; returns the forks left to do inside of it."""
        outer = next((self.leads[key] for key in fork.targets if key in self.leads), None)
        sweep = self._sweep(fork, outer)
        merge = self._merge_of(sweep, outer)
        inner = [meeting for meeting in sweep.meetings if meeting != merge]
        groups = sweep.groups(inner)
        if len(groups) == 1:
            self._overlap(sweep, sweep.meetings)
            groups = [1 << bit for bit in range(len(sweep.targets))]
        fork.shape = Shape.PARALLEL
        fork.edges = []
        if merge is not None:
            self._join(fork, merge, sweep)
        return self._branches(fork, merge, [sweep.members(group) for group in groups])

    # ------------------------------------------------------------------------- sweeping

    def _sweep(self, fork: Vertex, outer: str | None) -> _Sweep:
        """Follows the signals of a fork until a single one is left, or all have ended. Inside of a
        branch that leads to the merge `outer` a single one that is not all goes on to there."""
        targets = [target for _, target in fork.edges]
        sweep = _Sweep(targets)
        heap: list[tuple[int, str]] = []
        for bit, target in enumerate(targets):
            sweep.masks[target] = 1 << bit
            sweep.sources[target] = {fork.key: None}
            heapq.heappush(heap, (self.index[target], target))
        while heap:
            key = heapq.heappop(heap)[1]
            self._visit(sweep, fork.key, key)
            together = sweep.masks[key] == sweep.everyone and key in sweep.meetings[-1:]
            if not heap and (outer is None or together):
                break
            for target in self.flow[key].targets:
                if target not in sweep.sources:
                    heapq.heappush(heap, (self.index[target], target))
                sweep.sources.setdefault(target, {})[key] = None
                sweep.masks[target] = sweep.masks.get(target, 0) | sweep.masks[key]
        return sweep

    def _visit(self, sweep: _Sweep, root: str, key: str) -> None:
        sources = sweep.sources[key]
        origins = {source if source == root else sweep.origins[source] for source in sources}
        outside = self.before[key] - sources.keys() - {root}
        if outside or any(source in sweep.tainted for source in sources):
            sweep.tainted.add(key)
        if len(origins) == 1:
            (origin,) = origins
            sweep.origins[key] = key if origin == root else origin
            return
        sweep.origins[key] = key
        sweep.meetings.append(key)
        if not self.flow.is_merge(key):
            sweep.wrong = True
            branches = [self._name(target) for target in sweep.members(sweep.masks[key])]
            ends = sorted(map(self._name, sources), key=self._place)
            self.wrong.append(problems.meeting(self.flow.graph, self._name(key), branches, ends))

    def _name(self, key: str) -> str:
        return self.flow.name(key)

    def _place(self, node: str) -> int:
        """Where a node stands in the file."""
        return self.flow.graph.nodes[node].index if node in self.flow.graph.nodes else -1

    # -------------------------------------------------------------------------- merging

    def _merge_of(self, sweep: _Sweep, outer: str | None) -> str | None:
        """The merge at which all branches are together, or None where they never are."""
        full = [key for key in sweep.meetings if sweep.masks[key] == sweep.everyone]
        if full:
            if len(full) > 1 or self._goes_around(sweep, full[0], outer):
                self._overlap(sweep, full)
            return full[0]
        if outer is None and len(sweep.groups(sweep.meetings)) == 1:
            self._overlap(sweep, sweep.meetings)
        return outer

    def _goes_around(self, sweep: _Sweep, merge: str, outer: str | None) -> bool:
        """Whether a branch reaches the outer merge other than through `merge`."""
        if outer is None or outer == merge:
            return False
        return any(sweep.origins[source] != merge for source in sweep.sources.get(outer, ()))

    def _overlap(self, sweep: _Sweep, merges: list[str]) -> None:
        if sweep.wrong:
            return  # told already: some of these are no merges
        sweep.wrong = True
        named = list(dict.fromkeys(self._name(merge) for merge in merges))
        branches = [self._name(target) for target in sweep.targets]
        self.wrong.append(problems.overlap(self.flow.graph, named, branches))

    def _join(self, fork: Vertex, merge: str, sweep: _Sweep) -> None:
        """Lets the branches arrive inside of `fork`, which then leads to `merge` by itself."""
        met = self.flow[merge]
        node = met.merge if met.shape is Shape.ARRIVE else met.node
        arrive = self.flow.add(
            Vertex(key_of(fork.key, "arrive"), Shape.ARRIVE, merge=node, port=fork.port)
        )
        self.index[arrive.key] = self.index[merge]
        self.before[arrive.key] = set()
        fork.merge, fork.arrive = node, arrive.key
        sources = [source for source in sweep.sources.get(merge, ()) if source != fork.key]
        self._lead(sources, arrive.key, sweep)
        for source in sources:
            if source in sweep.tainted:
                self.wrong.append(
                    problems.outsider(self.flow.graph, self._name(merge), self._name(source))
                )
            vertex = self.flow[source]
            vertex.edges = [
                (label, arrive.key if target == merge else target) for label, target in vertex.edges
            ]
            self.before[merge].discard(source)
            self.before[arrive.key].add(source)
        fork.edges.append(("arrived", merge))
        self.before[merge].discard(fork.key)
        self.before[merge].add(fork.key)

    def _lead(self, sources: list[str], arrive: str, sweep: _Sweep) -> None:
        """Notes for everything that leads to these sources where it arrives."""
        self.leads[arrive] = arrive
        pending = list(sources)
        while pending:
            key = pending.pop()
            if key in sweep.origins and self.leads.get(key) != arrive:
                self.leads[key] = arrive
                pending += sweep.sources[key]

    def _branches(self, fork: Vertex, merge: str | None, groups: list[list[str]]) -> list[str]:
        """Adds the branches of a parallel vertex, one for each group of targets."""
        inner: list[str] = []
        for number, targets in enumerate(groups):
            branch = self.flow.add(
                Vertex(key_of(fork.key, f"branch {number}"), Shape.BRANCH, fork.node, fork.port)
            )
            target = targets[0] if targets[0] != merge else fork.arrive or OPEN
            if len(targets) > 1:
                nested = self.flow.add(
                    Vertex(key_of(branch.key, "fork"), Shape.FORK, fork.node, fork.port)
                )
                nested.edges = [
                    (str(place), fork.arrive or OPEN if key == merge else key)
                    for place, key in enumerate(targets)
                ]
                self._register(nested, fork.key)
                inner.append(nested.key)
                target = nested.key
            branch.edges.append(("", target))
            fork.branches.append(branch.key)
            fork.edges.insert(number, (f"branch {number}", branch.key))
            self._replace_source(fork.key, targets, inner[-1] if len(targets) > 1 else branch.key)
        return inner

    def _register(self, nested: Vertex, owner: str) -> None:
        self.index[nested.key] = self.index[owner]
        self.before[nested.key] = {owner}

    def _replace_source(self, old: str, targets: list[str], new: str) -> None:
        for target in targets:
            sources = self.before[target]
            if old in sources:
                sources.discard(old)
                sources.add(new)
