"""`nodegx executions` and `nodegx dead-letters` on many executions at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from nodegx.cli import output
from nodegx.cli.exit_codes import ExitCode
from nodegx.runtime.durable.state import RunStatus, Wait

from tests.support.kept_runs import Kept, failed, kept_in, run_state, waiting


@pytest.fixture
def kept(project: Path) -> Kept:
    return kept_in(project)


def listed(nodegx: Any, *arguments: str) -> list[int]:
    result = nodegx("executions", "list", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [int(each["id"][3:7]) for each in json.loads(result.stdout)["executions"]]


def test_many(nodegx: Any, kept: Kept) -> None:
    kept.add(*failed(1, 2, 3), *failed(4, workflow="/gone"), waiting(5))
    asked = nodegx("dead-letters", "redrive", "--all")
    assert asked.exit_code == ExitCode.USAGE
    assert "nobody is there to confirm" in asked.stderr
    assert listed(nodegx, "--status", "failed") == [1, 2, 3, 4]
    dry = nodegx("dead-letters", "redrive", "--error-code", "http.status", "--dry-run")
    assert dry.exit_code == 0
    assert [text[:7] for text in dry.stdout.splitlines()[1:]] == ["01K0001", "01K0003"]
    assert "2 executions would be" in dry.stderr
    assert listed(nodegx, "--status", "failed") == [1, 2, 3, 4]
    result = nodegx("dead-letters", "redrive", "--all", "--limit", "1", "--yes")
    assert result.exit_code == 0
    assert "1 execution redriven" in result.stderr
    result = nodegx("executions", "redrive", "--all", "--yes")
    assert result.exit_code == ExitCode.FAILURE
    assert result.stdout.count("✓") == 2
    assert "The workflow /gone is not there any more" in result.stderr
    assert "2 executions redriven, 1 refused" in result.stderr
    assert listed(nodegx, "--status", "failed") == [4]


def test_many_as_json(nodegx: Any, kept: Kept) -> None:
    first, second = kept.add(*failed(1), waiting(2))
    data = json.loads(
        nodegx("executions", "discard", first, second, "none", "--yes", "--json").stdout
    )
    assert (data["action"], data["done"], data["failed"]) == ("discard", 1, 2)
    assert [each.get("code") for each in data["results"]] == [
        None,
        "execution.state",
        "execution.unknown",
    ]
    dry = nodegx("executions", "cancel", "--all", "--dry-run", "--json")
    assert json.loads(dry.stdout) == {"action": "cancel", "dryRun": True, "executions": [second]}
    empty = nodegx("executions", "discard", "--all", "--json")
    assert json.loads(empty.stdout)["results"] == []


def test_ids_from_a_file(nodegx: Any, kept: Kept, project: Path) -> None:
    ids = kept.add(*failed(1, 2, 3, 4))
    (project / "ids.txt").write_text(f"# bad ones\n{ids[0]}\n\n{ids[1]}  # twice\n{ids[1]}\n")
    assert nodegx("executions", "discard", "--ids-from", "ids.txt").exit_code == ExitCode.USAGE
    assert nodegx("executions", "discard", "--ids-from", "ids.txt", "--yes").exit_code == 0
    assert listed(nodegx) == [3, 4]
    arguments = ("--ids-from", "-", "--error-code", "http.status", "--yes")
    piped = nodegx("executions", "discard", *arguments, input="\n".join(ids))
    assert piped.exit_code == 0, piped.output
    assert listed(nodegx) == [4]
    nothing = nodegx("executions", "discard", "--ids-from", "-", "--yes", input="\n")
    assert nothing.exit_code == 0
    assert "0 executions discarded" in nothing.stderr


def test_a_person_is_asked(nodegx: Any, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.add(*failed(*range(1, 4)))
    answers: Iterator[bool] = iter([False, True])

    def confirm(question: str, **_: Any) -> None:
        assert question == "discard 3 executions?"
        if not next(answers):
            raise click.Abort

    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("nodegx.cli.deployments.sys", terminal)
    monkeypatch.setattr("nodegx.cli.deployments.click.confirm", confirm)
    assert nodegx("executions", "discard", "--all").exit_code == ExitCode.INTERRUPTED
    assert listed(nodegx) == [1, 2, 3]
    shown = nodegx("executions", "discard", "--all").stdout
    assert "the service is down (2)" in shown
    assert listed(nodegx) == []


def test_values_cannot_steer_the_terminal(nodegx: Any, kept: Kept) -> None:
    evil = "\x1b[2J\x9b31m\u202e"
    error = json.dumps({"message": evil, "code": evil})
    bad = run_state(1, RunStatus.FAILED, workflow=f"/a{evil}", error=error)
    wait = Wait(f"{evil}!answer", evil, None, {"step": evil})
    kept.add(bad, waiting(2, (wait,), audit=({"by": evil, "action": evil, evil: evil},)))
    for arguments in (
        ["list"],
        ["show", bad.id],
        ["show", "01K0002"],
        ["redrive", bad.id, "x", "--yes"],
    ):
        result = nodegx("executions", *arguments)
        printed = result.stdout + result.stderr
        assert not set(printed) & set(evil) - set("[2J31m"), arguments


def test_ids_are_whole_on_a_narrow_terminal(
    nodegx: Any, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = kept.add(*failed(1), waiting(2))
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    shown = nodegx("executions", "list").stdout
    assert all(id in shown for id in ids)


# --- where they are ------------------------------------------------------------------------------


def test_a_database_is_named_by_a_variable(
    nodegx: Any, kept: Kept, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.add(*failed(1))
    password = "geheim"
    url = f"postgresql://nodegx:{password}@127.0.0.1:1/none"
    (project / ".env").write_text(f"NODEGX_DATABASE_URL={url}\n")
    result = nodegx("executions", "list")
    assert result.exit_code == ExitCode.ENVIRONMENT, result.output
    assert password not in result.output
    monkeypatch.setenv("NODEGX_DATABASE_URL", "mysql://x")
    result = nodegx("dead-letters", "list")
    assert result.exit_code == ExitCode.ENVIRONMENT, result.output
    assert "There is no store for mysql:// URLs" in result.stderr


def test_completion_knows_the_commands(nodegx: Callable[..., Any]) -> None:
    text = nodegx("executions", "--help").stdout
    for name in (
        "list",
        "show",
        "retry",
        "resume",
        "cancel",
        "fork",
        "migrate",
        "discard",
        "redrive",
    ):
        assert f"\n  {name} " in text
        assert nodegx("executions", name, "--help").exit_code == 0
    for name in ("list", "show", "redrive", "retry", "resume", "discard"):
        assert nodegx("dead-letters", name, "--help").exit_code == 0
