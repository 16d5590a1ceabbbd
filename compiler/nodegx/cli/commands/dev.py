"""`nodegx dev`: serves all workflows of a project and reloads what changes."""

from __future__ import annotations

from typing import Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.inputs import assignment
from nodegx.cli.sessions import Session, server_module


@click.command(cls=Command)
@click.option("--host", help="Address to listen on.  [default: as in nodegx.json]")
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port; 0 takes a free one.")
@click.option(
    "--var",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    type=assignment,
    help="Override a variable of the project.",
)
@click.option("--token", envvar="NODEGX_TOKEN", help="Ask for this token on /_nodegx/ addresses.")
@click.option("--quiet", is_flag=True, help="Write no line for each request.")
@pass_state
def dev(
    state: State,
    host: str | None,
    port: int | None,
    variables: tuple[tuple[str, Any], ...],
    token: str | None,
    quiet: bool,
) -> int:
    """Serve all workflows and reload what changes.

    Compiles the project, answers its HTTP triggers, fires its schedules, delivers its events and
    records every execution. A saved file is served within a second; a workflow with errors keeps
    its last good version. Listens on this machine only, unless --host says otherwise.
    """
    server, errors = server_module("dev"), server_module("listening")
    session = Session(state, dict(variables), host, port, token, quiet)
    project = session.load()
    try:
        server.serve(
            session.options(project),
            session.compile,
            [project.workflows],
            session.notify,
            ready=session.ready,
        )
    except errors.ServerError as error:
        raise CliError(str(error), ExitCode.ENVIRONMENT, hint="--port chooses another") from None
    return ExitCode.OK
