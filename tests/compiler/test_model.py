"""The format: strict types, defaults, and what becomes of them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.compiler.model import Bundle, NodeSpec, Settings, WorkflowFile, WorkflowSpec
from nodegx.compiler.names import RESERVED, node_names, snake_case, workflow_slug
from nodegx.runtime.node import Retry
from nodegx.runtime.node import Settings as RuntimeSettings
from pydantic import ValidationError

EXAMPLES = Path(__file__).parents[2] / "examples"


def spec(**more: Any) -> dict[str, Any]:
    return {"name": "/#__cloud__/Test", "nodes": [], **more}


def test_defaults_are_those_of_the_runtime() -> None:
    assert Settings().runtime() == RuntimeSettings()
    node = NodeSpec.model_validate({"id": "a", "type": "b", "retry": {"maxAttempts": 3}})
    assert node.retry is not None
    assert node.retry.policy() == Retry()


def test_every_setting_reaches_the_runtime() -> None:
    settings = Settings.model_validate(
        {
            "timeout": "2m",
            "memory": 512,
            "concurrency": 7,
            "history": {"capture": "errors", "redact": ["$..card"], "maxBytes": 1024},
            "onError": "/#__cloud__/NotifyOps",
            "retry": {
                "maxAttempts": 5,
                "delay": "500ms",
                "backoff": 1.5,
                "maxDelay": "1h",
                "jitter": 0,
                "retryOn": ["http.status"],
            },
            "timezone": "Europe/Berlin",
        }
    )
    assert settings.runtime() == RuntimeSettings(
        timeout=120.0,
        memory=512,
        concurrency=7,
        capture="errors",
        redact=("$..card",),
        max_bytes=1024,
        on_error="/#__cloud__/NotifyOps",
        retry=Retry(5, 0.5, 1.5, 3600.0, 0.0, ("http.status",)),
        timezone="Europe/Berlin",
    )


def test_no_time_limit() -> None:
    assert Settings.model_validate({"timeout": None}).runtime().timeout is None


@pytest.mark.parametrize(
    "wrong",
    [
        spec(nodes="x"),
        spec(nodes=[{"id": "a", "type": "b", "x": "1"}]),
        spec(nodes=[{"id": "a", "type": "b", "x": True}]),
        spec(settings={"concurrency": 1.0}),
        spec(settings={"concurrency": True}),
        spec(settings={"timeout": True}),
        spec(settings={"timeout": "1y"}),
        spec(settings={"timeout": "9999d"}),
        spec(settings={"timeout": 1e300}),
        spec(
            connections=[{"source_id": "a", "sourcePort": "b", "targetId": "c", "targetPort": "d"}]
        ),
        spec(Name="a"),
        spec(schema_url="a"),
    ],
)
def test_nothing_is_converted_or_overlooked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WorkflowFile.model_validate(wrong)


def test_a_schema_may_be_named_at_the_root_alone() -> None:
    assert WorkflowFile.model_validate(spec(**{"$schema": "x"})).schema_url == "x"
    with pytest.raises(ValidationError):
        WorkflowSpec.model_validate(spec(**{"$schema": "x"}))
    assert Bundle.model_validate({"$schema": "x", "components": [spec()]}).components


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "/#__cloud__/Process Order",
        "/#__cloud__/v1.2/Order-Intake",
        "Überweisung",
        "订单",
        "/a/b_c",
    ],
)
def test_names(name: str) -> None:
    assert WorkflowSpec.model_validate(spec(name=name)).name == name
    assert workflow_slug(name).isidentifier()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("/#__cloud__/ProcessOrder", "process_order"),
        ("/#__cloud__/HTTPServer2Go", "http_server2_go"),
        ("Nightly  report - v1.2", "nightly_report_v1_2"),
        ("Überweisung", "uberweisung"),
        ("2fa", "workflow_2fa"),
        ("import", "import_workflow"),
    ],
)
def test_slugs(name: str, slug: str) -> None:
    assert workflow_slug(name) == slug


def test_slugs_of_names_without_latin_letters() -> None:
    assert re.fullmatch("workflow_[0-9a-f]{8}", workflow_slug("订单"))
    assert workflow_slug("/a/订单") == workflow_slug("订单") != workflow_slug("订货")


@given(st.text(max_size=30))
def test_no_accepted_name_leads_anywhere(name: str) -> None:
    try:
        WorkflowSpec.model_validate(spec(name=name))
    except ValidationError:
        return
    slug = workflow_slug(name)
    assert slug.isidentifier()
    assert slug.isascii()
    assert Path("/build", slug).resolve() == Path("/build") / slug
    assert not any(part in {"", ".", ".."} for part in name.removeprefix("/").split("/"))


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        ([("order", "New order"), ("x-1", "Charge card")], ["order", "charge_card"]),
        ([("a-b", ""), ("a_b", "")], ["a_b_2", "a_b"]),
        ([("1", "Same"), ("2", "Same"), ("3", "same")], ["same", "same_2", "same_3"]),
        ([("class", ""), ("item", "Item"), ("7", "")], ["class_node", "item_node", "node_7"]),
        ([("💥", "💥"), ("é", "")], ["node", "e"]),
        ([("run", "Run"), ("null", "")], ["run_node", "null_node"]),
    ],
)
def test_names_of_nodes(nodes: list[tuple[str, str]], names: list[str]) -> None:
    assert node_names(nodes) == names


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=12))
def test_names_of_nodes_are_different_identifiers(nodes: list[tuple[str, str]]) -> None:
    names = node_names(nodes)
    assert len(set(names)) == len(nodes)
    assert all(name.isidentifier() and name.isascii() and name not in RESERVED for name in names)
    assert names == node_names(nodes)


def test_snake_case() -> None:
    assert [snake_case(text) for text in ("maxAttempts", "A  B", "--", "ÄÖ", "x2Y")] == [
        "max_attempts",
        "a_b",
        "",
        "ao",
        "x2_y",
    ]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/workflows/*.json")), ids=lambda p: p.stem)
def test_examples_have_the_format(path: Path) -> None:
    data = json.loads(path.read_text())
    (Bundle if "components" in data else WorkflowFile).model_validate(data)
