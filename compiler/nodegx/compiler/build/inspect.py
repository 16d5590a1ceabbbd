"""Everything that is wrong with workflows, without writing anything."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nodegx.compiler.diagnostics import Diagnostic

from . import across, cache
from .files import Progress, no_progress
from .layout import Layout, files_at, read_layout, workflow_files
from .pool import compile_all


class Inspection(NamedTuple):
    """The files that were looked at, and what was found in them."""

    files: list[Path]
    diagnostics: list[Diagnostic]


def inspect(
    root: Path | None,
    paths: Iterable[Path] | None = None,
    *,
    jobs: int | None = None,
    progress: Progress = no_progress,
) -> Inspection:
    """Findings of all stages of the compiler, and those between workflows.

    Args:
        root: the project's directory; None where the files belong to none.
        paths: workflow files or directories to look at instead of the project's. Calls of workflows
            in other files are then checked as far as these have been compiled.
        jobs: processes to use; None decides by the number of files.
        progress: told about each file before it is looked at.

    Raises:
        DiagnosticError: `nodegx.json` is wrong.
        FileNotFoundError: one of `paths` does not exist.
    """
    from nodegx.compiler.project import load_project

    from .worker import compile_file

    layout = None if root is None else read_layout(root)
    project = None if layout is None else load_project(layout.root)
    if paths is not None:
        files = list(dict.fromkeys(file for path in paths for file in files_at(path)))
    else:
        files = [] if layout is None else list(workflow_files(layout.workflows).values())
    outcomes = compile_all(files, jobs, functools.partial(compile_file, project=project))
    found: list[Diagnostic] = []
    interfaces: dict[Path, list[dict[str, Any]]] = {}
    complete = True
    for done, file in enumerate(files):
        progress(done, len(files), file.name)
        outcome = next(outcomes)
        found += outcome.diagnostics
        interfaces[file] = across.pack(outcome.interfaces)
        complete = complete and bool(outcome.interfaces)
    progress(len(files), len(files), "")
    whole = layout is not None and (paths is None or _add_others(layout, files, interfaces))
    between = across.findings(interfaces, whole=whole, complete=complete and whole)
    mine = set(files)
    return Inspection(
        files, found + [diagnostic for diagnostic in between if diagnostic.file in mine]
    )


def _add_others(
    layout: Layout, files: Sequence[Path], interfaces: dict[Path, list[dict[str, Any]]]
) -> bool:
    """Adds what the last build knows of the project's other files; whether it knows them all."""
    known = cache.load(layout.out)["sources"]
    complete = True
    mine = set(files)
    for file in workflow_files(layout.workflows).values():
        if file in mine:
            continue
        name = file.relative_to(layout.root).as_posix()
        if name in known:
            interfaces[file] = known[name]["interfaces"]
        else:
            complete = False
    return complete
