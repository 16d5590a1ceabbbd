"""Workflows that may or may not mean something, and workflows that certainly do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.support.artist import Artist, End, Known, Place
from tests.support.drawing import CALLEES, TOP, Builder
from tests.support.workflows import Case, seeds, some_input

PORTS: dict[str, tuple[str, ...]] = {
    "data.set": ("done",),
    "logic.wait": ("done",),
    "code.python": ("done", "failure"),
    "workflow.call": ("done", "failure"),
    "cloud.response": ("done",),
    "logic.if": ("true", "false"),
    "logic.switch": ("one", "two", "default"),
    "logic.merge": ("done",),
    "logic.try": ("try", "catch", "finally", "done"),
    "logic.forEach": ("iteration", "completed", "failure"),
    "logic.retry": ("attempt", "done", "failure"),
    "logic.stop": (),
}
LIKELY = (
    *("data.set",) * 5,
    *("logic.wait",) * 2,
    *("code.python",) * 3,
    *("logic.if",) * 4,
    *("logic.merge",) * 3,
    *("logic.try",) * 2,
    "logic.switch",
    "logic.forEach",
    "logic.retry",
    "cloud.response",
    "workflow.call",
    "logic.stop",
)


def arbitrary_workflows(size: int = 12) -> st.SearchStrategy[Case]:
    """Workflows wired at random."""
    return seeds().map(lambda seed: draw_arbitrary(Random(seed), size))


def draw_arbitrary(dice: Random, size: int) -> Case:
    """Nodes wired forward at random: fans, joins and exits from blocks wherever chance puts them.

    Expressions read only nodes that stand before, and expect that they have no value.
    """
    out = Builder(settings={"timeout": 3600})
    out.add("trigger.manual", {}, id="start")
    wanted: dict[int, list[tuple[str, str]]] = {0: [("start", "started")]}
    count = dice.randint(3, size)

    def ahead(at: int) -> int:
        return dice.randint(at + 1, min(at + 4, count))

    if dice.random() < 0.25:
        wanted.setdefault(1, []).append(("start", "started"))
    named = ["start"]
    for at in range(count):
        if at not in wanted:
            continue
        type = dice.choice(LIKELY)
        node = out.add(type, _parameters(dice, out, type, named), id=f"n{at}")
        for source, port in wanted[at]:
            out.wire(source, port, node)
        if type in {"data.set", "code.python", "workflow.call"}:
            named.append(node)
        for port in PORTS[type]:
            fan = dice.randint(0, 9)
            goals = {ahead(at) for _ in range(0 if fan < 3 else 2 if fan > 7 else 1)}
            for goal in goals:
                wanted.setdefault(goal, []).append((node, port))
    return Case(out.document(), [("start", some_input(dice)) for _ in range(3)])


def _parameters(dice: Random, out: Builder, type: str, named: list[str]) -> dict[str, Any]:
    node = dice.choice(named)
    amount = f"({node}.n if {node} else {dice.randint(0, TOP)})"
    limit = dice.randint(1, 4)
    match type:
        case "data.set":
            return {"value": {"n": f"{{{{ {amount} }}}}"}}
        case "logic.wait":
            return {"duration": out.moment()}
        case "code.python":
            code = (
                "async def later(y):\n    return y\n\n"
                f"if x > {limit}:\n    raise ValueError('no')\nreturn {{'n': await later(x)}}"
            )
            return {"code": code, "inputs": {"x": f"{{{{ {amount} }}}}"}}
        case "workflow.call":
            return {"workflow": CALLEES[1], "input": {"n": f"{{{{ {amount} }}}}"}}
        case "cloud.response":
            return {"body": f"{{{{ {amount} }}}}"}
        case "logic.if":
            return {"condition": f"{{{{ {amount} > {limit} }}}}"}
        case "logic.switch":
            cases = [{"name": "one", "value": 1}, {"name": "two", "value": 2}]
            return {"value": f"{{{{ {amount} % 3 }}}}", "cases": cases}
        case "logic.merge":
            return {"mode": dice.choice(("all", "any"))}
        case "logic.forEach":
            return {"items": [1, 2], "result": f"{{{{ {amount} + item }}}}"}
        case "logic.retry":
            return {"maxAttempts": 2, "delay": out.moment(), "jitter": 0, "retryOn": ["fatal"]}
        case _:
            return {}


@dataclass(frozen=True)
class Broken:
    """A workflow and the codes of which a compiler must report at least one."""

    case: Case
    codes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Broken({self.case!r}, codes={self.codes})"


Mistake = Callable[[Artist, list[End]], tuple[str, ...]]


def _join_without_merge(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    one = artist.step(ends, Place())
    other = artist.step(ends, Place())
    artist.step([*one, *other], Place())
    return ("NX5",)


def _join_deep_inside(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    """One branch leads into the middle of an exclusive part of the other."""
    (one,) = artist.step(ends, Place())
    choice = artist.add("logic.if", {"condition": "{{ start.n > 2 }}"}, ends)
    artist.step([one, End(choice, "true", one.known)], Place())
    return ("NX5",)


def _body_leads_out(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    loop = artist.add("logic.forEach", {"items": [1, 2], "result": 0}, ends)
    known = ends[0].known
    body = artist.step([End(loop, "iteration", known)], Place())
    artist.step([*body, End(loop, "completed", known)], Place())
    return ("NX5",)


def _circle(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    (first,) = artist.step(ends, Place())
    choice = artist.add("logic.if", {"condition": "{{ start.n > 2 }}"}, [first])
    artist.out.wire(choice, "true", first.node)
    return ("NX3", "NX5")


def _unknown_name(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    artist.add("data.set", {"value": "{{ nobody.n }}"}, ends)
    return ("NX4",)


def _name_of_the_future(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    (first,) = artist.step(ends, Place())
    early = artist.add("data.set", {"value": "{{ later.n }}"}, [first])
    later = artist.out.add("data.set", {"value": {"n": 1}}, id="later")
    artist.out.wire(early, "done", later)
    return ("NX4",)


def _name_from_a_loop(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    loop = artist.add("logic.forEach", {"items": [1, 2], "result": 0}, ends)
    inner = artist.add("data.set", {"value": {"n": 1}}, [End(loop, "iteration", Known())])
    artist.add("data.set", {"value": f"{{{{ {inner}.n }}}}"}, [End(loop, "completed", Known())])
    return ("NX4",)


def _name_from_a_sibling(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    one = artist.add("data.set", {"value": {"n": 1}}, ends)
    artist.add("data.set", {"value": f"{{{{ {one}.n }}}}"}, ends)
    return ("NX4",)


def _item_outside(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    artist.add("data.set", {"value": "{{ item }}"}, ends)
    return ("NX4",)


def _error_outside(artist: Artist, ends: list[End]) -> tuple[str, ...]:
    loop = artist.add("logic.forEach", {"items": [1, 2], "result": 0}, ends)
    artist.add(
        "data.set", {"value": f"{{{{ {loop}.error.message }}}}"}, [End(loop, "completed", Known())]
    )
    return ("NX4",)


MISTAKES: tuple[Mistake, ...] = (
    _join_without_merge,
    _join_deep_inside,
    _body_leads_out,
    _circle,
    _unknown_name,
    _name_of_the_future,
    _name_from_a_loop,
    _name_from_a_sibling,
    _item_outside,
    _error_outside,
)


def broken_workflows() -> st.SearchStrategy[Broken]:
    """Workflows with one mistake each."""
    return seeds().map(lambda seed: draw_broken(Random(seed)))


def draw_broken(dice: Random) -> Broken:
    """A well-formed beginning with one mistake behind it."""
    out = Builder()
    artist = Artist(dice, out, budget=6)
    out.add("trigger.manual", {}, id="start")
    start = End("start", "started", Known(frozenset({"start"})))
    before: list[End] = [start]
    if dice.random() < 0.5:
        before = list(artist.choice(before, Place(depth=3))) or before
    if len(before) > 1 or before == [start]:
        before = list(artist.step(before, Place(depth=3)))
    codes = dice.choice(MISTAKES)(artist, before)
    return Broken(Case(out.document(), []), codes)
