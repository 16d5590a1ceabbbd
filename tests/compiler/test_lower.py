"""Lowering says everything outright."""

from __future__ import annotations

from pathlib import Path

from nodegx.compiler.graph import Literal, PortRef, same_json
from nodegx.compiler.lower import source_name
from nodegx.compiler.source import Source

from tests.support.graphs import data_wire, document, graph, node, put


def test_defaults_are_filled_in() -> None:
    drawn = graph(
        document("start > call", node("call", "http.request", url="https://x.example.com"))
    )
    assert drawn.nodes["call"].literal("method") == "GET"
    assert drawn.nodes["call"].is_default("method")


def test_parameters_are_in_the_order_of_their_declarations() -> None:
    drawn = graph(
        document(
            "start > call", node("call", "http.request", url="https://x.example.com", method="PUT")
        )
    )
    names = list(drawn.nodes["call"].params)
    assert names.index("method") < names.index("url")
    assert not drawn.nodes["call"].is_default("method")


def test_parameters_that_do_not_apply_have_no_default() -> None:
    parse = node("j", "data.json", operation="parse", value="{}")
    validate = node("k", "data.json", operation="validate", value="{}", schema={})
    drawn = graph(document("start > j > k", parse, validate))
    assert "maxBytes" in drawn.nodes["j"].params
    assert "maxBytes" not in drawn.nodes["k"].params


def test_durations_are_seconds() -> None:
    drawn = graph(document("start > w", node("w", "logic.wait", duration="2m")))
    assert drawn.nodes["w"].literal("duration") == 120.0


def test_a_parameter_selects_the_implementation() -> None:
    drawn = graph(document("start > j", node("j", "data.json", operation="parse", value="{}")))
    assert drawn.nodes["j"].call == "json.parse"


def test_data_wires_are_references() -> None:
    drawn = graph(data_wire(document("start > a > b"), "a.value", "b.value"))
    assert drawn.nodes["b"].params["value"] == PortRef("a", "value")
    assert drawn.nodes["b"].param_pointer("value") == ("connections", 2)


def test_pure_nodes_stand_apart() -> None:
    drawn = graph(document("start > a", node("v", "data.value", value=1), put("a", "{{ v }}")))
    assert set(drawn.pure) == {"v"}
    assert set(drawn.nodes) == {"start", "a"}
    assert [each.id for each in drawn.everything()] == ["start", "v", "a"]


def test_code_with_outputs_chooses_its_way() -> None:
    plain = node("c", "code.python", code="return 1")
    routed = node("d", "code.python", code="return 'x', 1", outputs=["x"])
    drawn = graph(document("start > c > d; d.x > e", plain, routed))
    assert not drawn.nodes["c"].routed
    assert drawn.nodes["d"].routed
    assert set(drawn.nodes["d"].signals) == {"x", "failure"}


def test_targets_of_calls_and_events() -> None:
    drawn = graph(
        document(
            "start > a > b > c",
            node("a", "workflow.call", workflow="/#__cloud__/Other"),
            node("b", "workflow.call", workflow="/#__cloud__/Other"),
            node("c", "workflow.emit", event="order.created"),
        )
    )
    assert drawn.calls == ("/#__cloud__/Other",)
    assert drawn.emits == ("order.created",)


def test_retry_and_settings() -> None:
    drawn = graph(
        document(
            "start > a",
            put("a") | {"retry": {"maxAttempts": 4, "delay": "200ms"}, "timeout": "5s"},
            settings={"timeout": "1m", "retry": {"maxAttempts": 2}},
        )
    )
    retry = drawn.nodes["a"].retry
    assert retry is not None
    assert (retry.attempts, retry.delay, drawn.nodes["a"].timeout) == (4, 0.2, 5.0)
    assert drawn.settings.timeout == 60.0
    assert drawn.settings.retry is not None


def test_a_file_is_named_without_what_depends_on_the_machine() -> None:
    assert source_name(Source(Path("/home/me/shop/workflows/a.json"), "", {})) == "workflows/a.json"
    assert source_name(Source(None, "", {})) == ""


def test_json_tells_numbers_from_booleans() -> None:
    assert not same_json(1, True)
    assert same_json([1], (1,))
    assert Literal(1) == Literal(1)
