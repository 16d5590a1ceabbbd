"""What the builder passes around: where it lays out code, and how it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .choice import Arm
from .flow import ENTRY
from .results import Result

NO_RESULT = Result()


@dataclass(frozen=True, slots=True)
class Place:
    """Where code is being laid out.

    `returns` are the ends that a `return` leads to, with what it answers. `ends` are the ends of
    everything around that a signal may stop at. `region` is the region of a try the code is in:
    only what belongs to it may be called from here. `movable` are the ends that a `return` could
    lead to if what they end were a function of its own. `result` is what the end of an iteration
    still has to evaluate, which no `return` may do in the wrong place of a try.
    """

    returns: Mapping[str, bool]
    ends: frozenset[str]
    region: str = ENTRY
    movable: frozenset[str] = frozenset()
    result: Result = NO_RESULT
    depth: int = 0
    tries: int = 0

    def deeper(self, levels: int = 1, tries: int = 0) -> Place:
        """The place inside of a nested statement."""
        return replace(self, depth=self.depth + levels, tries=self.tries + tries)

    def without_returns(self) -> Place:
        """The place where a `return` could only stand if it were in a function of its own."""
        return replace(self, returns={}, movable=self.movable | self.returns.keys())

    def function(self, returns: Mapping[str, bool], ends: frozenset[str]) -> Place:
        """The place inside of a local function."""
        return Place(returns, ends, self.region, depth=self.depth + 1)


@dataclass(frozen=True, slots=True)
class Next:
    """Where a block goes on behind a construct. `enter` lays the target out right here, although
    it is a join."""

    target: str
    enter: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How the arms of a construct are laid out: `join` follows behind all of them, or `main` goes
    on in the same block while the others leave, or neither."""

    join: str | None
    main: Arm | None

    def follow(self, follow: str | None) -> str | None:
        """What comes next behind an arm, if `follow` comes behind the construct."""
        if self.join is not None:
            return self.join
        return follow if self.main is None or self.main.target == follow else None

    def after(self) -> Next | None:
        """Where the block goes on."""
        if self.join is not None:
            return Next(self.join, enter=True)
        return None if self.main is None else Next(self.main.target)


class NeedsReturnError(Exception):
    """Code can only be laid out if a `return` leads to the end `target`."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target
