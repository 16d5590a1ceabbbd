"""The wires of a workflow, and the questions the interpreter asks about them.

Every answer is found by plain reachability, recomputed from the wires: slow and hard to get wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

SIGNALS: dict[str, tuple[str, ...]] = {
    "trigger.manual": ("started",),
    "trigger.event": ("received",),
    "trigger.webhook": ("received",),
    "cloud.request": ("received",),
    "logic.if": ("true", "false"),
    "logic.forEach": ("iteration", "completed", "failure"),
    "logic.merge": ("done",),
    "logic.try": ("try", "catch", "finally", "done"),
    "logic.retry": ("attempt", "done", "failure"),
    "logic.stop": (),
}


class IllFormed(Exception):
    """The drawing has no meaning; a compiler must refuse it."""


@dataclass(frozen=True)
class Wire:
    source: str
    source_port: str
    target: str
    target_port: str


@dataclass(frozen=True)
class Branch:
    """One of several concurrent branches: a single entry, or branches joined by a merge that goes
    on as one."""

    entry: str
    members: tuple[Branch, ...] = ()


class Flow:
    """A workflow's nodes and wires."""

    def __init__(self, workflow: Mapping[str, Any]) -> None:
        self.name: str = workflow["name"]
        self.nodes: dict[str, Mapping[str, Any]] = {
            node["id"]: {**node, "type": node["type"].removeprefix("python.")}
            for node in workflow["nodes"]
        }
        wires = [
            Wire(wire["sourceId"], wire["sourcePort"], wire["targetId"], wire["targetPort"])
            for wire in workflow["connections"]
        ]
        self.signals = [wire for wire in wires if wire.source_port in self.ports(wire.source)]
        self.data = [wire for wire in wires if wire.source_port not in self.ports(wire.source)]
        self._regions: dict[tuple[str, str], frozenset[str]] = {}

    def ports(self, node: str) -> tuple[str, ...]:
        """The signals a node may send."""
        kind = self.nodes[node]["type"]
        parameters = self.nodes[node].get("parameters", {})
        if kind == "logic.switch":
            return (*(case["name"] for case in parameters["cases"]), "default")
        if kind == "code.python" and parameters.get("outputs"):
            return (*parameters["outputs"], "failure")
        return SIGNALS.get(kind, ("done", "failure"))

    def targets(self, node: str, port: str) -> tuple[str, ...]:
        """Where a signal goes, in file order."""
        return tuple(
            wire.target for wire in self.signals if wire.source == node and wire.source_port == port
        )

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        return tuple(
            node
            for node, spec in self.nodes.items()
            if spec["type"].startswith("trigger.") or spec["type"] == "cloud.request"
        )

    def reach(
        self,
        starts: Iterable[str],
        *,
        stops: frozenset[str] = frozenset(),
        without: tuple[str, str] | None = None,
    ) -> frozenset[str]:
        """Nodes that a signal at `starts` may get to. It does not go past `stops`, nor leave a node
        through the port `without`."""
        seen: set[str] = set()
        queue = list(starts)
        while queue:
            node = queue.pop()
            if node in seen:
                continue
            seen.add(node)
            if node in stops:
                continue
            queue.extend(
                wire.target
                for wire in self.signals
                if wire.source == node and (node, wire.source_port) != without
            )
        return frozenset(seen)

    def region(self, node: str, port: str) -> frozenset[str]:
        """Nodes that run only because `node` has sent `port`."""
        if (node, port) not in self._regions:
            inside = self.reach(self.targets(node, port))
            self._regions[node, port] = inside - self.reach(self.triggers, without=(node, port))
        return self._regions[node, port]

    def outside(self, node: str, port: str) -> frozenset[str]:
        """Everything but that region: a signal of the region goes no further than here."""
        return frozenset(self.nodes) - self.region(node, port)

    def is_merge(self, node: str) -> bool:
        return self.nodes[node]["type"] == "logic.merge"

    def mode(self, merge: str) -> str:
        """`all` or `any`."""
        return str(self.nodes[merge].get("parameters", {}).get("mode", "all"))

    def concurrent(self, targets: Iterable[str], stops: frozenset[str]) -> list[Branch]:
        """The branches that one signal to several targets starts, those that meet at a merge
        combined into one that goes on from there."""
        branches = [Branch(target) for target in targets]
        while True:
            reach = [self.reach([branch.entry], stops=stops) for branch in branches]
            shared = [
                node
                for node in self.nodes
                if self.is_merge(node) and sum(node in nodes for nodes in reach) > 1
            ]
            first = [
                merge
                for merge in shared
                if not any(
                    other != merge and merge in self.reach([other], stops=stops)
                    for other in shared
                    if other not in stops
                )
            ]
            if not first:
                break
            merge = first[0]
            joined = tuple(
                branch for branch, nodes in zip(branches, reach, strict=True) if merge in nodes
            )
            branches = [
                *(branch for branch in branches if branch not in joined),
                Branch(merge, joined),
            ]
        self._check_apart(branches, stops)
        return branches

    def _check_apart(self, branches: list[Branch], stops: frozenset[str]) -> None:
        seen: set[str] = set()
        for branch in branches:
            if branch.members:
                self._check_apart(list(branch.members), stops | {branch.entry})
            nodes = self.reach([branch.entry], stops=stops)
            nodes -= {stop for stop in stops if self.is_merge(stop)}
            if seen & nodes:
                raise IllFormed(f"concurrent branches meet at {sorted(seen & nodes)}")
            seen |= nodes
