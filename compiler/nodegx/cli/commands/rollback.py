"""`nodegx rollback`: sends the traffic back to earlier versions."""

from __future__ import annotations

import time

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import open_deployment, stack_option, workflow_slug
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.listening import Lines
from nodegx.cli.output import duration, json_document, line, plural, style
from nodegx.cli.projects import complete_workflow


@click.command(cls=Command)
@click.argument("version", required=False)
@click.option(
    "--workflow",
    metavar="NAME",
    shell_complete=complete_workflow,
    help="Take only this workflow back; VERSION is one of its versions then.",
)
@stack_option
@pass_state
def rollback(state: State, version: str | None, workflow: str | None, stack: str | None) -> int:
    """Go back to an earlier version, within seconds.

    VERSION is the number of a deployment, as `nodegx versions` lists them; without it, the one
    before. Code and settings of the functions go back; triggers and other resources stay. The next
    deployment goes forward again.
    """
    from nodegx.providers.aws.deploy import roll_back

    deployment = open_deployment(state, stack)
    slug = None if workflow is None else workflow_slug(deployment.project, workflow)
    begun = time.monotonic()
    moved = roll_back(deployment, version, slug, Lines(quiet=state.json))
    if state.json:
        data = [{"slug": m.slug, "version": m.version, "before": m.before} for m in moved]
        json_document({"stack": deployment.stack, "moved": data})
    elif not moved:
        line("these versions have the traffic already")
    else:
        took = style(f"({duration(time.monotonic() - begun)})", dim=True)
        line(f"{style('✓', 'green')} {plural(len(moved), 'workflow')} rolled back {took}")
    return ExitCode.OK
