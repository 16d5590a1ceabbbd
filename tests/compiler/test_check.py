"""What checked workflows hold, what is only warned of, and what is found between workflows."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.check import check
from nodegx.compiler.checked import CheckedNode
from nodegx.compiler.checks.findings import LIMIT
from nodegx.compiler.diagnostics import Severity
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import DictValue, ListValue, Literal, PortRef, Value
from nodegx.compiler.read import parse, read
from nodegx.runtime.catalog import CATALOG
from nodegx.runtime.node import Retry

from tests.support.checking import START, Json, checked, refused, wire, workflow
from tests.support.every_node import every_node

EXAMPLES = Path(__file__).parents[2] / "examples"


def step(node_type: str, **parameters: Any) -> CheckedNode:
    """The only step of a workflow."""
    node = {"id": "x", "type": node_type, "parameters": parameters}
    return checked(workflow(START, node, wires=[wire("start.started", "x")])).nodes["x"]


def faults(node_type: str, **parameters: Any) -> list[str]:
    node = {"id": "x", "type": node_type, "parameters": parameters}
    found = refused(workflow(START, node, wires=[wire("start.started", "x")]))
    return [f"{d.code} {'/'.join(str(part) for part in d.pointer[3:])}" for d in found]


def text(value: Value) -> str:
    assert isinstance(value, Template)
    return value.text


# ----------------------------------------------------------------------------- the result


def test_every_node_type_passes_with_its_example() -> None:
    result = check(parse(json.dumps(every_node())))
    assert result.warnings == ()
    nodes = result.workflows[0].nodes
    assert {node.type.type for node in nodes.values()} == set(CATALOG)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/workflows/*.json")), ids=lambda p: p.stem)
def test_examples_pass_without_a_warning(path: Path) -> None:
    assert check(read(path)).warnings == ()


def test_a_workflow_as_lower_gets_it() -> None:
    result = checked(
        workflow(
            {
                "id": "order",
                "type": "python.trigger.webhook",
                "parameters": {"path": "/orders", "method": ["POST", "PUT"]},
            },
            {
                "id": "charge-card",
                "type": "http.request",
                "label": "Charge the card",
                "parameters": {
                    "timeout": "2s",
                    "url": "https://pay.example/{{ order.body.id }}",
                    "json": {"total": "{{ order.body.total }}", "list": [1, "{{ 2 }}"], "a": None},
                },
                "retry": {"maxAttempts": 5, "delay": "200ms"},
                "timeout": "1m",
            },
            {"id": "keep", "type": "data.set"},
            wires=[
                wire("order.received", "charge-card"),
                wire("charge-card.done", "keep"),
                wire("charge-card.body", "keep.value"),
            ],
        )
    )
    assert (result.name, result.slug, result.triggers) == ("/#__cloud__/Test", "test", ("order",))
    assert result.wires == {
        "order": {"received": ("charge-card",)},
        "charge-card": {"done": ("keep",)},
    }
    assert result.wire_pointers["charge-card", "done", "keep"] == ("connections", 1)
    assert result.nodes["order"].type is CATALOG["trigger.webhook"]
    assert result.nodes["order"].params["method"] == Literal(["POST", "PUT"])

    charge = result.nodes["charge-card"]
    assert (charge.name, charge.index, charge.pointer) == ("charge_the_card", 1, ("nodes", 1))
    assert (charge.retry, charge.timeout) == (Retry(attempts=5, delay=0.2), 60.0)
    assert charge.signals == ("done", "failure")
    assert list(charge.params) == ["url", "json", "timeout"]
    assert charge.params["timeout"] == Literal(2.0)
    assert text(charge.params["url"]) == "https://pay.example/{{ order.body.id }}"
    body = charge.params["json"]
    assert isinstance(body, DictValue)
    members = dict(body.items)
    assert list(members) == ["total", "list", "a"]
    assert members["a"] == Literal(None)
    assert isinstance(members["list"], ListValue)
    assert members["list"].items[0] == Literal(1)

    keep = result.nodes["keep"]
    assert keep.params == {"value": PortRef("charge-card", "body")}
    assert keep.param_pointer("value") == ("connections", 2)
    assert charge.param_pointer("url") == ("nodes", 1, "parameters", "url")


def test_a_wire_overrides_the_parameter() -> None:
    result = checked(
        workflow(
            START,
            {"id": "x", "type": "data.set", "parameters": {"value": 1}},
            wires=[wire("start.started", "x"), wire("start.value", "x.value")],
        )
    )
    assert result.nodes["x"].params == {"value": PortRef("start", "value")}


def test_errors_and_loop_variables_are_data_outputs() -> None:
    result = checked(
        workflow(
            START,
            {"id": "each", "type": "logic.forEach", "parameters": {"items": [1]}},
            {"id": "keep", "type": "data.set"},
            {"id": "note", "type": "data.set"},
            wires=[
                wire("start.started", "each"),
                wire("each.iteration", "keep"),
                wire("each.item", "keep.value"),
                wire("keep.failure", "note"),
                wire("keep.error", "note.value"),
            ],
        )
    )
    assert result.nodes["keep"].params["value"] == PortRef("each", "item")
    assert result.nodes["note"].params["value"] == PortRef("keep", "error")


def test_several_workflows_in_a_file() -> None:
    data = {
        "components": [
            workflow(START, name="/A"),
            workflow(START, {"id": "start 2", "type": "trigger.manual"}, name="/B/Second One"),
        ]
    }
    result = check(parse(json.dumps(data)))
    assert [(w.slug, w.pointer) for w in result.workflows] == [
        ("a", ("components", 0)),
        ("second_one", ("components", 1)),
    ]
    assert result.workflows[1].nodes["start 2"].pointer == ("components", 1, "nodes", 1)
    assert result.workflows[1].triggers == ("start", "start 2")


# ------------------------------------------------------------------------ kinds of values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5.0),
        (0.25, 0.25),
        ("500ms", 0.5),
        ("1.5h", 5400.0),
        ("2d", 172_800.0),
    ],
)
def test_durations_become_seconds(value: Any, expected: float) -> None:
    assert step("logic.wait", duration=value).params["duration"] == Literal(expected)


def test_escaped_braces_are_text() -> None:
    assert step("data.set", value=r"a \{{ b }}").params["value"] == Literal("a {{ b }}")
    assert step("data.set", value=[{"a": r"\{{"}]).params["value"] == Literal([{"a": "{{"}])


def test_values_without_expressions_stay_as_they_are() -> None:
    value = {"a": [1, 2.5, None, True, {"b": "text"}]}
    assert step("data.set", value=value).params["value"] == Literal(value)


def test_conditions() -> None:
    groups = {
        "all": [
            {"left": "{{ start.total }}", "op": "gt", "right": 100},
            {"not": {"any": ["{{ start.vip }}", True]}},
            {"left": "{{ start.name }}", "op": "exists"},
            {"left": 1, "right": 1},
        ]
    }
    condition = step("logic.if", condition=groups).params["condition"]
    assert isinstance(condition, DictValue)
    ((key, members),) = condition.items
    assert key == "all"
    assert isinstance(members, ListValue)
    first, second, third, fourth = members.items
    assert isinstance(first, DictValue)
    assert [key for key, _ in first.items] == ["left", "op", "right"]
    assert dict(first.items)["op"] == Literal("gt")
    assert isinstance(second, DictValue)
    assert second.items[0][0] == "not"
    assert isinstance(third, DictValue)
    assert dict(third.items)["right"] == Literal(None)
    assert isinstance(fourth, DictValue)
    assert dict(fourth.items)["op"] == Literal("equals")
    assert step("logic.if", condition=False).params["condition"] == Literal(False)
    assert text(step("logic.if", condition="{{ start.a > 1 }}").params["condition"])


def test_item_expressions_may_be_any_json() -> None:
    node = step(
        "data.transform",
        operation="map",
        input="{{ start }}",
        expression={"id": "{{ item.id }}", "n": "{{ index }}"},
    )
    assert isinstance(node.params["expression"], DictValue)


def test_secrets_are_references() -> None:
    request: Json = {
        "url": "https://a.example",
        "auth": {"type": "bearer", "token": "{{ secrets.T }}"},
    }
    assert isinstance(step("http.request", **request).params["auth"], DictValue)
    request["auth"]["token"] = "{{ start.token }}"
    assert isinstance(step("http.request", **request).params["auth"], DictValue)
    hook = {
        "id": "hook",
        "type": "trigger.webhook",
        "parameters": {
            "path": "/a",
            "auth": {"type": "apiKey", "key": ["{{ secrets.OLD }}", "{{ secrets.NEW }}"]},
        },
    }
    auth = checked(workflow(hook)).nodes["hook"].params["auth"]
    assert isinstance(auth, DictValue)
    assert isinstance(dict(auth.items)["key"], ListValue)


def test_signals_of_a_switch_and_of_code() -> None:
    cases = [{"name": "gold", "value": "G"}, {"name": "big one", "when": "{{ start.n > 9 }}"}]
    assert step("logic.switch", value="{{ start.tier }}", cases=cases).signals == (
        "default",
        "gold",
        "big one",
    )
    assert step("code.python", code="return 'a', 1", outputs=["a", "done"]).signals == (
        "failure",
        "a",
        "done",
    )
    assert step("code.python", code="return 1").signals == ("done", "failure")


@pytest.mark.parametrize(
    "code",
    [
        "return 1",
        "await x\nreturn 1",
        "import re\n\nasync def f():\n    yield 1\nreturn 2",
        r"x = '\d'",
    ],
)
def test_code(code: str) -> None:
    assert step("code.python", code=code).params["code"] == Literal(code)


@pytest.mark.parametrize(
    ("node_type", "parameters", "expected"),
    [
        ("data.set", {}, ["NX304 "]),
        ("logic.if", {"condition": {"all": [True], "any": [True]}}, ["NX318 condition"]),
        ("logic.if", {"condition": "{{ a ="}, ["NX401 condition"]),
        ("logic.forEach", {"items": "{{ a }} "}, ["NX305 items"]),
        ("logic.forEach", {"items": [], "batchSize": 1.5}, ["NX305 batchSize"]),
        ("logic.forEach", {"items": [], "onItemError": "{{ x }}"}, ["NX307 onItemError"]),
        ("logic.wait", {"duration": -1}, ["NX305 duration"]),
        ("logic.wait", {"duration": 10**15}, ["NX305 duration"]),
        ("data.json", {"operation": "parse"}, ["NX304 "]),
        (
            "data.json",
            {"operation": "pars", "value": 1, "path": 2},
            ["NX306 operation", "NX305 path"],
        ),
        ("data.json", {"operation": "validate", "value": 1}, ["NX304 "]),
        ("data.json", {"operation": "parse", "value": 1, "path": "$"}, ["NX318 path"]),
        ("http.request", {"url": "https://u:p@a.example"}, ["NX306 url"]),
        ("http.request", {"url": "https://a.example", "json": 1, "body": "x"}, ["NX318 body"]),
        ("http.request", {"url": "x{{ 1 + }}y", "headers": "a"}, ["NX401 url", "NX305 headers"]),
        (
            "http.request",
            {
                "url": "{{ a }}",
                "multipart": [{"name": "f"}, {"name": "g", "value": 1, "text": "x"}],
            },
            ["NX402 url", "NX306 multipart/1"],
        ),
        ("code.python", {"code": "return\n return"}, ["NX319 code"]),
        ("code.python", {"code": "nonlocal x"}, ["NX319 code"]),
        ("code.python", {"code": "x = '\0'"}, ["NX319 code"]),
    ],
)
def test_values_that_do_not_fit(node_type: str, parameters: Json, expected: list[str]) -> None:
    assert faults(node_type, **parameters) == expected


# -------------------------------------------------------------------------------- the flow


def test_what_never_runs_is_warned_of() -> None:
    data = workflow(
        START,
        {"id": "a", "type": "data.set", "parameters": {"value": 1}},
        {"id": "b", "type": "data.set", "parameters": {"value": 1}},
        {"id": "v", "type": "data.value", "parameters": {"value": 1}},
        wires=[wire("a.done", "b")],
    )
    warnings = check(parse(json.dumps(data))).warnings
    assert [(d.code, d.node, d.severity) for d in warnings] == [
        ("NX316", "a", Severity.WARNING),
        ("NX316", "b", Severity.WARNING),
    ]


def test_cycles_are_named_in_full_and_once() -> None:
    nodes = [{"id": c, "type": "data.set", "parameters": {"value": 1}} for c in "abcd"]
    data = workflow(
        START,
        *nodes,
        wires=[
            wire("start.started", "a"),
            wire("a.done", "b"),
            wire("b.done", "c"),
            wire("c.done", "b"),
            wire("c.failure", "d"),
        ],
    )
    (found,) = refused(data)
    assert "b → c → b" in found.message
    assert found.pointer == ("connections", 3)
    assert "forEach" in found.hint


def test_long_cycles_and_long_chains_are_no_trouble() -> None:
    count = 3_000
    nodes = [{"id": f"n{i}", "type": "data.set", "parameters": {"value": 1}} for i in range(count)]
    wires = [wire(f"n{i}.done", f"n{i + 1}") for i in range(count - 1)]
    chain = workflow(START, *nodes, wires=[wire("start.started", "n0"), *wires])
    assert len(checked(chain).nodes) == count + 1
    chain["connections"].append(wire(f"n{count - 1}.done", "n0"))
    (found,) = refused(chain)
    assert len(found.message) < 200


def test_one_fault_does_not_hide_others_nor_cause_more() -> None:
    data = workflow(
        {"id": "hook", "type": "trigger.webhoook"},
        {"id": "a", "type": "data.set", "parameters": {"value": "{{ 1 + }}"}},
        {"id": "b", "type": "logic.switch", "parameters": {"cases": "many"}},
        wires=[wire("hook.received", "a"), wire("a.done", "b"), wire("b.gold", "a")],
    )
    assert [d.code for d in refused(data)] == ["NX301", "NX401", "NX305", "NX311"]


def test_a_flood_of_findings_is_cut_off() -> None:
    data = workflow(*({"id": f"n{i}", "type": "nope"} for i in range(1_000)))
    found = refused(data)
    assert len(found) == LIMIT
    assert sum("further findings" in d.message for d in found) == 1


def test_a_flood_of_warnings_hides_no_error() -> None:
    idle = ({"id": f"n{i}", "type": "data.set", "parameters": {"value": 1}} for i in range(500))
    data = {
        "components": [
            workflow(START, *idle, name="/A"),
            workflow(START, name="/B", settings={"timezone": "Nowhere"}),
        ]
    }
    found = refused(data)
    assert [d.code for d in found if d.severity is Severity.ERROR] == ["NX605"]
    assert len(found) == LIMIT + 1


# ----------------------------------------------------------------------------------- speed


def test_checking_takes_little_time() -> None:
    source = read(EXAMPLES / "process-order" / "workflows" / "process-order.json")
    check(source)
    best = min(_timed(source) for _ in range(20))
    assert best < 0.010


def _timed(source: Any) -> float:
    start = time.process_time()
    check(source)
    return time.process_time() - start


def test_names_are_looked_at_even_where_the_rest_is_wrong() -> None:
    step = {"id": "x", "type": "data.set", "parameters": {"value": "{{ odr.total + hook.bdy }}"}}
    hook = {"id": "hook", "type": "trigger.webhook", "parameters": {"path": "/x"}}
    bad = {"id": "y", "type": "data.st", "parameters": {}}
    fine = {"id": "z", "type": "data.set", "parameters": {"value": "{{ y.anything }}"}}
    found = refused(workflow(hook, step, bad, fine, wires=[wire("hook.received", "x")]))
    assert [(d.code, d.offset) for d in found if d.node == "x"] == [("NX402", 3), ("NX401", 20)]
    assert next(d.code for d in found if d.node in ("y", "z")) == "NX301"
    assert not [d for d in found if d.node == "z" and d.code in ("NX401", "NX402")]


# ---------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "key",
    [
        "{{ env.KEY }}",
        "{{ vars.key }}",
        "{{ secrets.ONE }}{{ secrets.TWO }}",
        "Bearer {{ secrets.ONE }}",
        "{{ secrets.ONE.upper() }}",
        "{{ secrets.ONE or 'x' }}",
    ],
)
@pytest.mark.parametrize("where", ["trigger", "wait"])
def test_what_callers_are_compared_with_is_a_secret_and_nothing_else(key: str, where: str) -> None:
    """Nobody computes it, so that the text of a template would be taken for the key."""
    auth = {"auth": {"type": "apiKey", "key": key}}
    nodes: dict[str, Json] = {
        "trigger": {"type": "trigger.webhook", "parameters": {"path": "/a", **auth}},
        "wait": {"type": "logic.wait", "parameters": {"webhook": auth}},
    }
    found = refused(workflow(START, {"id": "x", **nodes[where]}))
    (wrong,) = (each for each in found if each.severity is Severity.ERROR)
    assert wrong.code == "NX307"
    assert key not in wrong.message
    auth["auth"]["key"] = "{{ secrets['ONE'] }}"
    assert checked(workflow(START, {"id": "x", **nodes[where]}))
