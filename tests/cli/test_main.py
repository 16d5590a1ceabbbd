"""The command as a whole: overview, options, errors and exit codes."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from nodegx.cli import base
from nodegx.cli.exit_codes import MEANINGS, ExitCode
from nodegx.cli.main import COMMANDS

NODEGX = str(Path(sys.executable).with_name("nodegx"))


def command(name: str) -> click.Command:
    module, _, attribute = COMMANDS[name].target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def all_commands() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        one = command(name)
        found.append((name, one))
        if isinstance(one, click.Group):
            found += [(f"{name} {sub}", each) for sub, each in one.commands.items()]
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_overview_says_what_each_command_says_of_itself(name: str) -> None:
    first = (command(name).help or "").strip().split("\n")[0]
    assert COMMANDS[name].help == first
    assert command(name).name == name


@pytest.mark.parametrize(("name", "one"), all_commands(), ids=lambda value: str(value))
def test_every_command_has_help_and_json(name: str, one: click.Command, nodegx: Any) -> None:
    assert nodegx(*name.split(), "--help").exit_code == 0
    assert one.help
    if not isinstance(one, click.Group):
        names = {option for param in one.params for option in param.opts}
        assert {"--json", "--debug", "--project"} <= names


def test_help_documents_the_exit_codes(nodegx: Any) -> None:
    text = nodegx("--help").output
    for code in ExitCode:
        assert f"{code.value}  {MEANINGS[code]}" in text


def test_overview_imports_no_command() -> None:
    program = (
        "import sys\nfrom nodegx.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "loaded = [m for m in sys.modules if m.startswith(('nodegx.cli.commands', 'nodegx.compiler',"
        " 'nodegx.runtime', 'rich', 'pydantic', 'asyncio'))]\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_unknown_command_suggests_near_ones(nodegx: Any) -> None:
    result = nodegx("chek")
    assert result.exit_code == ExitCode.USAGE
    assert "Did you mean check" in result.stderr


def test_wrong_usage_as_json(nodegx: Any) -> None:
    result = nodegx("init", "--json", "--template", "nothing")
    assert result.exit_code == ExitCode.USAGE
    assert json.loads(result.stdout)["error"]["kind"] == "usage"


def test_outside_of_a_project(nodegx: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ["compile"],
        ["run", "X"],
        ["history", "list"],
        ["dev"],
        ["schedules", "list"],
    ):
        result = nodegx(*arguments)
        assert result.exit_code == ExitCode.NOT_FOUND, arguments
        assert "there is no nodegx.json" in result.stderr
        assert "hint: `nodegx init`" in result.stderr
    data = json.loads(nodegx("compile", "--json").stdout)
    assert data["error"]["kind"] == "not_found"


@pytest.mark.parametrize("arguments", [["compile"], ["check"], ["run", "X"], ["history", "list"]])
def test_a_wrong_project_file_is_a_finding(
    nodegx: Any, project: Path, arguments: list[str]
) -> None:
    (project / "nodegx.json").write_text('{"name": "shop",\n "wrkflows": "x"}')
    result = nodegx(*arguments)
    assert result.exit_code == ExitCode.DIAGNOSTICS, result.output
    assert "nodegx.json:2:2: error NX" in result.stderr + result.stdout
    assert 'did you mean "workflows"?' in result.stderr + result.stdout


def test_another_project(nodegx: Any, tmp_path: Path) -> None:
    (tmp_path / "nodegx.json").write_text('{"name": "other"}')
    assert nodegx("history", "list", "-C", tmp_path).exit_code == 0
    assert nodegx("history", "list", "-C", tmp_path / "missing").exit_code == ExitCode.NOT_FOUND


class Boom(Exception):
    """Something nobody expected."""


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes `nodegx nodes` raise what the test says."""

    def fail(error: BaseException) -> None:
        @click.command(cls=base.Command)
        def nodes() -> None:
            raise error

        monkeypatch.setattr("nodegx.cli.commands.nodes.nodes", nodes)

    return fail


def test_a_fault_of_ours_shows_no_traceback(nodegx: Any, failing: Any) -> None:
    failing(Boom("unheard of"))
    result = nodegx("nodes")
    assert result.exit_code == ExitCode.INTERNAL
    assert result.stderr.startswith("error: unexpected Boom: unheard of\nhint: ")
    assert "Traceback" not in result.output
    assert json.loads(nodegx("nodes", "--json").stdout)["error"]["kind"] == "internal"


def test_debug_shows_the_traceback(nodegx: Any, failing: Any) -> None:
    failing(Boom("unheard of"))
    assert isinstance(nodegx("nodes", "--debug").exception, Boom)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (PermissionError(13, "Permission denied", "build"), 5, "build: Permission denied"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.ClickException("no"), 1, "error: no"),
    ],
)
def test_expected_failures(
    nodegx: Any, failing: Any, error: BaseException, code: int, message: str
) -> None:
    failing(error)
    result = nodegx("nodes")
    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr


def test_a_reader_that_stops_reading_is_no_error() -> None:
    process = subprocess.run(
        f"{NODEGX} nodes --json | head -c 10",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert len(process.stdout) == 10
    assert process.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(nodegx: Any, shell: str) -> None:
    result = nodegx("completion", shell)
    assert result.exit_code == 0
    assert "_NODEGX_COMPLETE" in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("nodegx hist", "history"),
        ("nodegx nodes logic.s", "logic.switch"),
        ("nodegx run Or", "Orders"),
    ],
)
def test_completions(words: str, expected: str, project: Path) -> None:
    built = project / "build" / "orders"
    built.mkdir(parents=True)
    manifest = {"formatVersion": 1, "name": "/#__cloud__/Orders", "triggers": []}
    (built / "manifest.json").write_text(json.dumps(manifest))
    environment = {
        **os.environ,
        "_NODEGX_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    process = subprocess.run(
        [NODEGX], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert f"plain,{expected}" in process.stdout.splitlines()


def test_version(nodegx: Any) -> None:
    assert nodegx("--version").output.startswith("nodegx 0.")
