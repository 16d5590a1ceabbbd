"""Signals become nested statements, or a finding that says why they cannot."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError
from nodegx.compiler.structure import structure
from nodegx.compiler.tree import (
    Attempt,
    Block,
    Branch,
    Call,
    Define,
    Function,
    Leave,
    Loop,
    Parallel,
    Repeat,
    Started,
    Step,
    Stop,
    Switch,
    Try,
)

from tests.support.graphs import document, graph, node, put, when

MERGE = "logic.merge"


def built(wires: str, *nodes: dict[str, Any]) -> Function:
    return structure(graph(document(wires, *nodes)))


def outline(block: Block) -> str:
    """A block in one line."""
    return " ".join(filter(None, map(_outline, block)))


def _outline(statement: Any) -> str:
    match statement:
        case Step(node=name):
            return name
        case Attempt(step=step, failure=failure, done=done):
            return f"try({_outline(step)} | {outline(failure)} | {outline(done)})"
        case Branch(node=name, then=then, otherwise=otherwise):
            return f"{name}({outline(then)} | {outline(otherwise)})"
        case Switch(node=name, cases=cases, default=default):
            parts = [f"{'/'.join(case.names)}: {outline(case.body)}" for case in cases]
            return f"{name}({' | '.join([*parts, outline(default)])})"
        case Loop(node=name, body=body) | Repeat(node=name, body=body):
            return f"{name}[{outline(body.body)}]"
        case Try(node=name, body=body, catch=catch, last=last):
            return f"{name}{{{outline(body)} | {outline(catch or ())} | {outline(last or ())}}}"
        case Parallel(branches=branches, short=short):
            inside = " & ".join(outline(branch.body) for branch in branches)
            return f"<{inside}>" + (f" else({outline(short)})" if short else "")
        case Define(function=made):
            return f"def {made.node}({outline(made.body)})"
        case Call(key=key):
            return f"call {key}"
        case Started(arms=arms):
            return f"started({' | '.join(outline(body) for _, body in arms)})"
        case Leave():
            return "return"
        case Stop(node=name):
            return f"stop {name}"
        case _:
            return ""


def found(wires: str, *nodes: dict[str, Any]) -> list[Diagnostic]:
    with pytest.raises(DiagnosticError) as caught:
        built(wires, *nodes)
    return caught.value.diagnostics


def merge(id: str, mode: str = "all") -> dict[str, Any]:
    return node(id, MERGE, mode=mode)


def guard(id: str) -> dict[str, Any]:
    return node(id, "logic.try")


def each(id: str, **parameters: Any) -> dict[str, Any]:
    return node(id, "logic.forEach", items=[1], **parameters)


CASES = [
    ("a sequence", "start > a > b", "a b"),
    ("both arms rejoin", "start > q; q.true > a > z; q.false > b > z", "q(a | b) z"),
    ("one arm", "start > q; q.true > a > z; q.false > z", "q(a | ) z"),
    ("both arms lead to the same node", "start > q; q.true q.false > z", "q( | ) z"),
    ("one arm ends", "start > q; q.true > a; q.false > b", "q(a | b)"),
    ("failure ends", "start > a > b; a.failure > c", "try(a | c return | ) b"),
    ("failure ends, nothing else", "start > a; a.failure > c", "try(a | c | )"),
    ("failure rejoins", "start > a > z; a.failure > c > z", "try(a | c | ) z"),
    ("failure rejoins later", "start > a > b > z; a.failure > z", "try(a |  | b) z"),
    (
        "a join that some branches miss",
        "start > q; q.true > a > y; q.false > r; r.true > y; r.false > z; y > z",
        "def y(y) q(a call y | r(call y | )) z",
    ),
    ("try", "start > t; t.try > a; t.catch > b; t.finally > c; t.done > d", "t{a | b | c} d"),
    ("body and catch rejoin", "start > t; t.try > a > z; t.catch > b > z", "t{a | b | } z"),
    ("the body ends early", "start > t; t.try > q; q.true > a; t.done > z", "t{q(a | ) |  | } z"),
    ("loop", "start > l > z; l.iteration > a > b", "l[a b] z"),
    ("loop in a loop", "start > l; l.iteration > k; k.iteration > a", "l[k[a]]"),
    ("branches that meet", "start > a b; a b > m > z", "<a & b> z"),
    ("branches that never meet", "start > a b", "<a & b>"),
    ("some first", "start > a b c; a b > m > d; d c > n > z", "<<a & b> d & c> z"),
    ("two pairs", "start > a b c d; a b > m; c d > n", "<<a & b> & <c & d>>"),
    (
        "two pairs that meet",
        "start > a b c d; a b > m; c d > n; m n > p > z",
        "<<a & b> & <c & d>> z",
    ),
    ("a branch forks again", "start > a b; a > c d; b c d > m > z", "<a <c & d> & b> z"),
    (
        "a branch may stop short",
        "start > q b; q.true > m; b > m > z",
        "<q( | return) & b> z",
    ),
    (
        "no branch may arrive",
        "start > q r; q.true r.true > m > z",
        "<q( | return) & r( | return)> else(return) z",
    ),
    (
        "branches or the other way",
        "start > q; q.true > a b; a b > m > z; q.false > m",
        "q(<a & b> | ) z",
    ),
    ("a merge of exclusive ways", "start > q; q.true > a > m; q.false > m > z", "q(a | ) z"),
    (
        "retry",
        "start > again > z; again.attempt > a; again.failure > b",
        "try(again[a] | b return | ) z",
    ),
    ("stop", "start > q; q.true > s; q.false > a", "q(stop s | a)"),
]

KINDS = {
    "q": when("q"),
    "r": when("r"),
    "t": guard("t"),
    "l": each("l"),
    "k": each("k"),
    "m": merge("m"),
    "n": merge("n"),
    "p": merge("p"),
    "again": node("again", "logic.retry"),
    "s": node("s", "logic.stop"),
}


def kinds(wires: str) -> list[dict[str, Any]]:
    names = {word.partition(".")[0] for word in wires.replace(";", " ").replace(">", " ").split()}
    return [KINDS[name] for name in sorted(names & KINDS.keys())]


@pytest.mark.parametrize(
    ("wires", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_shapes(wires: str, expected: str) -> None:
    assert outline(built(wires, *kinds(wires)).body) == expected


def test_an_error_reply_that_several_steps_share_is_a_function() -> None:
    tree = built("start > a > b > c; a.failure b.failure c.failure > oops")
    assert outline(tree.body) == (
        "def oops(oops) try(a | call oops return | ) try(b | call oops return | ) try(c | call oops | )"
    )


def test_cases_with_the_same_target_are_one() -> None:
    cases = [{"name": name, "value": name} for name in ("x", "y", "z")]
    switch = node("w", "logic.switch", value=1, cases=cases)
    tree = built("start > w; w.x w.z > a > end; w.y > b > end; w.default > end", switch)
    assert outline(tree.body) == "w(x/z: a | y: b | ) end"


def test_triggers_that_rejoin() -> None:
    tree = built("start > a > z; other > b > z", node("start", "trigger.manual"), _event("other"))
    assert outline(tree.body) == "started(a | b) z"


def _event(id: str) -> dict[str, Any]:
    return node(id, "trigger.event", event="x")


def test_no_node_stands_twice() -> None:
    wires = (
        "start > q; q.true > a > x; q.false > r; r.true > x; r.false > b > y;"
        "a.failure > y; b.failure > x; x > z; y.failure > z"
    )
    text = re.sub(r"call \w+", "", outline(built(wires, *kinds(wires)).body))
    steps = [letter for letter in re.findall(r"\b[a-z]\b", text) if letter not in {"q", "r"}]
    definitions = re.findall(r"def (\w+)", text)
    assert sorted(steps) == sorted([*"abxyz", *definitions])


# ------------------------------------------------------------------------------ refusals


def test_circle() -> None:
    drawn = graph(document("start > a > b > c"))
    wires = {**drawn.wires, "c": {"done": ("a",)}}
    object.__setattr__(drawn, "wires", wires)
    with pytest.raises(DiagnosticError) as caught:
        structure(drawn)
    (only,) = caught.value.diagnostics
    assert only.code == "NX501"
    assert '"a" → "b" → "c" → "a"' in only.message


REFUSED = [
    ("branches meet without a merge", "NX502", "z", "start > a b; a b > z"),
    (
        "a branch meets what follows the merge",
        "NX502",
        "z",
        "start > a b; a b > m > z; a.failure > z",
    ),
    ("failures of branches meet", "NX502", "z", "start > a b; a b > m; a.failure b.failure > z"),
    ("a loop body leads out", "NX503", "z", "start > l > z; l.iteration > a > z"),
    ("a retry leads out", "NX503", "z", "start > again > z; again.attempt > a > z"),
    ("finally leads out", "NX503", "z", "start > t; t.finally > a > z; t.done > z"),
    ("branches overlap", "NX504", "m", "start > a b c; a b > m; b.failure c > n"),
    ("a branch goes around a merge", "NX504", "m", "start > a b; a b > m > n; a.failure > n"),
    (
        "a merge is reached from elsewhere",
        "NX505",
        "m",
        "start > x; x > a b; a b > m; a.failure > c; x.failure > c; c > m",
    ),
    (
        "a try goes on at two places",
        "NX506",
        "t",
        "start > q; q.true > t; t.try > a; a > y; a.failure > z; q.false > r; r.true > y; r.false > z",
    ),
    ("a branch leads out of its try", "NX507", "z", "start > t; t.try > a b; a > z; t.catch > z"),
    ("done is never sent", "NX508", "d", "start > t; t.try > a > z; t.catch > z; t.done > d"),
]


@pytest.mark.parametrize(
    ("code", "at", "wires"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refused(code: str, at: str, wires: str) -> None:
    (only,) = found(wires, *kinds(wires))
    assert (only.code, only.node) == (code, at)
    assert only.pointer[0] == "nodes"
    assert only.hint


def test_a_missing_merge_is_told_with_its_place() -> None:
    (only,) = found("start > a b; a > c; b c > z")
    assert '"a" and "b"' in only.message
    assert only.hint == 'put a logic.merge in front of "z" and wire "b" and "c" to it'


def test_every_missing_merge_is_told() -> None:
    assert [each.node for each in found("start > a b; a b > y; y > c d; c d > z")] == ["y", "z"]


# ------------------------------------------------------------------------------ size


def chain(length: int) -> str:
    return "start > " + " > ".join(f"n{number}" for number in range(length))


@pytest.mark.parametrize(
    "wires",
    [
        chain(2000),
        f"{chain(2000)}; {' '.join(f'n{number}.failure' for number in range(2000))} > z",
        ";".join(
            f"n{number} > a{number} b{number} > m{number} > n{number + 1}" for number in range(500)
        )
        + "; start > n0",
    ],
    ids=["chain", "chain with a shared handler", "forks in a row"],
)
def test_large_drawings_take_no_time(wires: str) -> None:
    merges = [merge(f"m{number}") for number in range(500)] if "m0" in wires else []
    drawn = graph(document(wires, *merges))
    started = time.process_time()  # other work on the machine must not count
    structure(drawn)
    assert time.process_time() - started < 2


def test_conditions_in_a_row_do_not_nest() -> None:
    count = 500
    nodes = [when(f"q{number}") for number in range(count)]
    wires = "start > q0; " + ";".join(
        f"q{number}.true > a{number}; q{number}.false > q{number + 1}"
        for number in range(count - 1)
    )
    tree = built(wires, *nodes)
    assert sum(isinstance(statement, Branch) for statement in tree.body) > count - 10


def test_too_much_nesting_is_refused() -> None:
    count = 200
    nodes = [when(f"q{number}") for number in range(count)]
    wires = "start > q0; " + ";".join(
        f"q{number}.true > q{number + 1}; q{number}.false > a{number} > z"
        for number in range(count - 1)
    )
    (only,) = found(f"{wires}; q{count - 1}.true > z", *nodes)
    assert only.code == "NX509"


def test_too_many_alternatives_are_refused() -> None:
    triggers = [_event(f"t{number}") for number in range(101)]
    starts = ";".join(f"{trigger['id']} > a" for trigger in triggers)
    (only,) = found(starts, *triggers, node("start", "trigger.manual"))
    assert only.code == "NX511"
    cases = [{"name": f"c{number}", "when": "{{ start.n }}"} for number in range(101)]
    (only,) = found("start > w; w.c1 > a", node("w", "logic.switch", cases=cases))
    assert (only.code, only.node) == ("NX511", "w")


def test_put_is_a_step() -> None:
    assert outline(built("start > a", put("a")).body) == "a"
