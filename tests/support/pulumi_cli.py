"""The real `pulumi` command for tests: found, or built once with Go into the user's cache.

Go's module proxy has the command's source, so that a machine with Go needs nothing else. The build
takes about five minutes of processor time, which is why it is kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path

from nodegx.providers.aws.emulator.ministack import cache_directory, locked

VERSION = "3.259.0"
MODULE = "github.com/pulumi/pulumi"
COMMAND = f"{MODULE}/pkg/v3/cmd/pulumi"
BUILD_SECONDS = 1800
TOOLS = f"""//go:build tools

package tools

import _ "{COMMAND}"
"""


def cached() -> Path:
    """Where a built command is kept."""
    return cache_directory() / f"pulumi-{VERSION}" / "pulumi"


def find() -> Path | None:
    """A command that is there: `NODEGX_PULUMI`, in `PATH`, or built before."""
    given = os.environ.get("NODEGX_PULUMI") or shutil.which("pulumi")
    if given:
        return Path(given)
    return cached() if cached().exists() else None


@cache
def pulumi() -> Path | None:
    """The command, built if need be; None on machines without it and without Go."""
    found = find()
    if found is not None:
        return found
    if shutil.which("go") is None:
        return None
    with locked(cached().parent.with_suffix(".lock")):  # one build for all test processes
        if not cached().exists():
            _build(cached())
    return cached()


def _build(target: Path) -> None:
    scratch = target.parent / "build"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    (scratch / "go.mod").write_text("module scratch\n\ngo 1.25\n")
    (scratch / "tools.go").write_text(TOOLS)
    made = scratch / "pulumi"
    version = f"-s -w -X {MODULE}/sdk/v3/go/common/version.Version=v{VERSION}"
    print(f"\nBuilding pulumi {VERSION} into {target} (once, some minutes)", flush=True)
    begin = time.monotonic()
    for command in (
        ["go", "get", f"{MODULE}/pkg/v3@v{VERSION}", f"{MODULE}/sdk/v3@v{VERSION}"],
        ["go", "mod", "tidy"],
        ["go", "build", "-p", "2", "-ldflags", version, "-o", str(made), COMMAND],
    ):
        done = subprocess.run(
            ["nice", *command],
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    made.replace(target)
    shutil.rmtree(scratch)
    print(f"Built pulumi {VERSION} in {time.monotonic() - begin:.0f} s", flush=True)
