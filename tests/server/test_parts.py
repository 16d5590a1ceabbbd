"""The small parts of the server."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.store import Query
from nodegx.runtime.triggers.webhook import Access
from nodegx.server.environment import EnvironmentSecrets, environment, parse
from nodegx.server.requestlog import RequestLog, render
from nodegx.server.retention import DAY, prune
from nodegx.server.workflows import load_all

from tests.support.built import simple, webhook, write_workflow

ACCESS = Access("POST", "/orders", 201, 0.01234, "/#__cloud__/ProcessOrder", "01ABC")


def test_a_line_of_the_request_log() -> None:
    assert render(ACCESS) == "POST /orders 201 12.3 ms ProcessOrder 01ABC\n"
    assert render(Access("GET", "/x", 404, 0.0001, "", "")) == "GET /x 404 0.1 ms - -\n"
    assert "\x1b[32m201\x1b[0m" in render(ACCESS, colour=True)


def test_a_path_cannot_forge_lines_or_colours() -> None:
    line = render(Access("GET", "/a\nGET /b\x1b[2J\u202e", 200, 0.0, "", ""))
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert "\u202e" not in line


async def test_lines_are_written_together_and_a_closed_stream_is_survived() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    for _ in range(3):
        log(ACCESS)
    assert stream.getvalue() == ""
    await asyncio.sleep(0.1)
    assert stream.getvalue().count("\n") == 3
    stream.close()
    log(ACCESS)
    log.flush()


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1\nB = two words \n", {"A": "1", "B": "two words"}),
        ("# A=1\n\n =x\nnothing\n", {}),
        ("export A=1 # comment\nB=a#b", {"A": "1", "B": "a#b"}),
        ("A='x # \"y\" \\n'\n", {"A": 'x # "y" \\n'}),
        ('A="x\\n\\"y\\" \\\\ # z" # comment', {"A": 'x\n"y" \\ # z'}),
        ("A=\nB=''", {"A": "", "B": ""}),
        ('A="open', {"A": "open"}),
    ],
)
def test_env_files(text: str, variables: dict[str, str]) -> None:
    assert parse(text) == variables


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NODEGX_SECRET_A=file\nNODEGX_SECRET_B=file\nC=file\n")
    variables = environment(tmp_path, {"NODEGX_SECRET_A": "outside"})
    secrets = EnvironmentSecrets(variables)
    assert dict(secrets) == {"A": "outside", "B": "file"}
    assert "outside" not in repr(secrets)
    assert environment(None, {"X": "1"}) == {"X": "1"}


def test_the_history_is_pruned_by_each_workflows_own_days(build: Path, tmp_path: Path) -> None:
    for name, days in (("Short", 1), ("Long", 100), ("Default", None)):
        settings: dict[str, Any] = {} if days is None else {"retentionDays": days}
        write_workflow(build, name, simple(name, "    pass"), [webhook(f"/{name}")], **settings)
    store = SqliteStore(tmp_path / "h.sqlite3")
    now = 1_000 * DAY
    records = [
        ExecutionRecord(f"{name}-{age}", name, "start", Status.SUCCESS, at, at)
        for name in ("Short", "Long", "Default", "Gone")
        for age in (0.5, 2, 50, 200)
        if (at := now - age * DAY)
    ]
    store.write([], records)
    workflows = load_all(build).workflows

    def left() -> set[str]:
        return {record.id for record in store.export(Query())}

    prune(store, workflows, None, now)
    assert left() == {r.id for r in records} - {
        "Short-2", "Short-50", "Short-200", "Long-200"
    }  # fmt: skip
    prune(store, workflows, 30, now)
    assert left() == {
        "Short-0.5", "Long-0.5", "Long-2", "Long-50", "Default-0.5", "Default-2",
        "Gone-0.5", "Gone-2", "Gone-50",
    }  # fmt: skip
    store.close()
