"""The project a command works in, and its workflows by the names people use."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from .base import State
from .errors import CliError, not_found
from .exit_codes import ExitCode
from .output import clean, line, style

if TYPE_CHECKING:
    from nodegx.compiler.project import Project

FILE_NAME = "nodegx.json"


def project_root(state: State) -> Path:
    """The directory with `nodegx.json` at or above the current one, or the one `-C` names.

    Raises:
        CliError: there is none.
    """
    place = state.directory or Path.cwd()
    if not place.is_dir():
        raise CliError(f"there is no directory {place}", ExitCode.NOT_FOUND)
    root = find_root(place)
    if root is None:
        raise CliError(
            f"there is no {FILE_NAME} in {place} or above",
            ExitCode.NOT_FOUND,
            hint="`nodegx init` starts a project; `-C DIR` works in another one",
        )
    return root


def find_root(start: Path) -> Path | None:
    """The directory with `nodegx.json` at or above `start`, or None."""
    start = start.resolve()
    return next((at for at in (start, *start.parents) if (at / FILE_NAME).is_file()), None)


def open_project(state: State) -> Project:
    """The project, its file checked.

    Raises:
        CliError: there is none.
        DiagnosticError: its `nodegx.json` is wrong.
    """
    from nodegx.compiler.project import load_project

    return load_project(project_root(state))


@dataclass(frozen=True, slots=True)
class BuiltWorkflow:
    """A compiled workflow on disk."""

    directory: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its full name."""
        return str(self.manifest["name"])

    @property
    def slug(self) -> str:
        """Its directory's name."""
        return self.directory.name

    @property
    def triggers(self) -> list[dict[str, Any]]:
        """Its triggers, each with `node`, `type` and `config`."""
        return list(self.manifest["triggers"])

    @property
    def missing_packages(self) -> list[str]:
        """Requirements of its nodes, such as `numpy>=2`, whose package is not installed here. Which
        version is installed is not looked at."""
        return [
            requirement
            for requirement in map(str, self.manifest.get("packages") or ())
            if not _installed(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])
        ]


def _installed(distribution: str) -> bool:
    from importlib import metadata

    try:
        metadata.distribution(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return True


def report_missing_packages(workflows: Iterable[BuiltWorkflow]) -> None:
    """Tells which workflows need packages that are not installed, on standard error."""
    for workflow in workflows:
        missing = workflow.missing_packages
        if missing:
            mark, name = style("! ", "yellow"), clean(short_name(workflow.name))
            hint = "pip install " + " ".join(f"'{clean(requirement)}'" for requirement in missing)
            line(f"{mark}{name} needs packages that are not installed: {hint}", err=True)


def built_workflows(build: Path) -> list[BuiltWorkflow]:
    """All compiled workflows below `build`, by slug; directories that hold something else are
    passed over."""
    return list(_built(build))


def _built(build: Path) -> Iterator[BuiltWorkflow]:
    for path in sorted(build.glob("*/manifest.json")):
        try:
            manifest: Any = json.loads(path.read_bytes())
            found = BuiltWorkflow(path.parent, manifest)
            usable = bool(found.name) and all("type" in trigger for trigger in found.triggers)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if usable:
            yield found


def short_name(name: str) -> str:
    """The last part of a workflow's name."""
    return name.rsplit("/", 1)[-1]


def resolve(name: str, workflows: Iterable[BuiltWorkflow]) -> BuiltWorkflow:
    """The workflow people mean by its full name, its last part or its slug.

    Raises:
        CliError: none or several are called that.
    """
    known = list(workflows)
    for key in (lambda w: w.name, lambda w: w.slug, lambda w: short_name(w.name)):  # pyright: ignore
        matches = [workflow for workflow in known if key(workflow) == name]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise CliError(
                f"several workflows are called {name!r}",
                ExitCode.USAGE,
                hint="use a full name: " + ", ".join(workflow.name for workflow in matches),
            )
    folded = [w for w in known if name.casefold() in (w.slug, short_name(w.name).casefold())]
    if len(folded) == 1:
        return folded[0]
    raise not_found("workflow", name, [short_name(workflow.name) for workflow in known])


def complete_workflow(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of compiled workflows, for shells."""
    found = ctx.find_root().obj
    directory = found.directory if isinstance(found, State) else None
    root = find_root(directory or Path.cwd())
    if root is None:
        return []
    from nodegx.compiler.build.layout import read_layout

    try:
        known = built_workflows(read_layout(root).out)
    except Exception:  # a broken project file is no reason to disturb somebody's typing
        return []
    return [
        CompletionItem(short_name(workflow.name), help=str(workflow.manifest.get("description")))
        for workflow in known
        if short_name(workflow.name).casefold().startswith(incomplete.casefold())
    ]


def shown(path: Path) -> str:
    """A path as it is best shown: relative to the current directory where it lies below."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)
    return relative if not relative.startswith("..") else str(path)
