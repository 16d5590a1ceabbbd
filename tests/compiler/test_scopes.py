"""Which values exist where, and what people are told who read others."""

from __future__ import annotations

from typing import Any

import pytest
from nodegx.compiler.diagnostics import Diagnostic
from nodegx.compiler.scopes import Presence, Scopes, end_of_body
from nodegx.compiler.structure import analyse

from tests.support.graphs import data_wire, document, findings, graph, node, put, when

MERGE = node("m", "logic.merge")
ANY = node("m", "logic.merge", mode="any")
TRY = node("t", "logic.try")
LOOP = node("l", "logic.forEach", items=[1])
RETRY = node("again", "logic.retry")

CERTAIN, MAYBE, NEVER = Presence.CERTAIN, Presence.MAYBE, Presence.NEVER


def scopes(wires: str, *nodes: dict[str, Any]) -> Scopes:
    return Scopes(analyse(graph(document(wires, *nodes))))


VALUES = [
    ("before", "start > a > z", "a", CERTAIN),
    ("itself", "start > z", "z", NEVER),
    ("later", "start > z > a", "a", NEVER),
    ("one arm", "start > q; q.true > a > z; q.false > z", "a", MAYBE),
    ("the arm it is in", "start > q; q.true > a > z", "a", CERTAIN),
    ("the other arm", "start > q; q.true > a; q.false > z", "a", NEVER),
    ("both arms have passed it", "start > a > q; q.true > b > z; q.false > z", "a", CERTAIN),
    ("after its failure", "start > a > b; a.failure > z", "a", NEVER),
    ("after its failure rejoined", "start > a > z; a.failure > b > z", "a", MAYBE),
    ("a sibling", "start > a z", "a", NEVER),
    ("after a merge", "start > a b; a b > m > z", "a", CERTAIN),
    ("after a merge it may not reach", "start > q b; q.true > a > m; b > m > z", "a", MAYBE),
    ("in the body", "start > t; t.try > a > z", "a", CERTAIN),
    ("in catch", "start > t; t.try > a; t.catch > z", "a", MAYBE),
    ("in finally", "start > t; t.try > a; t.finally > z", "a", MAYBE),
    ("after a try without catch", "start > t; t.try > a; t.done > z", "a", CERTAIN),
    ("after a try with catch", "start > t; t.try > a; t.catch > b; t.done > z", "a", MAYBE),
    ("of finally, after it", "start > t; t.try > b; t.finally > a; t.done > z", "a", CERTAIN),
    ("of a loop's body, outside", "start > l > z; l.iteration > a", "a", NEVER),
    ("of a loop's body, inside", "start > l; l.iteration > a > z", "a", CERTAIN),
    ("of a loop", "start > l > z; l.iteration > a", "l", CERTAIN),
    ("of a loop, in its body", "start > l; l.iteration > z", "l", NEVER),
    ("of a retried body", "start > again > z; again.attempt > a", "a", CERTAIN),
    (
        "of a retried body that failed",
        "start > again; again.attempt > a; again.failure > z",
        "a",
        MAYBE,
    ),
]


@pytest.mark.parametrize(
    ("wires", "name", "expected"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES]
)
def test_values(wires: str, name: str, expected: Presence) -> None:
    found = scopes(
        wires, *(each for each in (when("q"), MERGE, TRY, LOOP, RETRY) if _used(each, wires))
    )
    assert found.value("z", name) is expected


def _used(each: dict[str, Any], wires: str) -> bool:
    names = wires.replace(";", " ").replace(">", " ").split()
    return each["id"] in {word.partition(".")[0] for word in names}


def test_merge_any_promises_only_what_every_branch_has() -> None:
    found = scopes("start > a b; a b > m > z", ANY)
    assert found.value("z", "a") is MAYBE


def test_triggers_exist_only_when_they_start_the_run() -> None:
    other = node("other", "trigger.event", event="x")
    found = scopes("start > a > z; other > b > z", node("start", "trigger.manual"), other)
    assert found.value("a", "start") is CERTAIN
    assert found.value("a", "other") is NEVER
    assert found.value("z", "other") is MAYBE


