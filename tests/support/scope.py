"""What one signal of the interpreter sees and leaves behind, on its own clock."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.expressions import evaluate
from tests.support.flow import Flow
from tests.support.trace import Event

NEVER = float("inf")
SAME = 1e-6
"""Moments closer than this, in seconds, are the same moment."""


class Tie(Exception):
    """The outcome hangs on the order of two things that happen at the same moment."""


@dataclass
class Failed(Exception):
    """A node has failed."""

    error: dict[str, Any]


class Stopped(Exception):
    """`logic.stop` has ended the run."""


class Cancelled(Exception):
    """A sibling's outcome has cut this branch off."""


@dataclass
class Scope:
    """What one signal sees and leaves behind. Values it writes stay its own until the branches
    join; `cancel_at` is the moment at which a sibling's outcome will cut it off."""

    time: float = 0.0
    cancel_at: float = NEVER
    parent: Scope | None = None
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    errors: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    loops: tuple[tuple[str, Any, int], ...] = ()
    closing: frozenset[str] = frozenset()  # merges at which branches around this place meet
    path: str = ""  # `[2]` for an iteration, `#3` for an attempt
    trace: list[Event] = field(default_factory=list[Event])

    def fork(self, *, time: float, cancel_at: float) -> Scope:
        return Scope(
            time,
            cancel_at,
            parent=self,
            loops=self.loops,
            path=self.path,
            closing=self.closing,
        )

    def absorb(self, child: Scope) -> None:
        self.values.update(child.values)
        self.errors.update(child.errors)
        self.count(child)

    def count(self, child: Scope) -> None:
        """Takes over how often the steps of a branch or iteration have been tried."""
        self.counts.update(child.counts)

    def counters(self) -> MutableMapping[str, int]:
        """How often steps have been tried, as far as this signal knows."""
        return ChainMap(self.counts, self.parent.counters()) if self.parent else self.counts

    def value(self, node: str) -> Any:
        if node in self.values:
            return self.values[node]
        return self.parent.value(node) if self.parent else None

    def error(self, node: str) -> dict[str, Any] | None:
        if node in self.errors:
            return self.errors[node]
        return self.parent.error(node) if self.parent else None

    def forget(self, nodes: Iterable[str]) -> None:
        for node in nodes:
            self.values[node] = None
            self.errors.pop(node, None)

    def pause(self, seconds: float) -> None:
        """Lets time pass."""
        end = self.time + seconds
        if abs(end - self.cancel_at) < SAME:
            raise Tie
        if end > self.cancel_at:
            self.time, self.cancel_at = self.cancel_at, NEVER
            raise Cancelled
        self.time = end


@dataclass
class Names:
    """The names of an expression, as one signal sees them."""

    flow: Flow
    scope: Scope
    surroundings: Mapping[str, Any]

    def lookup(self, name: str) -> Any:
        if name in {"item", "index"} and self.scope.loops:
            return self.scope.loops[-1][1 if name == "item" else 2]
        if name in self.flow.nodes:
            return self.node(name)
        return self.surroundings[name]

    def member(self, name: str, attribute: str) -> Any:
        if attribute in {"item", "index"}:
            for loop, item, index in self.scope.loops:
                if loop == name:
                    return item if attribute == "item" else index
        error = self.scope.error(name) if attribute == "error" else None
        if error is None:
            raise LookupError(name)
        return error

    def node(self, node: str) -> Any:
        if self.flow.nodes[node]["type"] == "data.value":
            return evaluate(self.flow.nodes[node]["parameters"].get("value"), self)
        return self.scope.value(node)


def failure(
    message: Any, code: str, node: str, *, retriable: bool = False, attempts: int = 1
) -> Failed:
    category = "retriable" if retriable else "fatal"
    return Failed(
        {
            "message": message,
            "code": code,
            "category": category,
            "node": node,
            "attempts": attempts,
            "details": None,
        }
    )
