"""`nodegx check`: looks for mistakes in workflows."""

from __future__ import annotations

from pathlib import Path

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.findings import counts, github_lines, json_data, ordered, report, summary
from nodegx.cli.output import json_document, line
from nodegx.cli.progress import progress
from nodegx.cli.projects import find_root, project_root


@click.command(cls=Command)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="text for people, json for editors, github for annotations of a pull request.",
)
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
@pass_state
def check(state: State, paths: tuple[Path, ...], format_: str, strict: bool) -> int:
    """Look for mistakes in workflows.

    Checks the files and directories PATHS, or all workflows of the project, and writes nothing.
    Every mistake is reported in one go. The exit code is 3 if there are errors.
    """
    from nodegx.compiler.build.inspect import inspect
    from nodegx.compiler.diagnostics import DiagnosticError

    as_json = state.json or format_ == "json"
    for path in paths:
        if not path.exists():
            raise CliError(f"there is no file or directory {path}", ExitCode.NOT_FOUND)
    root = find_root(state.directory or Path.cwd()) if paths else project_root(state)
    try:
        with progress("checking", quiet=as_json) as told:
            files, diagnostics = inspect(root, paths or None, progress=told)
    except DiagnosticError as error:
        files, diagnostics = [], error.diagnostics
    if as_json:
        json_document(json_data(diagnostics, len(files)))
    elif format_ == "github":
        for text in github_lines(ordered(diagnostics), Path.cwd()):
            line(text)
    else:
        report(diagnostics)
        if diagnostics:
            line()
        line(summary(diagnostics, len(files)))
    errors, warnings = counts(diagnostics)
    return ExitCode.DIAGNOSTICS if errors or (strict and warnings) else ExitCode.OK
