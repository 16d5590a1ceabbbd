"""`python -m nodegx.runtime handler.py`, with a handler written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.__main__ import main

HANDLER = """
from nodegx.runtime import Node, Run, workflow

ANSWER = Node("answer", "cloud.response")


@workflow("/Double")
async def double(run: Run) -> None:
    if run.trigger.body["n"] < 0:
        raise ValueError("negative")
    if "tell" in run.trigger.body:
        await run.emit(Node("tell", "workflow.emit"), "told", 1)
    factor = run.vars.get("factor", 2)
    body = {"n": run.trigger.body["n"] * factor, "home": run.env.get("HOME_TOWN")}
    await run.respond(ANSWER, status=201, body=body)
"""
MANIFEST = {
    "formatVersion": 1,
    "name": "/Double",
    "revision": "r",
    "env": ["HOME_TOWN"],
    "triggers": [
        {"node": "ask", "type": "trigger.webhook", "config": {"path": "/double"}},
    ],
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "handler.py").write_text(HANDLER)
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "input.json").write_text('{"n": 4}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_prints_the_answer(built: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_TOWN", "Ulm")
    monkeypatch.setenv("OTHER", "hidden")
    assert main(["handler.py", "--input", "input.json", "--steps"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"status": 201, "headers": {}, "body": {"n": 8, "home": "Ulm"}}
    assert err.startswith("success   answer (cloud.response) ")


@pytest.mark.parametrize("content", ['{"factor": 10}', '{"name": "p", "vars": {"factor": 10}}'])
def test_variables(built: Path, capsys: Any, content: str) -> None:
    (built / "vars.json").write_text(content)
    assert main([".", "--input", "input.json", "--vars", "vars.json"]) == 0
    assert json.loads(capsys.readouterr().out)["body"]["n"] == 40


def test_a_run_that_fails(built: Path, capsys: Any) -> None:
    (built / "input.json").write_text('{"n": -1}')
    assert main(["handler.py", "--input", "input.json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err.splitlines()[0])["message"] == "ValueError: negative"


def test_events_go_nowhere(built: Path, capsys: Any) -> None:
    (built / "input.json").write_text('{"n": 1, "tell": true}')
    assert main(["handler.py", "--input", "input.json"]) == 0
    assert "event told goes nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.py"], "nothing.py"),
        (["handler.py", "--trigger", "x"], "choose one of its triggers with --trigger: ask"),
        (["handler.py", "--input", "handler.py"], "handler.py is not JSON"),
        (["handler.py", "--vars", "list.json"], "list.json is not a JSON object"),
    ],
)
def test_mistakes(built: Path, capsys: Any, arguments: list[str], message: str) -> None:
    (built / "list.json").write_text("[]")
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
