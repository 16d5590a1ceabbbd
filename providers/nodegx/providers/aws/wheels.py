"""The packages of functions: chosen once for the project, unpacked for the functions' platform.

What our own nodes need, and is plain Python, comes in the version that is installed beside us: it
is the one they were tested with, and costs no download. Everything else comes from the package
index in the versions of the project's lock file.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from . import standins
from .installers import Installer, find_installer
from .platforms import Platform
from .zipping import Content

LOCK = "packages.lock"
"""The lock file, in the project's directory."""
DISTRIBUTION = "nodegx"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOISE = frozenset({"__pycache__", "tests", "bin"})
_NOISY_FILES = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock"}
)

Files = dict[str, Path]
"""Files by the names they have in a bundle."""

_MANGUM = "mangum"
_TYPING_EXTENSIONS = "typing-extensions"


class Wheels:
    """The packages of one project.

    Args:
        lock: its lock file.
        cache: where unpacked packages are kept; made if need be.
        installer: finds and unpacks wheels; by default what `find_installer` finds, when needed.
    """

    def __init__(self, lock: Path, cache: Path, installer: Installer | None = None) -> None:
        self._lock = lock
        self._cache = cache
        self._installer = installer

    def fix(self, requirements: Iterable[str], platform: Platform) -> None:
        """Writes the lock file, if it does not hold versions of everything that is required.

        Args:
            requirements: of all functions together.
            platform: of the functions.

        Raises:
            ProviderError: something cannot be had for the platform.
        """
        wanted = _to_fetch(requirements)
        head = _head(wanted, platform)
        if not wanted or (self._lock.is_file() and self._lock.read_text("utf-8").startswith(head)):
            return
        with tempfile.TemporaryDirectory() as directory:
            listed = _listed(wanted, Path(directory))
            text = head + self._find().lock(listed, self._lock, platform)
        temporary = self._lock.with_name(f"{self._lock.name}.{os.getpid()}.tmp")
        temporary.write_text(text, "utf-8")
        os.replace(temporary, self._lock)

    def files(self, requirements: Iterable[str], platform: Platform) -> dict[str, Content]:
        """Every file that a function with these requirements needs in its bundle, by name.

        Raises:
            ProviderError: something cannot be had for the platform.
        """
        given = sorted(set(requirements))
        wanted = _to_fetch(given)
        ours = {
            name
            for requirement in given
            if requirement not in wanted
            for name in _plain_closure(_canonical(requirement)) or ()
        }
        found: dict[str, Content] = {}
        for name in sorted(ours - {_TYPING_EXTENSIONS}):
            found.update(_files_of(name))
        if _TYPING_EXTENSIONS in ours:
            sources = [path for name, path in _paths(found) if name.endswith(".py")]
            found.update(_typing_extensions(tuple(sources)))
        if _MANGUM in ours:
            found.update(_mangum())
        if wanted:
            found.update(_tree(self._unpacked(wanted, platform)))
        return found

    def _unpacked(self, wanted: list[str], platform: Platform) -> Path:
        key = hashlib.sha256(
            "\n".join((*wanted, str(platform), self._lock.read_text("utf-8"))).encode()
        ).hexdigest()[:24]
        directory = self._cache / key
        if not directory.is_dir():
            self._cache.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=".", dir=self._cache))
            try:
                listed = _listed(wanted, temporary)
                self._find().install(listed, self._lock, platform, temporary)
                listed.unlink()
                temporary.rename(directory)
            except OSError:
                if not directory.is_dir():  # else another process was faster
                    raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        return directory

    def _find(self) -> Installer:
        if self._installer is None:
            self._installer = find_installer()
        return self._installer


def _head(wanted: Iterable[str], platform: Platform) -> str:
    lines = (
        f"# Packages of this project's functions, for {platform}. Keep this file with the project.",
        f"# Needed: {', '.join(wanted)}",
    )
    return "".join(f"{line}\n" for line in lines)


def _listed(requirements: Iterable[str], directory: Path) -> Path:
    path = directory / ".requirements.txt"
    path.write_text("".join(f"{each}\n" for each in requirements), "utf-8")
    return path


def _to_fetch(requirements: Iterable[str]) -> list[str]:
    return sorted({each for each in requirements if not _is_ours(each)})


def _tree(root: Path) -> Files:
    """The files below `root` that matter when a program runs."""
    found: Files = {}
    for place, directories, names in os.walk(root):
        directories[:] = sorted(name for name in directories if name not in _NOISE)
        inside = Path(place).relative_to(root).as_posix()
        for name in names:
            if name not in _NOISY_FILES and not name.endswith(".pyc"):
                found[name if inside == "." else f"{inside}/{name}"] = Path(place, name)
    return found


# ------------------------------------------------------------------- what is installed beside us


def _is_ours(requirement: str) -> bool:
    """Whether our own installation provides it, all of it in plain Python."""
    name = _NAME.fullmatch(requirement)
    return (
        name is not None
        and _canonical(requirement) in _own_requirements()
        and _plain_closure(_canonical(requirement)) is not None
    )


@cache
def _typing_extensions(sources: tuple[Path, ...]) -> Mapping[str, Content]:
    """What some of our sources need of typing_extensions."""
    small = standins.typing_extensions(sources)
    if small is None:
        return dict(_files_of(_TYPING_EXTENSIONS))
    return {f"{standins.TYPING_EXTENSIONS}.py": small}


@cache
def _mangum() -> Mapping[str, Content]:
    """Stand-ins for what no function of ours needs of Mangum."""
    return standins.mangum(_files_of(_MANGUM))


def _paths(files: Mapping[str, Content]) -> list[tuple[str, Path]]:
    return [(name, path) for name, path in files.items() if isinstance(path, Path)]


@cache
def _own_requirements() -> frozenset[str]:
    """Names of what nodegx itself requires, with any of its extras."""
    required = importlib.metadata.requires(DISTRIBUTION) or ()
    return frozenset(_required_name(each) for each in required)


@cache
def _plain_closure(name: str) -> tuple[str, ...] | None:
    """An installed distribution and those it requires; None if one is missing or not plain."""
    found: set[str] = set()
    queue = [name]
    while queue:
        current = queue.pop()
        if current in found:
            continue
        found.add(current)
        try:
            distribution = importlib.metadata.distribution(current)
        except importlib.metadata.PackageNotFoundError:
            return None
        if "Root-Is-Purelib: true" not in (distribution.read_text("WHEEL") or ""):
            return None
        for required in distribution.requires or ():
            if ";" in required:
                # Whether it is needed depends on the platform or an extra: a matter for installers.
                if "extra ==" not in required:
                    return None
                continue
            queue.append(_required_name(required))
    return tuple(sorted(found))


@cache
def _files_of(name: str) -> Mapping[str, Path]:
    """The files of an installed distribution that matter when a program runs."""
    distribution = importlib.metadata.distribution(name)
    found: Files = {}
    for path in distribution.files or ():
        parts = path.parts
        noisy = path.name in _NOISY_FILES or path.suffix == ".pyc" or ".." in parts
        if not noisy and _NOISE.isdisjoint(parts[:-1]):
            found[path.as_posix()] = Path(str(distribution.locate_file(path)))
    return found


def _required_name(requirement: str) -> str:
    match = _NAME.match(requirement)
    return _canonical(match[0]) if match else ""


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
