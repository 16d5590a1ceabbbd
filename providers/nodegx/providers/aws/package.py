"""Bundles: what of a compiled workflow is uploaded to AWS Lambda."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from nodegx.compiler.build.closure import runtime_files, runtime_root
from nodegx.compiler.targets.aws.plan import Function
from nodegx.providers.errors import ProviderError

from . import image, limits
from .platforms import Platform
from .slim import slim
from .wheels import LOCK, Wheels
from .zipping import Content, write_zip

FUNCTIONS = "functions"
"""Directory of the compiled functions, inside the program's."""
BUNDLES = "bundles"
"""Directory of the zips, inside the program's."""
RECORD = "bundles.json"
"""What was bundled last, beside the zips."""
HANDLER, ENTRY, SOURCE_MAP = "handler.py", "entry.py", "handler.map.json"
RUNTIME = "nodegx/runtime"

Progress = Callable[[int, int, str], None]


class Delivery(StrEnum):
    """How a bundle gets to Lambda."""

    DIRECT = "direct"  # with the request that makes or updates the function
    S3 = "s3"  # through the data bucket
    IMAGE = "image"  # as a container image, which somebody has to build and push


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes before compression: `code` of the workflow itself, `runtime` of the modules of ours
    that it uses, `packages` of all others."""

    code: int
    runtime: int
    packages: int

    @property
    def total(self) -> int:
        """What Lambda unpacks."""
        return self.code + self.runtime + self.packages


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk.

    Args:
        slug: of the workflow.
        workflow: its name.
        path: the zip; for an image, the directory to build it from.
        sha256: hash of the zip, in hex; "" for an image.
        zipped: bytes of the zip; 0 for an image.
        sizes: bytes before compression.
        delivery: how it gets to Lambda.
        reused: whether it is that of the last time.
    """

    slug: str
    workflow: str
    path: Path
    sha256: str
    zipped: int
    sizes: Sizes
    delivery: Delivery
    reused: bool = False

    @property
    def code_sha256(self) -> str:
        """The hash as Lambda writes it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode("ascii")


def package(
    root: Path,
    home: Path,
    functions: Iterable[Function],
    *,
    wheels: Wheels | None = None,
    progress: Progress = lambda done, total, name: None,
) -> list[Bundle]:
    """Makes the bundles of a project, as `bundles/<slug>.zip` in the program's directory. The same
    workflows and packages give the same bytes; a bundle that is right already is left alone.

    Args:
        root: the project's directory, for the lock file and the cache of packages.
        home: the program's directory, with `functions/<slug>/`.
        functions: what to bundle; other bundles are removed.
        wheels: where packages come from.
        progress: told about each function before it is bundled.

    Raises:
        ProviderError: a package cannot be had, or a workflow has not been compiled.
        OSError: the file system refused.
    """
    listed = list(functions)
    wheels = wheels or Wheels(root / LOCK, root / ".nodegx" / "packages")
    platforms = {Platform.of(each.runtime, each.architecture) for each in listed}
    if len(platforms) > 1:
        names = " and ".join(sorted(map(str, platforms)))
        raise ProviderError(f"one project's functions share a platform, not {names}", kind="usage")
    for platform in platforms:
        wheels.fix({name for each in listed for name in each.packages}, platform)
    packager = _Packager(home, wheels)
    (home / BUNDLES).mkdir(parents=True, exist_ok=True)
    bundles: list[Bundle] = []
    for index, function in enumerate(listed):
        progress(index, len(listed), function.workflow)
        bundles.append(packager.bundle(function))
    progress(len(listed), len(listed), "")
    packager.finish(bundles)
    return bundles


class _Packager:
    def __init__(self, home: Path, wheels: Wheels) -> None:
        self._home = home
        self._directory = home / BUNDLES
        self._wheels = wheels
        self._old = _load(self._directory / RECORD)
        self._new: dict[str, Any] = {}

    def bundle(self, function: Function) -> Bundle:
        """The bundle of a function, made anew only if anything in it has changed."""
        code = self._code(function.slug)
        texts = [str(code[name], "utf-8") for name in (HANDLER, ENTRY)]
        runtime = runtime_files(*texts, runnable=False)
        platform = Platform.of(function.runtime, function.architecture)
        packages = self._wheels.files(function.packages, platform)
        key = _key(code, runtime, packages)
        path = self._directory / f"{function.slug}.zip"
        sizes = Sizes(
            sum(map(len, code.values())),
            sum(len(_runtime_file(name)[0]) for name in runtime),
            sum(map(_size, packages.values())),
        )
        sources = {f"{RUNTIME}/{name}": _runtime_file(name)[0] for name in runtime}
        directory = self._directory / f"{function.slug}.context"
        if sizes.total > limits.UNZIPPED:
            return self._context(function, key, directory, {**code, **sources}, packages, sizes)
        known = self._known(function.slug, key, path)
        if known is None:
            write_zip(path, {**packages, **code, **sources})
            known = {"key": key, "sha256": _digest(path), "stamp": _stamp(path)}
        image.forget(directory)
        self._new[function.slug] = {**known, "sizes": asdict(sizes)}
        zipped = int(known["stamp"][0])
        if zipped > limits.ZIPPED:  # cannot be: what is unpacked is smaller
            raise ProviderError(f"the bundle of {function.workflow} is too large for Lambda")
        return Bundle(
            function.slug,
            function.workflow,
            path,
            str(known["sha256"]),
            zipped,
            sizes,
            Delivery.DIRECT if zipped <= limits.DIRECT else Delivery.S3,
            reused=known.get("stamp") == self._old.get(function.slug, {}).get("stamp"),
        )

    def _context(
        self,
        function: Function,
        key: str,
        directory: Path,
        code: Mapping[str, bytes],
        packages: Mapping[str, Content],
        sizes: Sizes,
    ) -> Bundle:
        """What a container image is built from. An image of other contents is forgotten."""
        slug = function.slug
        (self._directory / f"{slug}.zip").unlink(missing_ok=True)
        same = self._old.get(slug, {}).get("key") == key and directory.is_dir()
        if not same:
            image.forget(directory)
            image.write_context(directory, function, code, packages)
        self._new[slug] = {"key": key, "sizes": asdict(sizes)}
        delivery = Delivery.IMAGE
        return Bundle(slug, function.workflow, directory, "", 0, sizes, delivery, reused=same)

    def finish(self, bundles: list[Bundle]) -> None:
        """Removes the zips of workflows that are gone, and keeps a record."""
        kept = {bundle.path.name for bundle in bundles}
        for slug in self._old.keys() - self._new.keys():
            if f"{slug}.zip" not in kept and "/" not in slug:
                (self._directory / f"{slug}.zip").unlink(missing_ok=True)
        temporary = self._directory / f".{RECORD}.{os.getpid()}.tmp"
        temporary.write_text(json.dumps(self._new, indent=1, sort_keys=True), "utf-8")
        os.replace(temporary, self._directory / RECORD)

    def _code(self, slug: str) -> dict[str, bytes]:
        directory = self._home / FUNCTIONS / slug
        found: dict[str, bytes] = {}
        for name in (HANDLER, ENTRY, SOURCE_MAP):
            try:
                found[name] = (directory / name).read_bytes()
            except FileNotFoundError:
                if name == SOURCE_MAP:
                    continue
                raise ProviderError(
                    f"{directory / name} is missing",
                    "`nodegx compile --target aws` writes it",
                ) from None
        return found

    def _known(self, slug: str, key: str, path: Path) -> dict[str, Any] | None:
        entry = self._old.get(slug)
        if entry is None or entry.get("key") != key or not path.is_file():
            return None
        return entry if entry.get("stamp") == _stamp(path) else None


@cache
def _runtime_file(name: str) -> tuple[bytes, str]:
    """Content and hash of a runtime source as bundled: many workflows share each of them."""
    content = slim((runtime_root() / name).read_bytes())
    return content, hashlib.sha256(content).hexdigest()


def _key(code: Mapping[str, bytes], runtime: Iterable[str], packages: Mapping[str, Content]) -> str:
    """A hash of everything that goes into a bundle."""
    parts = {name: _mark(content) for name, content in {**packages, **code}.items()}
    parts.update((name, _runtime_file(name)[1]) for name in runtime)
    text = "\n".join(f"{name}\0{mark}" for name, mark in sorted(parts.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _mark(content: Content) -> str:
    """What changes when a content does: its hash, or of a file its path, size and time."""
    if isinstance(content, Path):
        return f"{content} {_stamp(content)}"
    return hashlib.sha256(content).hexdigest()


def _size(content: Content) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _load(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]
