"""Random workflows for property tests, each with inputs to run it on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
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


def inputs() -> st.SearchStrategy[Any]:
    """Values of a manual trigger."""
    number = st.integers(0, TOP)
    item = st.fixed_dictionaries({"n": number})
    return st.fixed_dictionaries({"n": number, "items": st.lists(item, max_size=4)})


@st.composite
def well_formed_workflows(draw: Any, budget: int = 18) -> Case:
    """Workflows that mean something."""
    out = Builder(settings={"timeout": 3600})
    artist = Artist(draw, out, budget, odd_ids=draw(st.integers(0, 4)) == 4)
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
    artist.sequence(ends, Place(), 6)
    runs = [(draw(st.sampled_from(triggers)), draw(inputs())) for _ in range(2)]
    return Case(out.document(), runs)
