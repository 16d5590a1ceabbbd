"""The published JSON Schemas: up to date, valid, and of the same opinion as the compiler."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from nodegx.compiler.schema import DIRECTORY, schema_files, workflow_schema, write_schemas
from nodegx.runtime.catalog import CATALOG

from tests.support.every_node import every_node

EXAMPLES = Path(__file__).parents[2] / "examples"
MALFORMED = Path(__file__).parent / "malformed"


@pytest.fixture(scope="module")
def workflow() -> Draft202012Validator:
    return Draft202012Validator(workflow_schema())


def faults(validator: Draft202012Validator, data: Any) -> list[str]:
    return [error.message for error in validator.iter_errors(data)]


def node(node_type: str, **parameters: Any) -> dict[str, Any]:
    return {"name": "a", "nodes": [{"id": "x", "type": node_type, "parameters": parameters}]}


@pytest.mark.parametrize("name", sorted(schema_files()))
def test_published_files_are_up_to_date(name: str, tmp_path: Path) -> None:
    write_schemas(tmp_path)
    message = "run `python -m nodegx.compiler.schema`"
    assert (DIRECTORY / name).read_text() == (tmp_path / name).read_text(), message
    Draft202012Validator.check_schema(json.loads((DIRECTORY / name).read_text()))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/workflows/*.json")), ids=lambda p: p.stem)
def test_examples_fit(workflow: Draft202012Validator, path: Path) -> None:
    assert faults(workflow, json.loads(path.read_text())) == []


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("*/nodegx.json")), ids=lambda p: p.parent.name
)
def test_projects_of_the_examples_fit(path: Path) -> None:
    schema = json.loads((DIRECTORY / "project.schema.json").read_text())
    assert faults(Draft202012Validator(schema), json.loads(path.read_text())) == []


def test_every_node_type_is_described(workflow: Draft202012Validator) -> None:
    assert faults(workflow, every_node()) == []
    definitions = workflow_schema()["$defs"]
    for name, declared in CATALOG.items():
        described = definitions[f"parameters.{name}"]
        assert set(described["properties"]) == {param.name for param in declared.params}


@pytest.mark.parametrize(
    "wrong",
    [
        node("http.requst"),
        node("http.request", methd="GET"),
        node("http.request", url="https://a.example", method="GTE"),
        node("python.http.request", timeout="5 parsecs"),
        node("http.request", auth={"type": "bearer", "token": "plain"}),
        node("logic.if", condition=1),
        node("logic.if", condition={"all": []}),
        node("logic.if", condition={"left": 1, "op": "more", "right": 2}),
        node("data.json", value=1),
        node("trigger.webhook", path="/a", method=["GET", "FETCH"]),
        node("cloud.response", status=99),
        node("trigger.webhook", path="/a", rateLimit={"per": "1m"}),
        node("trigger.webhook", path="/a", idempotency={"windw": "1m"}),
        node("trigger.event", event="a", idempotency={"window": "1m"}),
        node("logic.wait", webhook="{{ start.hook }}"),
        node("logic.wait", webhook={"form": {"fields": [{"label": "no name"}]}}),
        node("logic.wait", webhook={"form": {"actions": "{{ start.actions }}"}}),
        node("logic.wait", condition="{{ a }}", poll={"backoff": 0}),
        {"name": "a", "nodes": [], "settings": {"durable": "yes"}},
        {"name": "a", "nodes": [{"id": "x"}]},
        {"name": "a", "nodes": [], "extra": 1},
        {"components": [{"name": "a"}]},
        {"components": []},
        {"name": "a", "nodes": [], "settings": {"timeout": "soon"}},
    ],
)
def test_editors_see_what_the_compiler_refuses(workflow: Draft202012Validator, wrong: Any) -> None:
    assert faults(workflow, wrong)


@pytest.mark.parametrize(
    "right",
    [
        node(
            "http.request", url="{{ vars.url }}", method="{{ vars.method }}", timeout="{{ 1 + 1 }}"
        ),
        node("http.request", auth={"type": "bearer", "token": "{{ secrets.T }}"}),
        node("logic.if", condition={"not": {"any": ["{{ a }}", {"left": 1, "right": 2}]}}),
        node("cloud.response", status="{{ 200 + 1 }}", body=[1, {"a": None}]),
        node("trigger.webhook", path="/a", method=["GET", "POST"]),
        node("logic.wait", duration=2.5),
        node("logic.wait", webhook={"form": {"title": "{{ a }}", "fields": [{"name": "n"}]}}),
        node("logic.wait", condition="{{ a }}", poll={"url": "{{ a }}", "interval": "{{ b }}"}),
        node("logic.wait", timeout="2d", webhook={"auth": {"type": "none"}}),
        node("trigger.webhook", path="/a", idempotency={}),
        node("trigger.manual", idempotency={"key": "{{ start.id }}", "window": "1h"}),
        {"name": "a", "nodes": [], "settings": {"durable": False}},
        node("data.json", operation="validate"),
        {"components": [{"name": "a", "nodes": []}]},
    ],
)
def test_editors_do_not_cry_wolf(workflow: Draft202012Validator, right: Any) -> None:
    assert faults(workflow, right) == []
