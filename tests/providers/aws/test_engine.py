"""The real `pulumi` command, on programs of components alone: no provider and no cloud."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from nodegx.providers.aws import engine as module
from nodegx.providers.aws import operations
from nodegx.providers.aws.engine import Engine, find_pulumi
from nodegx.providers.aws.steps import Message
from nodegx.providers.aws.troubles import Locked
from nodegx.providers.errors import ProviderError

from tests.support.engine import engine, write_program

real = pytest.mark.e2e


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_program(tmp_path / "program", 'Part("a")\npulumi.export("answer", 42)\n')


@pytest.fixture
def ready(home: Path) -> Engine:
    found = engine(home)
    found.init("dev")
    return found


# ---------------------------------------------------------------------------- finding the command


def test_the_command_that_is_named(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_pulumi({"NODEGX_PULUMI": str(program)}) == program
    assert find_pulumi({"NODEGX_PULUMI": str(tmp_path)}) == program
    assert find_pulumi({"PATH": f"/nowhere{os.pathsep}{tmp_path}"}) == program


def test_no_command(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="not installed") as caught:
        find_pulumi({"PATH": str(tmp_path)})
    assert "brew install pulumi" in caught.value.hint
    assert caught.value.kind == "environment"
    with pytest.raises(ProviderError, match="cannot be run"):
        find_pulumi({"NODEGX_PULUMI": str(tmp_path / "nothing")})


def scripted(tmp_path: Path, script: str) -> Engine:
    """An engine whose command is a script."""
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    env = {"PATH": os.environ["PATH"]}
    return Engine(program, tmp_path, "shop", env)


@pytest.mark.parametrize(
    ("printed", "version"),
    [("v3.200.1", (3, 200, 1)), ("3.181.0-alpha", (3, 181, 0)), ("", module.OLDEST)],
)
def test_versions(tmp_path: Path, printed: str, version: tuple[int, int, int]) -> None:
    assert scripted(tmp_path, f"echo {printed}").version() == version


def test_a_command_that_is_too_old(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"pulumi 3\.100\.0 is too old: 3\.181\.0 is needed"):
        scripted(tmp_path, "echo v3.100.0").check()


def test_a_plugin_that_cannot_be_had(tmp_path: Path) -> None:
    script = """
case "$1 $2" in
  "version "*) echo v3.200.0 ;;
  "plugin ls") echo "[]" ;;
  *) echo "error: no network" >&2; exit 255 ;;
