"""Compiles one file, in this process or in one of a pool."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError

from .closure import runtime_files


class Unit(NamedTuple):
    """One compiled workflow, ready to be written: its own files by name, and the runtime sources
    it needs, relative to `nodegx/runtime`."""

    name: str
    slug: str
    files: dict[str, bytes]
    runtime: tuple[str, ...]


class Outcome(NamedTuple):
    """What became of a file: its workflows, or the errors that stopped it; warnings either way."""

    units: list[Unit]
    diagnostics: list[Diagnostic]


def compile_file(path: Path) -> Outcome:
    """Compiles every workflow of the file at `path`."""
    # The passes and their libraries take a quarter of a second to import: only when needed.
    from nodegx.compiler.pipeline import compile_source
    from nodegx.compiler.read import read

    try:
        compiled = compile_source(read(path))
    except DiagnosticError as error:
        return Outcome([], error.diagnostics)
    units = [
        Unit(each.name, each.slug, dict(each.files()), runtime_files(each.handler))
        for each in compiled
    ]
    return Outcome(units, [warning for each in compiled for warning in each.warnings])