def test_errors() -> None:
    found = scopes("start > t; t.try > a > b; a.failure > c > d; t.catch > e; t.done > z", TRY)
    assert found.error("c", "a") is CERTAIN
    assert found.error("b", "a") is NEVER
    assert found.error("e", "t") is CERTAIN
    assert found.error("b", "t") is NEVER
    assert found.error("z", "a") is MAYBE


def test_a_loops_result_sees_its_body() -> None:
    found = scopes("start > l > z; l.iteration > a", LOOP)
    assert found.value(end_of_body("l"), "a") is CERTAIN
    assert found.loops("a") == ("l",)
    assert found.loops("z") == ()


# ------------------------------------------------------------------------------ findings


def only(drawn: dict[str, Any]) -> Diagnostic:
    (found,) = findings(drawn)
    return found


def test_a_value_that_cannot_have_been_computed() -> None:
    found = only(document("start > z > total", put("z", "sum: {{ total }}")))
    assert (found.code, found.node) == ("NX404", "z")
    assert found.message == "`total` cannot have run here"
    assert found.hint == "available here: start"
    assert found.pointer == ("nodes", 1, "parameters", "value")
    assert found.offset == len("sum: {{ ")
    assert found.line == 1


def test_an_unknown_name_is_guessed() -> None:
    found = only(document("start > order > z", put("z", {"a": ["{{ ordr.total }}"]})))
    assert found.code == "NX402"
    assert "`order`" in found.hint
    assert found.pointer == ("nodes", 1, "parameters", "value", "a", 0)


def test_every_wrong_name_is_told() -> None:
    found = findings(document("start > z", put("z", {"a": "{{ x }}", "b": "{{ y }} {{ x }}"})))
    assert [each.pointer[-1] for each in found] == ["a", "b"]


def test_a_value_of_a_loops_body() -> None:
    found = only(document("start > l > z; l.iteration > a", LOOP, put("z", "{{ a }}")))
    assert "inside a loop" in found.message
    assert found.hint == "set `result` of l and read l.results"


def test_an_error_outside_of_its_failure_branch() -> None:
    call = node("call", "http.request", url="https://x.example.com")
    found = only(document("start > call > z", call, put("z", "{{ call.error.message }}")))
    assert "`call.error` does not exist here" in found.message
    assert "`failure` of call" in found.hint


def test_a_key_called_error_of_a_plain_value() -> None:
    assert findings(document("start > a > z", put("z", "{{ a.error }}"))) == []


def test_items_outside_of_their_loop() -> None:
    found = only(document("start > l > z", LOOP, put("z", "{{ l.item }}")))
    assert found.message == "`l.item` exists only inside the loop"
    assert only(document("start > z", put("z", "{{ item }}"))).code == "NX404"


def test_a_node_without_a_value() -> None:
    found = only(document("start > q; q.true > z", when("q"), put("z", "{{ q }}")))
    assert "has no value: it is a logic.if" in found.message


def test_a_data_wire_from_a_value_that_does_not_exist() -> None:
    drawn = data_wire(document("start > z > a"), "a.value", "z.value")
    found = only(drawn)
    assert found.code == "NX404"
    assert found.pointer[0] == "connections"


def test_a_fault_in_a_pure_node_is_told_where_it_is() -> None:
    pure = node("half", "data.value", value="{{ later / 2 }}")
    found = only(document("start > z > later", pure, put("z", "{{ half }}")))
    assert (found.node, found.pointer) == ("half", ("nodes", 1, "parameters", "value"))
    assert "(computed for `z`)" in found.message


def test_a_port_that_does_not_exist() -> None:
    call = node("call", "http.request", url="https://x.example.com")
    found = only(document("start > call > z", call, put("z", "{{ call.stauts }}")))
    assert found.code == "NX401"
    assert "status" in found.hint


def test_a_node_that_never_runs() -> None:
    found = findings(document("start > z", put("lost"), put("z", "{{ lost }}")))
    assert "`lost` never runs" in [each.message for each in found]
