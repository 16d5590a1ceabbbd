"""The life of a project through the real command: init, check, compile, run, history, dev."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.support.interruptible import interruptible

pytestmark = pytest.mark.e2e
NODEGX = str(Path(sys.executable).with_name("nodegx"))


def nodegx(*arguments: str, cwd: Path, code: int = 0, input: str | None = None) -> str:
    """Runs the command; returns what it printed."""
    process = subprocess.run(
        [NODEGX, *arguments],
        cwd=cwd,
        input=input,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == code, process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    return process.stdout


def test_from_nothing_to_a_recorded_run(tmp_path: Path) -> None:
    printed = nodegx("init", "shop", cwd=tmp_path)
    shop = tmp_path / "shop"
    steps = [line.strip() for line in printed.partition("Next:")[2].strip().splitlines()]
    assert steps[0] == "cd shop"
    assert nodegx("check", cwd=shop) == "✓ 1 file checked, nothing to complain about\n"
    assert "1 written" in nodegx("compile", cwd=shop)
    assert "1 unchanged" in nodegx("compile", cwd=shop)
    run = next(step for step in steps if step.startswith("nodegx run")).split()[1:]
    printed = nodegx(*run, cwd=shop)
    assert 'body {"message": "Hello, Ada!"}' in printed
    shown = nodegx("history", "show", cwd=shop)
    assert "/#__cloud__/Hello  ✓ success" in shown
    assert re.search(r"✓ greet +data\.set +│.*│", shown)
    assert '"Hello, Ada!"' in shown
    nodegx("run", "Hello", "--set", "name=", cwd=shop)
    data = json.loads(nodegx("history", "show", "--json", cwd=shop))
    assert data["output"]["status"] == 422
    assert len(json.loads(nodegx("history", "list", "--json", cwd=shop))["executions"]) == 2


@pytest.mark.parametrize("template", ["schedule", "event"])
def test_other_templates_run_as_their_readme_says(tmp_path: Path, template: str) -> None:
    nodegx("init", "p", "--template", template, cwd=tmp_path)
    commands = [
        line.split("#")[0].split()[1:]
        for line in (tmp_path / "p/README.md").read_text().splitlines()
        if line.startswith("nodegx ") and not line.startswith("nodegx dev")
    ]
    assert len(commands) == 4
    for arguments in commands:
        nodegx(*arguments, cwd=tmp_path / "p")
    printed = nodegx("schedules", "list", "--json", cwd=tmp_path / "p")
    assert len(json.loads(printed)) == (1 if template == "schedule" else 0)


def test_a_handler_runs_without_nodegx_installed(tmp_path: Path) -> None:
    nodegx("init", "shop", cwd=tmp_path)
    nodegx("compile", cwd=tmp_path / "shop")
    bare = [getattr(sys, "_base_executable", sys.executable), "-S", "-E", "-s"]
    built = tmp_path / "shop/build/hello"
    failing = subprocess.run(
        [*bare, "-c", "import nodegx.runtime"], cwd=tmp_path, check=False, capture_output=True
    )
    assert failing.returncode != 0, "nodegx must not be installed for this test to mean anything"
    process = subprocess.run(
        [
            *bare,
            *("-m", "nodegx.runtime", "handler.py", "--steps"),
            *("--input", "../../samples/hello.json", "--vars", "../../nodegx.json"),
        ],
        cwd=built,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    answer = json.loads(process.stdout)
    assert (answer["status"], answer["body"]) == (200, {"message": "Hello, Ada!"})
    assert re.search(r"success +named \(logic\.if\) .* -> true", process.stderr)
    assert "1 unchanged" in nodegx("compile", cwd=tmp_path / "shop"), "Python's own files are fine"


class Dev:
    """A running `nodegx dev --json`."""

    def __init__(self, project: Path) -> None:
        self.process = subprocess.Popen(
            [NODEGX, "dev", "--port", "0", "--json"],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        self.output: IO[str] = self.process.stdout
        self.ready = self.wait_for("ready")

    def wait_for(self, event: str, text: str = "") -> dict[str, Any]:
        for line in self.output:
            found = json.loads(line)
            if found["event"] == event and text in found.get("text", ""):
                return found
        raise AssertionError(f"no {event}: {self.process.stderr and self.process.stderr.read()}")

    def post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            self.ready["url"] + path,
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    nodegx("init", "shop", cwd=tmp_path)
    nodegx("init", "other", "--template", "event", cwd=tmp_path)
    (tmp_path / "other/workflows/welcome.json").rename(tmp_path / "shop/workflows/welcome.json")
    path = tmp_path / "shop/nodegx.json"
    project = json.loads(path.read_text())
    project["vars"]["welcome"] = "hi"
    path.write_text(json.dumps(project))
    return tmp_path / "shop"


@pytest.fixture
def dev(shop: Path) -> Iterator[Dev]:
    running = Dev(shop)
    yield running
    running.process.kill()
    running.process.wait()


def test_dev_serves_reloads_and_stops(dev: Dev, shop: Path) -> None:
    triggers = {row["kind"]: row["where"] for row in dev.ready["triggers"]}
    assert triggers == {
        "webhook": f"POST {dev.ready['url']}/hello",
        "event": "user.created",
    }
    assert dev.post("/hello", {"name": "Ada"}) == {"message": "Hello, Ada!"}

    workflow = shop / "workflows/hello.json"
    workflow.write_text(workflow.read_text().replace("vars.greeting }},", "vars.greeting }} you,"))
    dev.wait_for("message", "reloaded Hello")
    assert dev.post("/hello", {"name": "Ada"}) == {"message": "Hello you, Ada!"}

    workflow.write_text("{")
    assert dev.wait_for("diagnostic")["code"] == "NX104"
    assert dev.post("/hello", {"name": "Ada"}) == {"message": "Hello you, Ada!"}

    url = ("--url", dev.ready["url"])
    data = ("--data", '{"email": "a@b.example"}')
    assert "user.created sent" in nodegx("events", "emit", "user.created", *data, *url, cwd=shop)

    dev.process.send_signal(signal.SIGTERM)
    assert dev.process.wait(30) == 0
    listed = json.loads(nodegx("history", "list", "--json", cwd=shop))["executions"]
    names = sorted(one["workflow"].rpartition("/")[2] for one in listed)
    assert names == ["Hello", "Hello", "Hello", "Welcome"]
    assert {one["status"] for one in listed} == {"success"}


def test_dev_for_people(shop: Path) -> None:
    process = subprocess.Popen(
        [NODEGX, "dev", "--port", "0"],
        cwd=shop,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if "changes are reloaded" in line:
            break
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=30)[0]
    text = "".join(lines) + rest
    assert process.returncode == 0, text
    assert re.search(r"Hello +webhook +POST http://127\.0\.0\.1:\d+/hello", text)
    assert re.search(r"Welcome +event +user\.created", text)
    assert re.search(r"● 2 workflows on http://127\.0\.0\.1:\d+, Ctrl-C stops", text)


def test_a_taken_port(dev: Dev, shop: Path) -> None:
    port = dev.ready["url"].rpartition(":")[2]
    process = subprocess.run(
        [NODEGX, "dev", "--port", port],
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 5
    assert f"cannot listen on 127.0.0.1:{port}" in process.stderr
    assert "hint: --port chooses another" in process.stderr


def test_interrupting_a_run_records_it_as_cancelled(tmp_path: Path) -> None:
    nodegx("init", "p", "--template", "empty", cwd=tmp_path)
    document = {
        "name": "/Slow",
        "nodes": [
            {"id": "start", "type": "trigger.manual"},
            {"id": "pause", "type": "logic.wait", "parameters": {"duration": 60}},
        ],
        "connections": [
            {
                "sourceId": "start",
                "sourcePort": "started",
                "targetId": "pause",
                "targetPort": "run",
            }
        ],
    }
    (tmp_path / "p/workflows/slow.json").write_text(json.dumps(document))
    process = subprocess.Popen(
        interruptible(NODEGX, "run", "Slow", "--json"),
        cwd=tmp_path / "p",
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "step.start":
            break
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait(20) == 130
    shown = json.loads(nodegx("history", "show", "--json", cwd=tmp_path / "p"))
    assert shown["status"] == "cancelled"
    assert shown["steps"][0]["status"] == "cancelled"
