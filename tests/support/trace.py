"""What a run did, as a partial order, and how to hold another run against it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Step:
    """One node's run. `id` carries the iteration path (`price[3]`)."""

    id: str
    type: str
    status: str
    port: str | None
    input: Any = None
    output: Any = None
    at: float = 0.0


@dataclass
class Parallel:
    """Traces that ran side by side."""

    branches: list[list[Event]] = field(default_factory=list)


Event = Step | Parallel


@dataclass(frozen=True)
class Observed:
    """A step as the real history has it, in the order of the history."""

    id: str
    type: str
    status: str
    port: str | None
    input: Any = None
    output: Any = None


def steps(events: Sequence[Event]) -> Iterator[Step]:
    """All steps of a trace, branch after branch."""
    for event in events:
        if isinstance(event, Step):
            yield event
        else:
            for branch in event.branches:
                yield from steps(branch)


def differences(expected: Sequence[Event], observed: Sequence[Observed]) -> list[str]:
    """What the two runs disagree about; empty when they are the same run."""
    wanted: dict[str, list[Step]] = defaultdict(list)
    for step in steps(expected):
        wanted[step.id].append(step)
    found: dict[str, list[Observed]] = defaultdict(list)
    for seen in observed:
        found[seen.id].append(seen)
    wrong = [
        f"{name}: ran {have} times, should run {want} times"
        for name, want, have in _counts(wanted, found)
        if want != have
    ]
    for name in sorted(wanted.keys() & found.keys()):
        for step, seen in zip(wanted[name], found[name], strict=False):
            wrong += [
                f"{name}: {what} is {have!r}, should be {want!r}"
                for what, want, have in (
                    ("type", step.type, seen.type),
                    ("status", step.status, seen.status),
                    ("port", step.port, seen.port),
                    ("input", step.input, seen.input),
                    ("output", step.output, seen.output),
                )
                if not _same(want, have)
            ]
    return wrong or _disorder(expected, observed)


def _same(want: Any, have: Any) -> bool:
    return isinstance(want, _Anything) or (want == have and type(want) is type(have))


class _Anything:
    """Stands for a value that the semantics leave open."""

    def __repr__(self) -> str:
        return "anything"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: Any) -> _Anything:
        return self


ANYTHING = _Anything()
NOTHING = _Anything()
"""Input of a step that failed before it began: the history notes it when the failure is handled."""


def _counts(
    wanted: dict[str, list[Step]], found: dict[str, list[Observed]]
) -> Iterator[tuple[str, int, int]]:
    want = Counter({name: len(group) for name, group in wanted.items()})
    have = Counter({name: len(group) for name, group in found.items()})
    for name in sorted(want | have):
        yield name, want[name], have[name]


CONTAINERS = frozenset({"logic.forEach", "logic.try", "logic.retry", "logic.merge"})
"""Nodes whose one record stands for a stretch of the run: its place in the order says nothing."""


def _disorder(expected: Sequence[Event], observed: Sequence[Observed]) -> list[str]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, seen in enumerate(observed):
        places[seen.id].append(place)
    turn: Counter[str] = Counter()
    wrong: list[str] = []

    def span(events: Sequence[Event], after: int) -> tuple[int, str]:
        """Checks that everything in `events` came after place `after`; returns the last place."""
        last, who = after, ""
        for event in events:
            if isinstance(event, Parallel):
                ends = [span(branch, last) for branch in event.branches]
                last, who = max([(last, who), *ends])
            elif event.type not in CONTAINERS and event.input is not NOTHING:
                place = places[event.id][turn[event.id]]
                turn[event.id] += 1
                if place < last:
                    wrong.append(f"{event.id}: ran before {who or 'its predecessor'}")
                last, who = max((last, who), (place, event.id))
        return last, who

    span(expected, -1)
    return wrong
