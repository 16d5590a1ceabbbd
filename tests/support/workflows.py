"""Random workflows for property tests, each with inputs to run it on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.support.artist import Artist, End, Known, Place
from tests.support.drawing import TOP, Builder


@dataclass(frozen=True)
class Case:
    """A workflow and the runs to compare: pairs of trigger and input."""

    document: dict[str, Any]
    runs: list[tuple[str, Any]]

    def __repr__(self) -> str:
        return f"Case({json.dumps(self.document)}, runs={self.runs!r})"


def some_input(dice: Random) -> dict[str, Any]:
    """A value of a manual trigger."""
    items = [{"n": dice.randint(0, TOP)} for _ in range(dice.randint(0, 4))]
    return {"n": dice.randint(0, TOP), "items": items}


def well_formed_workflows(budget: int = 20) -> st.SearchStrategy[Case]:
    """Workflows that mean something."""
    return seeds().map(lambda seed: draw_well_formed(Random(seed), budget))


def seeds() -> st.SearchStrategy[int]:
    """Numbers that drawings grow from. A drawing depends on all of its choices at once, so plain
    chance explores more of them than small changes to earlier ones."""
    return st.integers(0, 2**48)


def draw_well_formed(dice: Random, budget: int) -> Case:
    """One workflow that means something, of about `budget` nodes."""
    out = Builder(settings={"timeout": 3600})
    artist = Artist(dice, out, budget, odd_ids=dice.random() < 0.2)
    out.add("trigger.manual", {}, id="start")
    ends: Sequence[End] = [End("start", "started", Known(frozenset({"start"})))]
    triggers = ["start"]
    if artist.chance(15):
        out.add("trigger.manual", {}, id="other")
        triggers.append("other")
        second: Sequence[End] = [End("other", "started", Known(frozenset({"other"})))]
        if artist.chance(50):
            second = artist.step(second, Place())
        ends = [*ends, *second]
    artist.sequence(ends, Place(), 8)
    runs = [(dice.choice(triggers), some_input(dice)) for _ in range(3)]
    return Case(out.document(), runs)
