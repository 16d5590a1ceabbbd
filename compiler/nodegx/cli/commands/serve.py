"""`nodegx serve`: serves a project as one of the hosts that share its executions."""

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
@click.option("--url", help="How the world reaches this server, for the links it sends.")
@click.option(
    "--var",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    type=assignment,
    help="Override a variable of the project.",
)
@click.option("--token", envvar="NODEGX_TOKEN", help="Ask for this token on /_nodegx/ addresses.")
@click.option("--no-compile", is_flag=True, help="Serve what has been compiled before.")
@click.option("--quiet", is_flag=True, help="Write no line for each request.")
@pass_state
def serve(
    state: State,
    host: str | None,
    port: int | None,
    url: str | None,
    variables: tuple[tuple[str, Any], ...],
    token: str | None,
    no_compile: bool,
    quiet: bool,
) -> int:
    """Serve all workflows until it is stopped.

    Compiles the project once and serves it. Several of these may share one database: they share the
    queue, the schedules and the waits, and go on with the executions of one that dies.

    \b
    NODEGX_DATABASE_URL=postgresql://… nodegx serve --port 8081
    """
    server, errors = server_module("serving"), server_module("listening")
    session = Session(state, dict(variables), host, port, token, quiet, url, reloads=False)
    project = session.load()
    if not no_compile:
        session.compile_all()
    try:
        server.serve(session.options(project), session.notify, ready=session.ready)
    except errors.ServerError as error:
        raise CliError(str(error), ExitCode.ENVIRONMENT, hint="--port chooses another") from None
    return ExitCode.OK
