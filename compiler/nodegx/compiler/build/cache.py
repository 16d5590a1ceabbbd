"""What the last build read and wrote, kept beside its output.

The cache answers two questions: is this workflow's output still what compiling it would give, and
which files in the build directory are ours to replace or remove.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any, TypedDict, cast

from nodegx.compiler.diagnostics import Diagnostic, Excerpt, Severity

from .fingerprint import FORMAT

FILE_NAME = ".nodegx-build.json"

Stamp = list[int]
"""Size in bytes and modification time in nanoseconds of a file as it was written."""


class WorkflowEntry(TypedDict):
    """One workflow's output. `files` are its own, by name; `subset` names its runtime files."""

    name: str
    files: dict[str, Stamp]
    subset: str


class SourceEntry(TypedDict):
    """One workflow file: hash of its bytes, what it was compiled to by slug, the warnings, what
    other workflows see of these (see `across`), and which of the workflows in other files that it
    waits for were taken for durable."""

    hash: str
    workflows: dict[str, WorkflowEntry]
    warnings: list[dict[str, Any]]
    interfaces: list[dict[str, Any]]
    awaits: list[str]


class Cache(TypedDict):
    """The whole record. `key` covers all that sources share; `subsets` maps the name of a set of
    runtime files to their paths below a workflow's directory with their stamps; `across` are the
    findings between workflows, of all of them if `whole`; `durable` are the names of the durable
    workflows."""

    format: str
    key: str
    whole: bool
    across: list[dict[str, Any]]
    durable: list[str]
    subsets: dict[str, dict[str, Stamp]]
    sources: dict[str, SourceEntry]


def empty(key: str = "") -> Cache:
    """A cache that knows nothing."""
    return {
        "format": FORMAT,
        "key": key,
        "whole": False,
        "across": [],
        "durable": [],
        "subsets": {},
        "sources": {},
    }


def load(out: Path) -> Cache:
    """Reads the cache of a build directory; an absent, damaged or foreign one counts as empty."""
    try:
        with open(out / FILE_NAME, "rb") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return empty()
    if not isinstance(found, dict) or cast("dict[str, Any]", found).get("format") != FORMAT:
        return empty()
    return cast("Cache", found)


def save(out: Path, cache: Cache) -> None:
    """Replaces the cache of a build directory, atomically; only subsets in use are kept."""
    used = {
        entry["subset"]
        for source in cache["sources"].values()
        for entry in source["workflows"].values()
    }
    kept = {name: files for name, files in sorted(cache["subsets"].items()) if name in used}
    text = json.dumps({**cache, "subsets": kept}, separators=(",", ":"), sort_keys=True)
    temporary = out / f"{FILE_NAME}.{token_hex(4)}.tmp"
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, out / FILE_NAME)


def intact(out: str, slug: str, entry: WorkflowEntry, subset: dict[str, Stamp]) -> bool:
    """Whether every file of a workflow's output is on disk as it was written."""
    directory = f"{out}/{slug}/"
    stat = os.stat
    try:
        for files in (entry["files"], subset):
            for name, (size, modified) in files.items():
                found = stat(directory + name)
                if found.st_mtime_ns != modified or found.st_size != size:
                    return False
    except OSError:
        return False
    return True


def pack(diagnostics: Iterable[Diagnostic], root: Path) -> list[dict[str, Any]]:
    """Findings as JSON data, with file names relative to `root`: projects are moved around."""
    packed: list[dict[str, Any]] = []
    for found in diagnostics:
        values = dataclasses.asdict(found)
        if found.file is not None:
            inside = found.file.is_relative_to(root)
            values["file"] = str(found.file.relative_to(root) if inside else found.file)
        packed.append(values)
    return packed


def unpack(packed: Iterable[dict[str, Any]], root: Path) -> Iterator[Diagnostic]:
    """The findings that `pack` made `packed` of."""
    for values in packed:
        excerpt, file = values["excerpt"], values["file"]
        restored: dict[str, Any] = {
            **values,
            "pointer": tuple(values["pointer"]),
            "severity": Severity(values["severity"]),
            "file": None if file is None else root / file,
            "excerpt": None if excerpt is None else Excerpt(**excerpt),
        }
        yield Diagnostic(**restored)