esac"""
    found = scripted(tmp_path, script)
    found.env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}/bin{os.pathsep}/usr/bin"
    with pytest.raises(ProviderError, match=r"plugin that talks to AWS.*no network") as caught:
        found.check()
    assert "pulumi plugin install resource aws" in caught.value.hint


def test_a_plugin_that_is_attached(tmp_path: Path) -> None:
    found = scripted(tmp_path, "echo v3.200.0")
    found.env["PULUMI_DEBUG_PROVIDERS"] = "gcp:1,aws:4711"
    found.check()


# -------------------------------------------------------------------------------------- the real one


@real
def test_from_nothing_to_nothing(ready: Engine) -> None:
    seen: list[str] = []
    preview = ready.run("preview", "dev")
    assert preview.changes["create"] == 2
    up = ready.run("up", "dev", on_step=lambda step: seen.append(f"{step.phase} {step.name}"))
    assert up.outputs == {"answer": 42}
    assert up.changed == 2
    assert {"start a", "done a"} <= set(seen)
    assert ready.run("up", "dev").changed == 0
    assert ready.outputs("dev") == {"answer": 42}
    assert [each["type"] for each in ready.resources("dev")].count("nodegx:test:Part") == 1
    (info,) = ready.stacks()
    assert (info.name, info.resources) == ("dev", 2)
    gone = ready.run("destroy", "dev")
    assert gone.changes == {"delete": 2}
    ready.remove("dev")
    assert ready.stacks() == []


@real
def test_configuration(ready: Engine, home: Path) -> None:
    ready.set_config("dev", "shop:region", "north")
    ready.set_config("dev", "shop:functions.orders.memory", "512", path=True)
    ready.set_config("dev", "shop:secret.KEY", "hunter2", secret=True)
    found = ready.config("dev")
    assert found["shop:region"] == "north"
    assert found["shop:secret.KEY"] is None
    assert ready.config("dev", show_secrets=True)["shop:secret.KEY"] == "hunter2"
    text = (home / "stacks" / "Pulumi.dev.yaml").read_text()
    assert "hunter2" not in text
    assert "memory: 512" in text
    ready.remove_config("dev", "shop:region")
    assert "shop:region" not in ready.config("dev")


@real
def test_configuration_for_one_operation(ready: Engine, home: Path) -> None:
    write_program(home, 'pulumi.export("hold", config.get_bool("holdAlias") or False)\n')
    assert ready.run("up", "dev", config={"shop:holdAlias": "true"}).outputs == {"hold": True}
    assert ready.run("up", "dev").outputs == {"hold": False}
    assert "holdAlias" not in (home / "stacks" / "Pulumi.dev.yaml").read_text()


@real
def test_a_program_that_fails(ready: Engine, home: Path) -> None:
    write_program(home, 'raise pulumi.RunError("there is no bundle bundles/a.zip")\n')
    with pytest.raises(ProviderError, match=r"there is no bundle bundles/a\.zip") as caught:
        ready.run("up", "dev")
    assert caught.value.kind == "failure"


@real
def test_what_the_program_says(ready: Engine, home: Path) -> None:
    write_program(
        home, 'pulumi.log.warn("mind the gap")\npulumi.export("s", pulumi.Output.secret(1))\n'
    )
    heard: list[Message] = []
    outcome = ready.run("up", "dev", on_message=heard.append)
    assert [each.text for each in heard if each.severity == "warning"] == ["mind the gap"]
    assert outcome.outputs == {"s": "[secret]"}
    assert not any(
        "this goes to nobody" in each.text for each in heard if each.severity == "warning"
    )


@real
def test_stacks_that_are_not_there(ready: Engine) -> None:
    with pytest.raises(ProviderError, match="no stack 'prod'") as caught:
        ready.run("up", "prod")
    assert caught.value.kind == "not found"
    with pytest.raises(ProviderError, match="no stack 'prod'"):
        ready.config("prod")


@real
def test_a_wrong_passphrase(ready: Engine, home: Path) -> None:
    wrong = engine(home, {"PULUMI_CONFIG_PASSPHRASE": "other"})
    with pytest.raises(ProviderError, match="passphrase of the stack's secrets is wrong"):
        wrong.run("up", "dev")


SLOW = """
import pathlib, time
here = pathlib.Path(__file__).parent
(here / "begun").touch()
while not (here / "go").exists():
    time.sleep(0.05)
Part("late")
"""


def begun(home: Path) -> None:
    deadline = time.monotonic() + 60
    while not (home / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@real
def test_two_at_a_time(ready: Engine, home: Path) -> None:
    write_program(home, SLOW)
    first = threading.Thread(target=ready.run, args=("up", "dev"))
    first.start()
    try:
        begun(home)
        with pytest.raises(Locked) as caught:
            operations.run(ready, "up", "dev")
        assert caught.value.process
    finally:
        (home / "go").touch()
        first.join()


@real
def test_an_operation_that_was_killed_is_taken_over(ready: Engine, home: Path) -> None:
    write_program(home, SLOW)
    code = (
        "from pathlib import Path; from tests.support.engine import engine; "
        f"engine(Path({str(home)!r})).run('up', 'dev')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "NODEGX_PULUMI": str(ready.pulumi)},
        stderr=subprocess.DEVNULL,
    )
    begun(home)
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    for child in children:  # the worker leads a group of its own, with the command in it
        os.killpg(int(child), signal.SIGKILL)
    process.wait()
    (home / "go").touch()
    told: list[str] = []
    outcome = operations.run(ready, "up", "dev", taking_over=lambda: told.append("over"))
    assert told == ["over"]
    assert any(step.name == "late" for step in outcome.steps)


@real
def test_ctrl_c(ready: Engine, home: Path) -> None:
    write_program(home, SLOW)
    heard: list[str] = []

    def interrupt() -> None:
        begun(home)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        ready.run("up", "dev", on_message=lambda message: heard.append(message.text))
    assert any("Ctrl-C again stops at once" in text for text in heard)
    (home / "go").touch()
    assert any(step.name == "late" for step in ready.run("up", "dev").steps)
