"""The `pulumi` command where nobody has installed it: built once with Go into the user's cache.

Go's module proxy has the command's source, so that a machine with Go needs nothing else. The build
takes about five minutes of processor time, which is why it is kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from .ministack import EmulatorError, Tell, cache_directory, locked

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


def find_or_build(tell: Tell = print) -> Path | None:
    """A command that is there: `NODEGX_PULUMI`, in `PATH`, or built before; else it is built.

    Returns:
        Its path; None on machines without it and without Go.

    Raises:
        EmulatorError: it cannot be built.
    """
    given = os.environ.get("NODEGX_PULUMI") or shutil.which("pulumi")
    if given:
        return Path(given)
    if not cached().exists():
        if shutil.which("go") is None:
            return None
        with locked(cached().parent):  # one build for all processes
            if not cached().exists():
                _build(cached(), tell)
    return cached()


def _build(target: Path, tell: Tell) -> None:
    scratch = target.parent / "build"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    (scratch / "go.mod").write_text("module scratch\n\ngo 1.25\n", "utf-8")
    (scratch / "tools.go").write_text(TOOLS, "utf-8")
    made = scratch / "pulumi"
    version = f"-s -w -X {MODULE}/sdk/v3/go/common/version.Version=v{VERSION}"
    tell(f"Building pulumi {VERSION} into {target} (once, takes some minutes)")
    begin = time.monotonic()
    for command in (
        ["go", "get", f"{MODULE}/pkg/v3@v{VERSION}", f"{MODULE}/sdk/v3@v{VERSION}"],
        ["go", "mod", "tidy"],
        ["go", "build", "-p", "2", "-ldflags", version, "-o", str(made), COMMAND],
    ):
        done = subprocess.run(  # noqa: S603
            ["nice", *command],  # noqa: S607
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise EmulatorError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    made.replace(target)
    shutil.rmtree(scratch)
    tell(f"Built pulumi {VERSION} in {time.monotonic() - begin:.0f} s")
