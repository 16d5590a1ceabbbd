"""Where a project's files are, found without the libraries that check a project file.

The answer is only trusted as far as it goes: whatever looks unusual is left to `load_project`,
which either accepts it or says what is wrong with it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard, cast

FILE_NAME = "nodegx.json"


@dataclass(frozen=True, slots=True)
class Layout:
    """A project's directories; `settings` are the bytes of its `nodegx.json`."""

    root: Path
    workflows: Path
    out: Path
    settings: bytes


def read_layout(root: Path) -> Layout:
    """The layout of the project in `root`.

    Raises:
        DiagnosticError: `nodegx.json` is missing or wrong.
    """
    root = root.resolve()
    try:
        with open(root / FILE_NAME, "rb") as file:
            settings = file.read()
        data: Any = json.loads(settings)
    except (OSError, ValueError, RecursionError):
        settings, data = b"", None
    if isinstance(data, dict):
        given = cast("dict[str, Any]", data)
        workflows, out = given.get("workflows", "workflows"), given.get("build", "build")
        if _is_plain(workflows) and _is_plain(out) and _stays_inside(root, root / out):
            return Layout(root, root / workflows, root / out, settings)
    return _checked_layout(root, settings)


def _checked_layout(root: Path, settings: bytes) -> Layout:
    from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError
    from nodegx.compiler.project import load_project

    project = load_project(root)
    if not _stays_inside(root, project.build):
        # What is built is also removed: a link must not lead that somewhere else.
        message = f"the build directory {project.spec.build} is a link out of the project"
        found = Diagnostic("NX601", message, ("build",), file=root / FILE_NAME)
        raise DiagnosticError([found])
    return Layout(root, project.workflows, project.build, settings)


def _is_plain(path: object) -> TypeGuard[str]:
    if not isinstance(path, str) or not path or not path.isprintable():
        return False
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not path.startswith(("/", "~"))
        and not set(path) & set("\\:")
        and (".." not in parts)
    )


def _stays_inside(root: Path, path: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def workflow_files(directory: Path) -> dict[str, Path]:
    """All `*.json` files below `directory`, hidden ones left out, by their path from there (with
    `/`), in the order of these paths."""
    base = str(directory)
    found: list[str] = []
    for place, directories, files in os.walk(base):
        directories[:] = [name for name in directories if not name.startswith(".")]
        inside = place[len(base) + 1 :].replace(os.sep, "/")
        prefix = f"{inside}/" if inside else ""
        found += [
            prefix + name for name in files if name.endswith(".json") and not name.startswith(".")
        ]
    paths = ((name, directory / name) for name in sorted(found))
    return {name: path for name, path in paths if path.is_file()}


def files_at(path: Path) -> list[Path]:
    """The workflow file at `path`, or all of them below it; absolute.

    Raises:
        FileNotFoundError: there is nothing.
    """
    path = Path(os.path.abspath(path))
    if path.is_dir():
        return list(workflow_files(path).values())
    if not path.exists():
        raise FileNotFoundError(2, "there is no such file or directory", str(path))
    return [path]
