"""Which workflows are durable by themselves, and which are by what they call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nodegx.compiler.check import check
from nodegx.compiler.checks.across import Call, Interface
from nodegx.compiler.diagnostics import Severity
from nodegx.compiler.durability import durable_names
from nodegx.compiler.pipeline import compile_checked, compile_source
from nodegx.compiler.read import parse

from tests.support.graphs import Document, compiled, document, findings, node, when


def wait(**parameters: Any) -> Document:
    return node("w", "logic.wait", **parameters)


@pytest.mark.parametrize(
    ("parameters", "durable"),
    [
        ({"duration": "5s"}, False),
        ({"duration": 30}, False),
        ({"duration": 30.1}, True),
        ({"duration": "1h"}, True),
        ({"duration": "{{ start.pause }}"}, True),
        ({"until": "2030-01-01"}, True),
        ({"until": "{{ start.at }}"}, True),
        ({"webhook": {}}, True),
        ({"webhook": {}, "timeout": "1s"}, True),
        ({"condition": "{{ attempt > 1 }}"}, True),
    ],
)
def test_waits_that_may_last(parameters: dict[str, Any], durable: bool) -> None:
    one = compiled(document("start > w", wait(**parameters)))
    assert one.manifest.settings.durable is durable
    assert one.manifest.suspends is durable
    assert ("durable=True" in one.handler) is durable


def test_waits_over_a_wire_may_last() -> None:
    drawn = document("start > a > w", wait())
    wired = {"sourceId": "a", "sourcePort": "value", "targetId": "w", "targetPort": "duration"}
    assert compiled({**drawn, "connections": [*drawn["connections"], wired]}).manifest.suspends


def test_waits_that_are_never_reached_do_not_count() -> None:
    assert not compiled(document("start > a", wait(webhook={}))).manifest.settings.durable
    behind = document("start > a; b > w", node("b", "data.set", value=1), wait(webhook={}))
    assert not compiled(behind).manifest.settings.durable


def test_waits_deep_inside_count() -> None:
    drawn = document(
        "start > each; each.iteration > big; big.true > again; again.attempt > w",
        node("each", "logic.forEach", items=[1]),
        when("big"),
        node("again", "logic.retry"),
        wait(until="{{ start.at }}"),
    )
    assert compiled(drawn).manifest.settings.durable


@pytest.mark.parametrize("told", [True, False])
def test_settings_come_first(told: bool) -> None:
    one = compiled(document("start > w", wait(until="{{ start }}"), settings={"durable": told}))
    assert one.manifest.settings.durable is told
    assert one.manifest.suspends
    plain = compiled(document("start > a", settings={"durable": told}))
    assert plain.manifest.settings.durable is told
    assert not plain.manifest.suspends


def test_no_setting_is_no_change_of_the_revision() -> None:
    plain = compiled(document("start > a")).manifest.revision
    assert plain == compiled(document("start > a", settings={"durable": None})).manifest.revision
    told = compiled(document("start > a", settings={"durable": False})).manifest.revision
    assert told != plain


# ------------------------------------------------------------------------- what is refused


def test_waits_that_only_durable_workflows_have() -> None:
    nodes = (
        node("a", "logic.wait", duration="15m"),
        node("b", "logic.wait", duration="{{ start.pause }}"),
        node("c", "logic.wait", until="2030-01-01"),
    )
    fine = document("start > a > b > c", *nodes, settings={"durable": False})
    assert findings(fine) == []
    for parameters in ({"duration": "16m"}, {"webhook": {}}, {"condition": "{{ true }}"}):
        drawn = document("start > w", wait(**parameters), settings={"durable": False})
        (found,) = findings(drawn)
        assert (found.code, found.node) == ("NX322", "w")
        assert found.pointer[-1] in parameters
        assert '"durable": false' in found.hint


# -------------------------------------------------------------------------------- calls


def caller(name: str, *calls: str, wait: bool = True, **settings: Any) -> Document:
    """A workflow that calls others, one after the other."""
    nodes = [
        node(f"c{at}", "workflow.call", workflow=called, wait=wait)
        for at, called in enumerate(calls)
    ]
    wires = " > ".join(["start", *(each["id"] for each in nodes), "end"])
    return {**document(wires, *nodes, settings=settings), "name": name}


def durable_in(*components: Document) -> list[str]:
    made = compile_source(parse(json.dumps({"components": list(components)})))
    return [each.name for each in made if each.manifest.settings.durable]


WAITS = {**document("start > w", wait(webhook={})), "name": "/Waits"}


def test_callers_in_the_same_file() -> None:
    assert durable_in(caller("/A", "/B"), caller("/B", "/Waits"), WAITS) == ["/A", "/B", "/Waits"]
    assert durable_in(caller("/A", "/Waits", wait=False), WAITS) == ["/Waits"]
    assert durable_in(caller("/A", "/Waits", durable=False), WAITS) == ["/Waits"]


def test_error_handlers_are_not_waited_for() -> None:
    assert durable_in(caller("/A", onError="/Waits"), WAITS) == ["/Waits"]


def test_workflows_that_are_asked_by_a_wait_are_not_waited_for() -> None:
    asks = node("w", "logic.wait", condition="{{ response }}", poll={"workflow": "/Waits"})
    asking = {**document("start > w", asks, settings={"durable": True}), "name": "/Asks"}
    assert durable_in(asking, caller("/A", "/Asks", durable=False), WAITS) == ["/Asks", "/Waits"]


def test_calls_that_are_never_reached_do_not_count() -> None:
    lost = node("lost", "workflow.call", workflow="/Waits")
    assert durable_in({**document("start > a", lost), "name": "/A"}, WAITS) == ["/Waits"]


def test_other_files_are_known_by_name() -> None:
    checked = check(parse(json.dumps(caller("/A", "/Other"))))
    durable = [
        compile_checked(checked, known)[0].manifest.settings.durable
        for known in ((), ("/Other",), ("/A",), ("/Else",))
    ]
    assert durable == [False, True, False, False]


def interface(
    name: str, *calls: str, durable: bool | None = None, waits: bool = False
) -> Interface:
    called = tuple(Call(each, None, (), waits=True) for each in calls)
    return Interface(name, name, None, (), True, (), called, durable, waits)


def test_durability_spreads_through_circles_and_long_chains() -> None:
    chain = [interface(f"/{at}", f"/{at + 1}") for at in range(2_000)]
    assert durable_names(chain) == frozenset()
    assert len(durable_names([*chain, interface("/2000", waits=True)])) == 2_001
    circle = [interface("/A", "/B"), interface("/B", "/A")]
    assert durable_names(circle) == frozenset()
    assert durable_names([*circle, interface("/C", "/A", durable=True)]) == {"/C"}
    assert durable_names(circle, ["/Else"]) == {"/Else"}
    assert durable_names([interface("/A", "/B", "/C"), *circle[1:]], ["/C"]) == {"/A", "/B", "/C"}


def test_one_that_wants_not_to_be_stops_it() -> None:
    ones = [
        interface("/A", "/B"),
        interface("/B", "/C", durable=False),
        interface("/C", waits=True),
    ]
    assert durable_names(ones) == {"/C"}


def test_waiting_in_memory_for_a_durable_workflow_is_warned_of() -> None:
    bundle = {"components": [caller("/A", "/Waits", durable=False), WAITS]}
    (found,) = check(parse(json.dumps(bundle))).warnings
    assert (found.code, found.severity, found.node) == ("NX607", Severity.WARNING, "c0")
    assert found.line == 1
