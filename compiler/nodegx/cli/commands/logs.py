"""`nodegx logs`: what functions wrote to their logs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import open_deployment, stack_option, workflow_slugs
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import clean, json_line, line, style
from nodegx.cli.projects import complete_workflow
from nodegx.cli.when import local, moment

if TYPE_CHECKING:
    from nodegx.providers.aws.logs import Line

LEVELS = ("debug", "info", "warning", "error")
SHADES = {"warning": "yellow", "error": "red", "debug": "bright_black"}
HIDDEN = frozenset({"requestId", "workflow", "execution", "node"})
"""Fields that are shown elsewhere, or say nothing to people."""


@click.command(cls=Command)
@click.argument("workflows", nargs=-1, metavar="[WORKFLOW]...", shell_complete=complete_workflow)
@stack_option
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes.")
@click.option(
    "--since", type=moment, default="10m", show_default=True, metavar="TIME", help="Begin here."
)
@click.option("--until", type=moment, metavar="TIME", help="End here.")
@click.option("--level", type=click.Choice(LEVELS), default="debug", help="The least level.")
@click.option("--execution", metavar="ID", help="Lines of one execution.")
@click.option("--search", metavar="TEXT", help="Lines with this text.")
@click.option("--all", "everything", is_flag=True, help="Show what Lambda itself writes, too.")
@pass_state
def logs(
    state: State,
    workflows: tuple[str, ...],
    stack: str | None,
    follow: bool,
    since: float,
    until: float | None,
    level: str,
    execution: str | None,
    search: str | None,
    everything: bool,
) -> int:
    """Show what functions wrote to their logs.

    Of the workflows named, or of all, in the order of time. With --json, a line of JSON each.
    """
    from nodegx.providers.aws import logs as source

    if follow and until is not None:
        raise CliError("--follow has no end: leave out --until", ExitCode.USAGE)
    deployment = open_deployment(state, stack)
    slugs = workflow_slugs(deployment.project, workflows)
    if not slugs:
        raise CliError("the project has no workflows", ExitCode.NOT_FOUND)
    wanted = source.Wanted(since, until, level, execution, search, everything)
    several = len(slugs) > 1
    found: Iterable[Line | None] = (
        source.follow(deployment, slugs, wanted)
        if follow
        else source.read(deployment, slugs, wanted)
    )
    for each in found:
        if each is None:
            sys.stdout.flush()
        elif state.json:
            json_line(_data(each))
        else:
            _show(each, several=several)
    return ExitCode.OK


def _show(entry: Line, *, several: bool) -> None:
    head = style(local(entry.time, milliseconds=True, short=True), dim=True)
    name = f" {style(clean(entry.slug), 'cyan')}" if several else ""
    if entry.level == "platform":
        line(f"{head}{name} {style(clean(entry.message), dim=True)}")
        return
    level = style(entry.level.ljust(7), SHADES.get(entry.level))
    node = (
        f" {style(clean(str(entry.fields['node'])), bold=True)}:" if "node" in entry.fields else ""
    )
    rest = " ".join(
        f"{name}={json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value}"
        for name, value in entry.fields.items()
        if name not in HIDDEN
    )
    more = f"  {style(clean(rest), dim=True)}" if rest else ""
    line(f"{head}{name} {level}{node} {clean(entry.message, newlines=True)}{more}")


def _data(entry: Line) -> dict[str, Any]:
    return {
        "time": entry.time,
        "workflow": entry.slug,
        "level": entry.level,
        "message": entry.message,
        **{name: value for name, value in entry.fields.items() if name != "workflow"},
    }
