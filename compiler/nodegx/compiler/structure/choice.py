"""Decides, for one construct, how its joins and branches are laid out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .flow import Vertex
from .layout import Layout

SMALL = 4
"""Nodes in a branch that stays nested rather than becoming the rest of the block."""
BALANCED = 8
"""Nodes up to which two branches both stay nested, as if and else."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the exclusive ways out of a construct. `labels` are several for cases of a switch."""

    labels: tuple[str, ...]
    target: str


def arms_of(vertex: Vertex, *, grouped: bool = False) -> list[Arm]:
    """The ways out of a vertex; with `grouped` those with the same target are one."""
    if not grouped:
        return [Arm((label,), target) for label, target in vertex.edges]
    labels: dict[str, list[str]] = {}
    for label, target in vertex.edges:
        labels.setdefault(target, []).append(label)
    return [Arm(tuple(names), target) for target, names in labels.items()]


class Choices:
    """The decisions made so far: `shared` are the joins that became functions."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.shared: set[str] = set()
        self._exits: dict[str, frozenset[str]] = {}

    def snapshot(self) -> frozenset[str]:
        """The decisions made so far, for `restore`."""
        return frozenset(self.shared)

    def restore(self, shared: frozenset[str]) -> None:
        """Takes back the decisions made since."""
        self.shared = set(shared)
        self._exits.clear()

    def exits(self, target: str, extra: Collection[str] = ()) -> frozenset[str]:
        """Where the flow goes on once it has got to `target`: itself, or the ways out of the
        function it is in. `extra` are joins to be regarded as shared."""
        if target in self.shared:
            if target not in self._exits:
                self._exits[target] = self._of(self.layout.leaving[target], ())
            return self._exits[target]
        if target in extra:
            return self._of(self.layout.leaving[target], extra)
        return frozenset({target})

    def _of(self, targets: Iterable[str], extra: Collection[str]) -> frozenset[str]:
        found: set[str] = set()
        for target in targets:
            found |= self.exits(target, extra)
        return frozenset(found)

    def ways_out(self, arm: Arm) -> frozenset[str]:
        """Where the flow goes on at the end of an arm."""
        if self.layout.inline(arm.target):
            return self._of(self.layout.leaving[arm.target], ())
        return self.exits(arm.target)

    def place(self, key: str, arms: list[Arm], returns: Collection[str]) -> str | None:
        """The join of a construct that follows right behind it, or None. It must be reached by
        everything that does not end the function.

        Args:
            key: the construct.
            arms: its ways out.
            returns: ends that a `return` leads to.
        """
        joins = self.layout.belonging(key)
        fitting: dict[str, frozenset[str]] = {}
        for join in joins:
            if join not in self.layout.crossing:
                ends = self._ends_around(key, join, joins, arms)
                if ends <= set(returns):
                    fitting[join] = ends
        if not fitting:
            return None
        best = max(fitting, key=lambda join: self._rank(join, bool(fitting[join])))
        return None if fitting[best] and self._aside(key, best) else best

    def _rank(self, join: str, avoidable: bool) -> tuple[bool, bool, int, int, int]:
        """The better, the greater: what nothing goes around, what is no mere handling of errors,
        what is reached from most places, what most follows, what comes first."""
        layout = self.layout
        normal = layout.normal[join]
        ways = normal + layout.failing[join]
        return not avoidable, normal > 0, ways, layout.size[join], -layout.tree.index[join]

    def _ends_around(
        self, key: str, join: str, joins: list[str], arms: list[Arm]
    ) -> frozenset[str]:
        """Where the flow ends that goes around `join`."""
        others = {other for other in joins if other != join}
        around: set[str] = {arm.target for arm in arms if not self.layout.inline(arm.target)}
        for child in self.layout.tree.children[key]:
            if child not in self.layout.joins:
                around |= self.layout.leaving[child]
        return self._of(around, others) - {join}

    def _aside(self, key: str, join: str) -> bool:
        """Whether a join is rather a side issue, such as an error reply that several steps share,
        than what the construct leads to."""
        layout = self.layout
        if layout.failing[join] < layout.normal[join]:
            return False
        others = sum(
            layout.size[child] for child in layout.tree.children[key] if child not in layout.joins
        )
        return layout.size[join] < others

    def main_arm(self, arms: list[Arm], returns: Collection[str]) -> Arm | None:
        """The arm that goes on in the same block while the others end the function, if that reads
        better than nesting all of them.

        Args:
            arms: the ways out; the first one is the most natural to go on with.
            returns: ends that a `return` leads to.
        """
        sizes = {arm: self._size(arm) for arm in arms}
        open_ended = [arm for arm in arms if not self.ways_out(arm) <= set(returns)]
        if len(open_ended) > 1:
            return None
        largest = max(sizes.values())
        others = sum(sizes.values()) - largest
        if largest <= (BALANCED if others else SMALL):
            return None
        if open_ended:
            return open_ended[0]
        return max(arms, key=lambda arm: sizes[arm])

    def _size(self, arm: Arm) -> int:
        return self.layout.size[arm.target] if self.layout.inline(arm.target) else 0
