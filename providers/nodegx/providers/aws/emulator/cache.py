"""What is downloaded or built once, and kept in the user's cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

PYTHON = f"py{sys.version_info.major}.{sys.version_info.minor}"
"""Part of the names of what depends on the version of Python."""
DONE = ".installed"

Tell = Callable[[str], None]


class EmulatorError(Exception):
    """The emulated cloud cannot be installed or started; the message says why."""


def cache_directory() -> Path:
    """Where it is kept: `~/.cache/nodegx`, or `NODEGX_CACHE`."""
    given = os.environ.get("NODEGX_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nodegx"


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Keeps other processes out while something is made at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def kept(name: str, make: Callable[[Path], None], tell: Tell = print) -> Path:
    """The directory `name` of the cache, complete. It is made when it is first needed; other
    processes that want it wait until it is.

    Args:
        name: says what is in it, with the version.
        make: fills the directory.
        tell: is told what takes time.

    Raises:
        EmulatorError: it cannot be made, for example for want of a network.
    """
    home = cache_directory() / name
    with locked(home):
        done = home / DONE
        if not done.exists():
            tell(f"Installing {name} into {home.parent} (once)")
            shutil.rmtree(home, ignore_errors=True)
            make(home)
            done.touch()
    return home


def install(requirement: str, target: Path) -> None:
    """Installs a package and what it needs into a directory.

    Raises:
        EmulatorError: it cannot be had.
    """
    run(requirement, [*_installer(), "--target", str(target), requirement])


def install_environment(requirement: str, home: Path) -> None:
    """Makes a virtual environment with a package and what it needs.

    Raises:
        EmulatorError: it cannot be had.
    """
    python = str(home / "bin" / "python")
    uv = _uv()
    if uv is None:
        run(requirement, [sys.executable, "-m", "venv", str(home)])
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(requirement, [*pip, requirement])
    else:
        run(requirement, [uv, "venv", "--quiet", "--python", sys.executable, str(home)])
        run(requirement, [*_installer(), "--python", python, requirement])


def run(what: str, command: Sequence[str]) -> None:
    """Runs a command that installs something.

    Raises:
        EmulatorError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip()[-2000:]
        raise EmulatorError(f"{what} could not be installed:\n{reason}")


def _uv() -> str | None:
    """uv, which is faster: of this environment, else of the system."""
    path = os.environ.get("PATH", os.defpath)
    return shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), path)))


def _installer() -> list[str]:
    uv = _uv()
    if uv is not None:
        return [uv, "pip", "install", "--quiet"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    return [*pip, "--disable-pip-version-check"]
