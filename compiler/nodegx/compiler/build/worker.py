"""Compiles one file, in this process or in one of a pool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError

from .closure import runtime_files

if TYPE_CHECKING:
    from nodegx.compiler.checks.across import Interface
    from nodegx.compiler.project import Project


class Unit(NamedTuple):
    """One compiled workflow, ready to be written: its own files by name, and the runtime sources
    it needs, relative to `nodegx/runtime`."""

    name: str
    slug: str
    files: dict[str, bytes]
    runtime: tuple[str, ...]


class Outcome(NamedTuple):
    """What became of a file: its workflows and what others see of them, or the errors that stopped
    it; warnings either way."""

    units: list[Unit]
    diagnostics: list[Diagnostic]
    interfaces: list[Interface]


def compile_file(
    path: Path, project: Project | None, *, durable: frozenset[str] = frozenset()
) -> Outcome:
    """Compiles every workflow of a file.

    Args:
        path: the file.
        project: the project that it is part of, if there is one.
        durable: names of the workflows in other files that are durable.
    """
    # The passes and their libraries take a quarter of a second to import: only when needed.
    from nodegx.compiler.check import check
    from nodegx.compiler.checks.across import interface_of
    from nodegx.compiler.pipeline import compile_checked
    from nodegx.compiler.read import read

    try:
        checked = check(read(path), project)
        compiled = compile_checked(checked, durable)
    except DiagnosticError as error:
        return Outcome([], error.diagnostics, [])
    return Outcome(
        [
            Unit(each.name, each.slug, dict(each.files()), runtime_files(each.handler))
            for each in compiled
        ],
        list(checked.warnings),
        [interface_of(workflow, path) for workflow in checked.workflows],
    )
