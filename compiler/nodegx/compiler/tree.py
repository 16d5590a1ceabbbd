"""Structured control flow: what `structure` makes of a signal graph and `emit` prints.

A block is a sequence of statements. Falling off the end of a block goes on behind the statement
that holds it; `Leave` ends the function the block belongs to. A statement never names where it
goes next: its place says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Why a function exists, which decides its name, its arguments and what it returns."""

    MAIN = "main"  # the handler itself
    BRANCH = "branch"  # one of several concurrent branches
    ITERATION = "iteration"  # body of forEach: item and index; returns the iteration's result
    ATTEMPT = "attempt"  # body of retry
    SHARED = "shared"  # steps that several places go on to
    PART = "part"  # a region of a try that is left in the middle


@dataclass(frozen=True, slots=True)
class Function:
    """A local coroutine function.

    `node` is the first node it runs (for ITERATION and ATTEMPT: the node whose body it is), `key`
    tells it from every other function of the workflow. `answers` says that it returns whether the
    flow arrived at what follows the call (for a branch: at the merge); False means the flow ended
    inside, or took the one other way that the call site knows of.
    """

    role: Role
    key: str
    node: str
    body: Block
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """The trigger `node` has started the run: its value is bound."""

    node: str


@dataclass(frozen=True, slots=True)
class Started:
    """Exactly one arm runs, the one of the trigger that started the run."""

    arms: tuple[tuple[str, Block], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One awaited step of an action node."""

    node: str


@dataclass(frozen=True, slots=True)
class Loop:
    """`logic.forEach`: `body` for every item."""

    node: str
    body: Function


@dataclass(frozen=True, slots=True)
class Repeat:
    """`logic.retry`: `body` until it succeeds."""

    node: str
    body: Function


@dataclass(frozen=True, slots=True)
class Attempt:
    """A statement whose failure is handled: `failure` runs if it failed, `done` if not. What both
    have in common follows behind."""

    step: Step | Loop | Repeat
    failure: Block
    done: Block = ()

    @property
    def node(self) -> str:
        """The node that may fail."""
        return self.step.node


@dataclass(frozen=True, slots=True)
class Branch:
    """`logic.if`. Either block may be empty."""

    node: str
    then: Block
    otherwise: Block = ()


@dataclass(frozen=True, slots=True)
class Case:
    """What runs for any of the cases called `names`."""

    names: tuple[str, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class Switch:
    """One of `cases`, else `default`. `node` is a `logic.switch`, or an action with outputs of its
    own whose step stands right before."""

    node: str
    cases: tuple[Case, ...]
    default: Block = ()


@dataclass(frozen=True, slots=True)
class Try:
    """`logic.try`. None stands for an output without a wire."""

    node: str
    body: Block
    catch: Block | None
    last: Block | None


@dataclass(frozen=True, slots=True)
class Parallel:
    """Concurrent branches, joined by `merge` if they go on together. `key` tells it from others.

    `arrived` runs if at least one branch arrived at the merge, `short` if none did; `short` is None
    where that cannot happen or makes no difference. What both have in common follows behind.
    `wins` says that the first arrival cancels the others (merge `any`).
    """

    key: str
    merge: str | None
    branches: tuple[Function, ...]
    wins: bool = False
    arrived: Block = ()
    short: Block | None = None


@dataclass(frozen=True, slots=True)
class Define:
    """A local function that later statements call."""

    function: Function


@dataclass(frozen=True, slots=True)
class Call:
    """Runs the shared function `key`.

    Where the function answers, `arrived` runs after True and `short` after False; `short` is None
    where it does not.
    """

    key: str
    arrived: Block = ()
    short: Block | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """`logic.stop`: nothing follows."""

    node: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Ends the function. `arrived` is its answer where it answers."""

    arrived: bool = False


Statement = (
    Start
    | Started
    | Step
    | Loop
    | Repeat
    | Attempt
    | Branch
    | Switch
    | Try
    | Parallel
    | Define
    | Call
    | Stop
    | Leave
)
Block = tuple[Statement, ...]
