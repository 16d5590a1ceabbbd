"""Where the `pulumi` command comes from. Its build takes minutes: `make tools` does it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from nodegx.providers.aws.emulator import pulumi_build
from nodegx.providers.aws.emulator.cache import EmulatorError, kept


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory in which programs are looked for, besides the system's own."""
    monkeypatch.delenv("NODEGX_PULUMI", raising=False)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/bin")
    return programs


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_command_that_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGX_CACHE", str(path.parent / "cache"))
    assert pulumi_build.find() is None
    pulumi_build.cached().parent.mkdir(parents=True)
    built = script(pulumi_build.cached(), "exit 0")
    assert pulumi_build.find() == pulumi_build.find_or_build() == built
    installed = script(path / "pulumi", "exit 0")
    assert pulumi_build.find() == installed
    monkeypatch.setenv("NODEGX_PULUMI", "/opt/pulumi")
    assert pulumi_build.find() == Path("/opt/pulumi")


def test_a_go_that_is_new_enough(path: Path) -> None:
    go = script(path / "go", "echo go version go1.25.11 linux/amd64")
    assert pulumi_build.find_go() == go


@pytest.mark.e2e
def test_a_go_that_is_too_old_is_replaced(path: Path) -> None:
    old = script(path / "go", "echo go version go1.19.8 linux/amd64")
    go = pulumi_build.find_go()
    assert go != old
    told = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"go version go{pulumi_build.GO} ")


def test_what_cannot_be_built(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGX_CACHE", str(path.parent / "cache"))
    script(path / "nice", 'exec "$@"')
    script(path / "go", '[ "$1" = version ] && echo go1.26.0 || { echo no network >&2; exit 1; }')
    with pytest.raises(EmulatorError, match=r"go get .* failed:\nno network"):
        pulumi_build.find_or_build(lambda text: None)
    assert pulumi_build.find() is None


def test_what_is_kept_is_made_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGX_CACHE", str(tmp_path))
    told: list[str] = []

    def broken(home: Path) -> None:
        home.mkdir()
        (home / "half").touch()
        raise EmulatorError("no network")

    def make(home: Path) -> None:
        home.mkdir()
        (home / "all").touch()

    with pytest.raises(EmulatorError):
        kept("thing-1", broken, told.append)
    for _ in range(2):
        home = kept("thing-1", make, told.append)
    assert sorted(path.name for path in home.iterdir()) == [".installed", "all"]
    assert len(told) == 2
    shutil.rmtree(home)
