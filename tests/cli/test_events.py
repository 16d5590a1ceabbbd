"""`nodegx events` against a small server, and `nodegx schedules`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from nodegx.cli.exit_codes import ExitCode

pytestmark = pytest.mark.slow


class Endpoint(BaseHTTPRequestHandler):
    """Keeps what was posted; refuses the event `bad`."""

    posted: list[tuple[str, str | None, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.posted.append((self.path, self.headers["authorization"], json.loads(body)))
        bad = self.path.endswith("/bad")
        answer: dict[str, Any] = {"title": "No", "detail": "not\x1b like this"}
        data = json.dumps(answer if bad else {"eventId": "E1"}).encode()
        self.send_response(409 if bad else 202)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(project: Path) -> Iterator[HTTPServer]:
    Endpoint.posted = []
    listening = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    port = listening.server_port
    (project / "nodegx.json").write_text(json.dumps({"name": "shop", "server": {"port": port}}))
    yield listening
    listening.shutdown()
    listening.server_close()


def test_emit(nodegx: Any, server: HTTPServer) -> None:
    result = nodegx("events", "emit", "order.created", "--data", '{"id": 7}')
    assert result.stdout == "✓ order.created sent, event E1\n"
    assert Endpoint.posted == [("/_nodegx/events/order.created", None, {"id": 7})]


def test_emit_elsewhere(nodegx: Any, server: HTTPServer, project: Path) -> None:
    (project / "data.json").write_text("[1]")
    url = f"http://127.0.0.1:{server.server_port}/"
    arguments = ("a/b", "--data", "@data.json", "--url", url, "--token", "t", "--json")
    assert json.loads(nodegx("events", "emit", *arguments).stdout) == {"eventId": "E1"}
    assert Endpoint.posted == [("/_nodegx/events/a%2Fb", "Bearer t", [1])]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["bad"], 1, "the server refused: not\\x1b like this"),
        (["x", "--data", "{"], 2, "the data is not JSON"),
        (["x", "--url", "file:///etc/passwd"], 2, "is not an http address"),
        (["x", "--url", "http://127.0.0.1:1"], 5, "no server answers at http://127.0.0.1:1"),
    ],
)
def test_mistakes(
    nodegx: Any, server: HTTPServer, arguments: list[str], code: int, message: str
) -> None:
    result = nodegx("events", "emit", *arguments)
    assert result.exit_code == code, result.output
    assert message in result.stderr


def test_schedules(nodegx: Any, project: Path) -> None:
    assert "no workflow has a schedule" in nodegx("schedules", "list").stderr
    for name, parameters in (
        ("Nightly", {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}),
        ("Often", {"every": "10s"}),
    ):
        document = {
            "name": f"/{name}",
            "nodes": [
                {"id": "clock", "type": "trigger.schedule", "parameters": parameters},
                {"id": "note", "type": "data.set", "parameters": {"value": "{{ clock.time }}"}},
            ],
            "connections": [
                {
                    "sourceId": "clock",
                    "sourcePort": "fired",
                    "targetId": "note",
                    "targetPort": "run",
                }
            ],
        }
        (project / f"workflows/{name}.json").write_text(json.dumps(document))
    data = json.loads(nodegx("schedules", "list", "--json", "--count", "2").stdout)
    assert [entry["workflow"] for entry in data] == ["/Often", "/Nightly"]
    assert [len(entry["next"]) for entry in data] == [2, 2]
    assert "T02:00:00+0" in data[1]["next"][0]
    text = nodegx("schedules", "list").stdout
    assert "Every 10 seconds" in text
    assert "(Europe/Berlin)" in text
    assert "in " in text.splitlines()[1]


def test_schedules_of_a_broken_project(nodegx: Any, project: Path) -> None:
    (project / "workflows/bad.json").write_text("{")
    assert nodegx("schedules", "list").exit_code == ExitCode.DIAGNOSTICS
