"""`nodegx compile`: writes Python handlers."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import clean, duration, json_document, line, plural, size, style, table
from nodegx.cli.progress import progress
from nodegx.cli.projects import project_root, short_name, shown
from nodegx.cli.targets import TARGETS, program_data, show_program, write_program
from nodegx.compiler.build.project import build_project
from nodegx.compiler.build.report import BuildReport, Built
from nodegx.compiler.build.report import State as Outcome

POLL = 0.3
"""Seconds between two looks at the files while watching."""
SHADES = {Outcome.WRITTEN: "green", Outcome.UNCHANGED: None, Outcome.FAILED: "red"}


@click.command("compile", cls=Command)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write here instead of the project's build directory.",
)
@click.option(
    "--target",
    type=click.Choice(TARGETS),
    help="Write a program that deploys the workflows there, too.",
)
@click.option("--force", is_flag=True, help="Compile what has not changed, too.")
@click.option("--jobs", type=click.IntRange(1), help="Processes to use.  [default: one per core]")
@click.option("--all", "list_all", is_flag=True, help="List unchanged workflows, too.")
@click.option("--watch", is_flag=True, help="Go on and compile whatever changes.")
@pass_state
def compile_(
    state: State,
    paths: tuple[Path, ...],
    out: Path | None,
    target: str | None,
    force: bool,
    jobs: int | None,
    list_all: bool,
    watch: bool,
) -> int:
    """Write Python handlers.

    Compiles the files and directories PATHS, or all workflows of the project, into
    build/<workflow>/: handler.py, manifest.json, handler.map.json and the runtime modules the
    handler needs. Only what has changed is compiled and written; output of deleted workflows is
    removed. A workflow with errors keeps its last good output; the exit code is 3 then.

    With --target aws, build/aws/ holds a Pulumi program that deploys the project, and stacks/aws/
    the settings of its stacks.
    """
    root = project_root(state)
    for path in paths:
        if not path.exists():
            raise CliError(f"there is no file or directory {path}", ExitCode.NOT_FOUND)

    code = _build(state, root, paths, out, target, force, jobs, list_all)
    if watch:
        for _ in _changes(root):
            _build(state, root, paths, out, target, False, jobs, list_all)
    return code


def _build(
    state: State,
    root: Path,
    paths: tuple[Path, ...],
    out: Path | None,
    target: str | None,
    force: bool,
    jobs: int | None,
    list_all: bool,
) -> int:
    with progress("compiling", quiet=state.json) as told:
        report = build_project(
            root, paths=paths or None, out=out, force=force, jobs=jobs, progress=told
        )
    program = write_program(root, report.out) if target and report.ok else None
    if state.json:
        extra = {} if program is None else {"program": program_data(program)}
        json_document({**report_data(report), **extra})
    else:
        show(report, list_all=list_all)
        if program is not None:
            show_program(program)
    ok = report.ok and (program is None or program.ok)
    return ExitCode.OK if ok else ExitCode.DIAGNOSTICS


def show(report: BuildReport, *, list_all: bool = False) -> None:
    """Prints findings, a table of what was written, and a summary."""
    if report.diagnostics:
        from nodegx.cli.findings import report as show_findings

        show_findings(report.diagnostics, err=True)
    listed = [b for b in report.workflows if list_all or b.state is not Outcome.UNCHANGED]
    if listed:
        table(
            ("workflow", "directory", "state", "code", "runtime"),
            [_row(report, built) for built in listed],
            right=(3, 4),
            whole=(2, 3, 4),
        )
    for slug in report.removed:
        line(f"{style('-', 'red')} removed {shown(report.out / slug)}: its workflow is gone")
    for slug in report.kept:
        line(
            f"{style('!', 'yellow')} {shown(report.out / slug)} stays, as it holds files of yours; "
            "its workflow is gone"
        )
    line(_summary(report))


def _row(report: BuildReport, built: Built) -> tuple[str, ...]:
    state = style(built.state.value, SHADES[built.state])
    if not built.slug:
        return (built.source, "", state, "", "")
    runtime = f"{size(built.runtime_size)} in {plural(built.runtime_files, 'file')}"
    return (
        clean(short_name(built.name)),
        shown(report.out / built.slug),
        state,
        size(built.size),
        runtime,
    )


def _summary(report: BuildReport) -> str:
    parts = [
        style(f"{count:,} {state.value}", SHADES[state])
        for state in Outcome
        if (count := report.count(state))
    ]
    if report.removed:
        parts.append(f"{len(report.removed):,} removed")
    what = ", ".join(parts) or "no workflows"
    return f"{what} in {duration(report.seconds)}  {style('→', dim=True)} {shown(report.out)}"


def report_data(report: BuildReport) -> dict[str, Any]:
    """A build as JSON data; sizes in bytes, time in seconds."""
    from nodegx.compiler.diagnostics import to_json

    return {
        "ok": report.ok,
        "out": str(report.out),
        "seconds": round(report.seconds, 6),
        "workflows": [
            {
                "name": built.name or None,
                "slug": built.slug or None,
                "source": built.source,
                "state": built.state.value,
                "bytes": built.size,
                "runtimeBytes": built.runtime_size,
                "runtimeFiles": built.runtime_files,
            }
            for built in report.workflows
        ],
        "removed": report.removed,
        "kept": report.kept,
        "diagnostics": to_json(report.diagnostics),
    }


def _changes(root: Path) -> Iterator[None]:
    """Yields whenever a workflow or the project file has changed; never ends."""
    before = _snapshot(root)
    while True:
        time.sleep(POLL)
        now = _snapshot(root)
        if now != before:
            before = now
            yield


def _snapshot(root: Path) -> dict[str, tuple[int, int]]:
    from nodegx.compiler.build.layout import FILE_NAME, read_layout, workflow_files
    from nodegx.compiler.diagnostics import DiagnosticError

    files = [root / FILE_NAME]
    with contextlib.suppress(DiagnosticError):  # the build tells what is wrong with the file
        files += workflow_files(read_layout(root).workflows).values()
    stamps: dict[str, tuple[int, int]] = {}
    for file in files:
        try:
            found = os.stat(file)
        except OSError:
            continue
        stamps[str(file)] = (found.st_mtime_ns, found.st_size)
    return stamps
