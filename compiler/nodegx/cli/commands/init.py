"""`nodegx init`: starts a project."""

from __future__ import annotations

import os
from pathlib import Path

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import json_document, line, style
from nodegx.cli.scaffold import TEMPLATES, conflicts, render, write


@click.command(
    cls=Command,
    epilog="\b\nTemplates:\n"
    + "\n".join(f"  {template.name:<9} {template.doc}" for template in TEMPLATES.values()),
)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option(
    "--template", type=click.Choice(list(TEMPLATES)), default="webhook", show_default=True
)
@click.option("--name", help="The project's name (default: the directory's).")
@pass_state
def init(state: State, directory: Path, template: str, name: str | None) -> None:
    """Start a project.

    Writes nodegx.json, a workflow that compiles and runs, a README and a .gitignore into DIRECTORY.
    Existing files are never overwritten.
    """
    if state.directory is not None:
        directory = state.directory / directory
    chosen = TEMPLATES[template]
    files = render(chosen, name or directory.resolve().name or "project")
    taken = conflicts(directory, files)
    if taken:
        raise CliError(
            f"{directory} already has {', '.join(taken)}",
            ExitCode.FAILURE,
            hint="nothing was written; choose another directory or move these files away",
        )
    write(directory, files)
    steps = [f"cd {os.path.relpath(directory)}"] if directory.resolve() != Path.cwd() else []
    steps += (
        ["nodegx check"] + ([f"nodegx run {chosen.run}"] if chosen.run else []) + ["nodegx dev"]
    )
    if state.json:
        json_document(
            {
                "directory": str(directory.resolve()),
                "template": template,
                "files": sorted(files),
                "next": steps,
            }
        )
        return
    for path in sorted(files):
        line(f"  {style('+', 'green')} {directory / path}")
    line("\nNext:")
    for step in steps:
        line(f"  {step}")
