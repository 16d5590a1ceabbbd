"""`nodegx run`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nodegx.cli.exit_codes import ExitCode

Add = Callable[..., Path]


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def shop(project: Path) -> Path:
    """A workflow with a branch that can fail, and a second trigger."""
    document = {
        "name": "/#__cloud__/ProcessOrder",
        "nodes": [
            {
                "id": "order",
                "type": "trigger.webhook",
                "parameters": {"method": "POST", "path": "/orders"},
            },
            {
                "id": "large",
                "type": "logic.if",
                "parameters": {"condition": "{{ order.body.total > vars.limit }}"},
            },
            {
                "id": "refuse",
                "type": "logic.stop",
                "parameters": {"status": "error", "message": "too large"},
            },
            {
                "id": "accept",
                "type": "cloud.response",
                "parameters": {"status": 201, "body": {"total": "{{ order.body.total }}"}},
            },
        ],
        "connections": [
            wire("order", "received", "large"),
            wire("large", "true", "refuse"),
            wire("large", "false", "accept"),
        ],
    }
    (project / "workflows/orders.json").write_text(json.dumps(document, indent=1))
    (project / "nodegx.json").write_text('{"name": "shop", "vars": {"limit": 100}}')
    return project


def wire(source: str, port: str, target: str) -> dict[str, str]:
    return {"sourceId": source, "sourcePort": port, "targetId": target, "targetPort": "run"}


@pytest.mark.parametrize("name", ["ProcessOrder", "process_order", "/#__cloud__/ProcessOrder"])
def test_shows_steps_and_answer(nodegx: Any, shop: Path, name: str) -> None:
    result = nodegx("run", name, "--input", "-", input='{"total": 5}')
    assert result.exit_code == 0, result.output
    text = re.sub(r"[\d.]+ (µs|ms)", "N ms", result.stdout)
    text = re.sub(r"execution \w{26}", "execution ID", text)
    assert text == (
        "▶ /#__cloud__/ProcessOrder  order (trigger.webhook)\n"
        "✓ large  logic.if    → false\n"
        "✓ accept  cloud.response  N ms\n"
        '  in  {"status": 201, "body": {"total": 5}}\n'
        "\n"
        "✓ success  N ms  execution ID\n"
        "  answer 201\n"
        '  body {"total": 5}\n'
    ), text


def test_as_json_lines(nodegx: Any, shop: Path) -> None:
    result = nodegx("run", "ProcessOrder", "--json", "--set", "total=7")
    lines = events(result.stdout)
    assert [line["event"] for line in lines] == [
        "start",
        "step.start",
        "step.end",
        "step.start",
        "step.end",
        "end",
    ]
    assert lines[0]["trigger"] == {"node": "order", "type": "trigger.webhook"}
    assert (lines[2]["id"], lines[2]["port"]) == ("large", "false")
    assert lines[-1]["status"] == "success"
    assert lines[-1]["answer"] == {"status": 201, "headers": {}, "body": {"total": 7}}


def test_a_run_that_fails(nodegx: Any, shop: Path) -> None:
    result = nodegx("run", "ProcessOrder", "--set", "total=700")
    assert result.exit_code == ExitCode.FAILURE
    assert "✗ error" in result.stdout
    assert "error too large (stopped, fatal, node refuse)" in result.stdout
    data = events(nodegx("run", "ProcessOrder", "--set", "total=700", "--json").stdout)[-1]
    assert data["error"]["message"] == "too large"


def test_variables_can_be_overridden(nodegx: Any, shop: Path) -> None:
    arguments = ("run", "ProcessOrder", "--set", "total=700")
    assert nodegx(*arguments, "--var", "limit=1000").exit_code == 0


def test_is_recorded(nodegx: Any, shop: Path) -> None:
    nodegx("run", "ProcessOrder", "--set", "total=7", "--no-history")
    assert not (shop / ".nodegx").exists()
    run = events(nodegx("run", "ProcessOrder", "--set", "total=7", "--json").stdout)
    shown = json.loads(nodegx("history", "show", "--json").stdout)
    assert shown["id"] == run[0]["execution"]
    assert shown["status"] == "success"
    assert [step["id"] for step in shown["steps"]] == ["large", "accept"]


def test_a_whole_request_as_input(nodegx: Any, shop: Path) -> None:
    (shop / "request.json").write_text('{"body": {"total": 1}, "headers": {"X-A": "b"}}')
    result = nodegx("run", "ProcessOrder", "-i", "request.json", "--json")
    assert events(result.stdout)[-1]["answer"]["body"] == {"total": 1}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ProcesOrder"], 4, "did you mean ProcessOrder?"),
        (["ProcessOrder", "--trigger", "x"], 4, "its triggers: order"),
        (["ProcessOrder", "--input", "none.json"], 4, "there is no file none.json"),
        (["ProcessOrder", "--input", "nodegx.json", "--set", "name.x=1"], 2, "not an object there"),
        (["ProcessOrder", "--set", "total"], 2, "is not KEY=VALUE"),
    ],
)
def test_mistakes(nodegx: Any, shop: Path, arguments: list[str], code: int, message: str) -> None:
    result = nodegx("run", *arguments)
    assert result.exit_code == code, result.output
    assert message in result.stderr


def test_input_that_is_not_json(nodegx: Any, shop: Path) -> None:
    result = nodegx("run", "ProcessOrder", "--input", "-", input="{oops")
    assert result.exit_code == ExitCode.USAGE
    assert "standard input is not JSON" in result.stderr


def test_several_triggers(nodegx: Any, project: Path, add_workflow: Add) -> None:
    path = add_workflow("/A", "{{ 1 }}")
    document = json.loads(path.read_text())
    document["nodes"].append({"id": "again", "type": "trigger.manual"})
    document["connections"].append(wire("again", "started", "answer"))
    path.write_text(json.dumps(document))
    result = nodegx("run", "A")
    assert result.exit_code == ExitCode.USAGE
    assert "--trigger: start, again" in result.stderr
    assert nodegx("run", "A", "--trigger", "again").exit_code == 0


def test_declared_inputs(nodegx: Any, add_workflow: Add) -> None:
    path = add_workflow("/A", "{{ start.count }}")
    document = json.loads(path.read_text())
    inputs = [{"name": "count", "type": "integer", "required": True}]
    document["nodes"][0]["parameters"] = {"inputs": inputs}
    path.write_text(json.dumps(document))
    assert nodegx("run", "A", "--set", "count=3").exit_code == 0
    result = nodegx("run", "A", "--set", "count=many")
    assert result.exit_code == ExitCode.USAGE
    assert "count: must be a whole number" in result.stderr


def test_a_workflow_with_errors(nodegx: Any, shop: Path) -> None:
    assert nodegx("run", "ProcessOrder", "--set", "total=1").exit_code == 0
    path = shop / "workflows/orders.json"
    path.write_text(path.read_text().replace("order.body", "ordr.body"))
    result = nodegx("run", "ProcessOrder", "--set", "total=1")
    assert result.exit_code == ExitCode.DIAGNOSTICS
    assert "workflows/orders.json:" in result.stderr


def test_errors_in_another_workflow_are_mentioned(nodegx: Any, shop: Path) -> None:
    (shop / "workflows/bad.json").write_text("{")
    result = nodegx("run", "ProcessOrder", "--set", "total=1")
    assert result.exit_code == 0
    assert "errors in another workflow: see `nodegx check`" in result.stderr


def test_secrets_are_not_shown(nodegx: Any, add_workflow: Add, project: Path) -> None:
    (project / ".env").write_text("NODEGX_SECRET_KEY=hush-hush-hush\n")
    add_workflow("/A", {"length": "{{ len(secrets.KEY) }}", "key": "{{ secrets.KEY }}"})
    result = nodegx("run", "A")
    assert result.exit_code == 0, result.output
    steps, _, _ = result.stdout.partition("answer 200")
    assert '"length": 14' in steps
    assert "hush" not in steps
    assert "hush" not in nodegx("history", "show").stdout


def test_calls_and_events_reach_other_workflows(nodegx: Any, project: Path) -> None:
    caller = {
        "name": "/Caller",
        "nodes": [
            {"id": "start", "type": "trigger.manual"},
            {
                "id": "ask",
                "type": "workflow.call",
                "parameters": {"workflow": "/Callee", "input": {"n": 2}},
            },
            {"id": "tell", "type": "workflow.emit", "parameters": {"event": "done", "data": 1}},
            {"id": "answer", "type": "cloud.response", "parameters": {"body": "{{ ask }}"}},
        ],
        "connections": [
            wire("start", "started", "ask"),
            wire("ask", "done", "tell"),
            wire("tell", "done", "answer"),
        ],
    }
    callee = {
        "name": "/Callee",
        "nodes": [
            {"id": "start", "type": "trigger.manual"},
            {
                "id": "answer",
                "type": "cloud.response",
                "parameters": {"body": "{{ start.n * 21 }}"},
            },
        ],
        "connections": [wire("start", "started", "answer")],
    }
    listener = {
        "name": "/Listener",
        "nodes": [
            {"id": "heard", "type": "trigger.event", "parameters": {"event": "done"}},
            {"id": "note", "type": "data.set", "parameters": {"value": "{{ heard.data }}"}},
        ],
        "connections": [wire("heard", "received", "note")],
    }
    for document in (caller, callee, listener):
        path = project / "workflows" / f"{document['name'][1:]}.json"
        path.write_text(json.dumps(document))
    result = nodegx("run", "Caller", "--json")
    assert result.exit_code == 0, result.output
    assert events(result.stdout)[-1]["answer"]["body"] == 42
    listed = json.loads(nodegx("history", "list", "--json").stdout)["executions"]
    assert sorted(one["workflow"] for one in listed) == ["/Callee", "/Caller", "/Listener"]
    parent = next(one["id"] for one in listed if one["workflow"] == "/Caller")
    assert {one["parent"] for one in listed} == {None, parent}


def test_packages_that_are_not_installed(nodegx: Any, project: Path, add_workflow: Add) -> None:
    path = add_workflow("/#__cloud__/Sums")
    workflow = json.loads(path.read_text())
    parameters = {"code": "import nosuch\nreturn 1", "packages": ["nosuch>=2", "pytest>=1"]}
    workflow["nodes"][1] = {"id": "answer", "type": "code.python", "parameters": parameters}
    path.write_text(json.dumps(workflow))
    result = nodegx("run", "Sums")
    assert "Sums needs packages that are not installed: pip install 'nosuch>=2'\n" in result.stderr
    assert "the module `nosuch` is not installed" in result.stdout
    assert result.exit_code == 1
