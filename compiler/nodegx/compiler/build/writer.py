"""Puts one workflow's output on disk, or takes it away: atomically, and touching nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from secrets import token_hex

from .cache import Stamp
from .closure import runtime_root

MANIFEST = "manifest.json"
RUNTIME = "nodegx/runtime"
TEMPORARY = ".nodegx-tmp-"
ABANDONED = 3600.0
"""Seconds after which a temporary directory belongs to no build any more."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A workflow's output on disk: stamps of its own files and of its runtime files, and how many
    files were new or different."""

    files: dict[str, Stamp]
    runtime: dict[str, Stamp]
    changed: int


@cache
def runtime_file(name: str) -> tuple[bytes, Stamp]:
    """Content and stamp of a runtime source, `name` being relative to `nodegx/runtime`.

    Copies carry the modification time of the original: Python then keeps compiled copies valid as
    long as the source is the same, and a build recognizes its files without reading them.
    """
    path = runtime_root() / name
    found = path.stat()
    return path.read_bytes(), [found.st_size, found.st_mtime_ns]


class Writer:
    """Writes workflows into one build directory.

    Runtime files that several workflows need are hard links to one copy where the file system has
    them: a thousand workflows then take hardly more room or time than one. Nothing depends on it;
    a file that changes is replaced, never written into.

    Args:
        out: the build directory, which exists.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._token = token_hex(4)  # builds may go on at the same time
        self._copies: dict[str, str] = {}
        self._staged: dict[str, tuple[Mapping[str, bytes], Path]] = {}

    def stage(self, slug: str, files: Mapping[str, bytes], runtime: Iterable[str]) -> None:
        """Prepares a new directory, so that `place` only has to give it its name. Whether it may
        have it need not be known yet; a directory that exists is left to `place`.

        Raises:
            OSError: the file system refused.
        """
        if slug not in self._staged and not (self._out / slug).exists():
            self._staged[slug] = files, self._prepare(slug, files, sorted(runtime))

    def discard(self) -> None:
        """Removes what was staged and not placed."""
        for _, temporary in self._staged.values():
            shutil.rmtree(temporary, ignore_errors=True)
        self._staged.clear()

    def place(
        self, slug: str, files: Mapping[str, bytes], runtime: Iterable[str], ours: Iterable[str]
    ) -> Placed:
        """Makes the directory `slug` hold exactly these files, besides what others put there.

        A new directory appears complete or not at all; in an existing one each file is replaced in
        one step, the manifest last, and files that are already right are left alone.

        Args:
            slug: name of the workflow's directory.
            files: the workflow's own files by name.
            runtime: runtime sources, relative to `nodegx/runtime`.
            ours: names of the files an earlier build put there; those no longer wanted are removed.

        Raises:
            OSError: the file system refused.
        """
        target = self._out / slug
        wanted = sorted(runtime)
        if not (target / MANIFEST).exists() and self._create(target, files, wanted):
            changed = len(files) + len(wanted)
        else:
            changed = self._update(target, files, wanted, frozenset(ours))
        self._copies.update((name, f"{target}/{RUNTIME}/{name}") for name in wanted)
        return Placed(
            {name: _stamp(target / name) for name in files},
            {f"{RUNTIME}/{name}": list(runtime_file(name)[1]) for name in wanted},
            changed,
        )

    def _create(self, target: Path, files: Mapping[str, bytes], runtime: list[str]) -> bool:
        """Makes a directory; False if another build has made it meanwhile."""
        staged, temporary = self._staged.pop(target.name, (None, None))
        if temporary is not None and staged is not files:  # another workflow wanted the name
            shutil.rmtree(temporary)
            temporary = None
        if temporary is None:
            temporary = self._prepare(target.name, files, runtime)
        try:
            if target.is_dir():
                target.rmdir()
            temporary.rename(target)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            if not (target / MANIFEST).exists():
                raise
            return False
        return True

    def _prepare(self, slug: str, files: Mapping[str, bytes], runtime: list[str]) -> Path:
        temporary = self._out / f"{TEMPORARY}{self._token}-{slug}"
        try:
            for name in sorted(
                {f"{RUNTIME}/{name}".rpartition("/")[0] for name in runtime} | {"."}
            ):
                os.makedirs(temporary / name, exist_ok=True)
            for name, content in files.items():
                (temporary / name).write_bytes(content)
            for name in runtime:
                path = f"{temporary}/{RUNTIME}/{name}"
                self._copy(path, name)
                self._copies.setdefault(name, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return temporary

    def _update(
        self, target: Path, files: Mapping[str, bytes], runtime: list[str], ours: frozenset[str]
    ) -> int:
        changed = 0
        for name in runtime:
            path = target / RUNTIME / name
            if not _has_stamp(path, runtime_file(name)[1]):
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary = f"{path}.{self._token}.tmp"
                self._copy(temporary, name)
                os.replace(temporary, path)
                changed += 1
        for name in sorted(files, key=lambda name: (name == MANIFEST, name)):
            path = target / name
            if not _has_content(path, files[name]):
                temporary = path.with_name(f"{path.name}.{self._token}.tmp")
                temporary.write_bytes(files[name])
                os.replace(temporary, path)
                changed += 1
        stale = ours - files.keys() - {f"{RUNTIME}/{name}" for name in runtime}
        _unlink(target, stale)
        return changed + len(stale)

    def _copy(self, path: str, name: str) -> None:
        if name in self._copies:
            try:
                os.link(self._copies[name], path)
                return
            except OSError:  # too many links, no links here, or somebody removed the copy
                del self._copies[name]
        content, (_, modified) = runtime_file(name)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, ns=(modified, modified))


def remove(out: Path, slug: str, ours: Iterable[str]) -> bool:
    """Removes the files an earlier build put into `out/slug`, and the directories left empty.

    Returns whether the directory is gone; it stays when it holds files of others.
    """
    target = out / slug
    if target.is_symlink() or not _is_name(slug):
        return False
    _unlink(target, ours)
    return not target.exists()


def sweep(out: Path) -> None:
    """Removes what builds that were killed left half-written. What is young may belong to a build
    that is going on in another process."""
    for path in out.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)


def is_free(target: Path) -> bool:
    """Whether a workflow may be written to `target`: there is nothing, or what a build wrote."""
    if target.is_symlink():
        return False
    try:
        if not os.listdir(target):
            return True
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    try:
        with open(target / MANIFEST, "rb") as file:
            return b'"formatVersion"' in file.read(4096)
    except OSError:
        return False


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _has_stamp(path: Path, stamp: Stamp) -> bool:
    try:
        return _stamp(path) == stamp
    except OSError:
        return False


def _has_content(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _is_name(text: str) -> bool:
    return text not in ("", ".", "..") and "/" not in text and "\\" not in text


def _unlink(target: Path, names: Iterable[str]) -> None:
    """Removes files with their compiled forms, then the directories this leaves empty.

    The names were read from a file on disk, so none is trusted to stay inside `target`.
    """
    root = target.resolve()
    emptied = {target}
    for name in names:
        path = target / name
        if not all(map(_is_name, name.split("/"))) or not path.resolve().is_relative_to(root):
            continue
        path.unlink(missing_ok=True)
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)
        below = [path.parent, *path.parent.parents]
        emptied.update(below[: below.index(target)])
        emptied.add(path.parent / "__pycache__")
    for directory in sorted(emptied, key=lambda path: len(path.parts), reverse=True):
        try:
            directory.rmdir()
        except OSError:
            continue  # it holds something, or is gone already
