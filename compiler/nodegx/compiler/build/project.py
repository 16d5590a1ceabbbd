"""The build of a project, as the command line and the development server do it."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from pathlib import Path

from .files import Progress, build_files, no_progress
from .layout import Layout, files_at, read_layout, workflow_files
from .pool import Compile
from .report import BuildReport


def build_project(
    root: Path,
    *,
    paths: Iterable[Path] | None = None,
    out: Path | None = None,
    force: bool = False,
    jobs: int | None = None,
    progress: Progress = no_progress,
) -> BuildReport:
    """Compiles the workflows of the project in `root` into its build directory.

    Each workflow becomes `<build>/<slug>/` with `handler.py`, `manifest.json`, `handler.map.json`
    and the runtime modules it needs. The same input gives the same bytes; only what changed is
    compiled and written; output of workflows that are gone is removed, files of others never are.
    A workflow with errors keeps the output of its last good build.

    Args:
        root: the directory with `nodegx.json`.
        paths: workflow files or directories to compile instead of all; nothing is removed then.
        out: where to write, in place of the project's build directory.
        force: compiles files that have not changed, too.
        jobs: processes to use; None decides by the number of files.
        progress: told about each file before it is compiled.

    Raises:
        DiagnosticError: `nodegx.json` is wrong. What is wrong with workflows is in the report.
        FileNotFoundError: one of `paths` does not exist.
        OSError: the file system refused.
    """
    layout = read_layout(root)
    files = (
        list(workflow_files(layout.workflows).values())
        if paths is None
        else [file for path in paths for file in files_at(path)]
    )
    return build_files(
        layout.root,
        {_name(file, layout.root): file for file in files},
        layout.out if out is None else Path(os.path.abspath(out)),
        functools.partial(_compiler, layout),
        whole=paths is None,
        settings=layout.settings,
        force=force,
        jobs=jobs,
        progress=progress,
    )


def _compiler(layout: Layout) -> Compile:
    from nodegx.compiler.project import load_project

    from .worker import compile_file

    return functools.partial(compile_file, project=load_project(layout.root))


def _name(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
