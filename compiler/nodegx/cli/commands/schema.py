"""`nodegx schema`: JSON Schemas for editors."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import json_document, line
from nodegx.cli.projects import shown

KINDS = ("workflow", "project")


@click.command(cls=Command)
@click.argument("kind", type=click.Choice(KINDS), default="workflow")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file instead of stdout.",
)
@pass_state
def schema(state: State, kind: str, output: Path | None) -> None:
    """Print the JSON Schema of workflows.

    KIND is `workflow` for workflow files or `project` for nodegx.json. With "$schema" in a file
    pointing to the schema, editors complete and check it while you type.
    """
    # Found without importing the package: it would load what generates the schemas.
    package = files("nodegx.compiler")
    text = package.joinpath("schema", f"{kind}.schema.json").read_text(encoding="utf-8")
    if output is None:
        line(text.rstrip("\n"))
        return
    if not output.parent.is_dir():
        raise CliError(f"there is no directory {output.parent}", ExitCode.NOT_FOUND)
    output.write_text(text, encoding="utf-8")
    if state.json:
        json_document({"file": str(output), "schema": kind})
    else:
        line(f"JSON Schema of {kind} files → {shown(output)}")
