"""`nodegx dev`: serves all workflows of a project and reloads what changes."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.findings import ordered, text_lines
from nodegx.cli.inputs import assignment
from nodegx.cli.output import clean, json_line, line, plural, style, table
from nodegx.cli.projects import (
    built_workflows,
    project_root,
    report_missing_packages,
    short_name,
    shown,
)

if TYPE_CHECKING:
    from nodegx.compiler.project import Project
    from nodegx.server.dev import Outcome
    from nodegx.server.options import ServerOptions
    from nodegx.server.registry import Registry
    from nodegx.server.serving import Server


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
    try:
        from nodegx.server import dev as server
        from nodegx.server.serving import ServerError
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("nodegx"):
            raise
        raise CliError(
            f"the server needs the package {error.name}",
            ExitCode.ENVIRONMENT,
            hint="pip install 'nodegx[server]'",
        ) from None
    session = _Session(state, dict(variables), host, port, token, quiet)
    project = session.load()
    try:
        server.serve(
            session.options(project),
            session.compile,
            [project.workflows],
            session.notify,
            ready=session.ready,
        )
    except ServerError as error:
        raise CliError(str(error), ExitCode.ENVIRONMENT, hint="--port chooses another") from None
    return ExitCode.OK


class _Session:
    """One run of the server: compiles for it and says what happens."""

    def __init__(
        self,
        state: State,
        variables: Mapping[str, Any],
        host: str | None,
        port: int | None,
        token: str | None,
        quiet: bool,
    ) -> None:
        self.json = state.json
        self.root = project_root(state)
        self.variables = variables
        self.host = host
        self.port = port
        self.token = token
        self.quiet = quiet

    def load(self) -> Project:
        """The project as `nodegx.json` describes it now.

        Raises:
            DiagnosticError: the file is wrong.
        """
        from nodegx.compiler.project import load_project

        project = load_project(self.root)
        project.workflows.mkdir(parents=True, exist_ok=True)  # the server watches it
        return project

    def options(self, project: Project) -> ServerOptions:
        """The server's settings."""
        from nodegx.server.options import ServerOptions

        spec = project.spec
        return ServerOptions(
            build=project.build,
            root=self.root,
            host=self.host or spec.server.host,
            port=spec.server.port if self.port is None else self.port,
            vars={**project.vars, **self.variables},
            env=tuple(project.env),
            history=project.history_path,
            retention_days=spec.history.retention_days,
            token=self.token,
            request_log=not self.quiet,
        )

    def compile(self) -> Outcome:
        """Compiles the project; what is wrong goes into the report."""
        from nodegx.compiler.build.project import build_project
        from nodegx.compiler.diagnostics import DiagnosticError
        from nodegx.server.dev import Outcome

        try:
            options = self.options(self.load())
            diagnostics = build_project(self.root).diagnostics
        except DiagnosticError as error:  # in nodegx.json
            options, diagnostics = None, error.diagnostics
        if self.json:
            from nodegx.compiler.diagnostics import to_json

            for found in to_json(ordered(diagnostics)):
                json_line({"event": "diagnostic", **found})
            return Outcome("", options)
        return Outcome("\n".join(text_lines(ordered(diagnostics), Path.cwd())), options)

    def notify(self, text: str) -> None:
        """Says what happens."""
        if self.json:
            json_line({"event": "message", "text": text})
        elif "\n" in text or text.startswith(("error", "warning")):
            line(text, err=True)
        else:
            stamp = style(time.strftime("%H:%M:%S"), dim=True)
            line(f"{stamp} {clean(text)}", err=True)
        sys.stdout.flush()

    def ready(self, server: Server) -> None:
        """Shows what is being served, and where."""
        rows = _rows(server.registry, server.url)
        report_missing_packages(built_workflows(self.load().build))
        if self.json:
            json_line(
                {
                    "event": "ready",
                    "url": server.url,
                    "workflows": len(server.registry.workflows),
                    "triggers": [row._asdict() for row in rows],
                }
            )
            sys.stdout.flush()
            return
        if rows:
            table(
                ("workflow", "starts", "where"),
                [
                    (clean(short_name(row.workflow)), row.kind, style(clean(row.where), "cyan"))
                    for row in rows
                ],
            )
        count = plural(len(server.registry.workflows), "workflow")
        line(f"{style('●', 'green')} {count} on {style(server.url, bold=True)}, Ctrl-C stops")
        history = self.options(self.load()).history
        if history is not None:
            line(style(f"  history in {shown(history)}, changes are reloaded", dim=True))
        sys.stdout.flush()


class _Row(NamedTuple):
    """One trigger: the workflow, what starts it, and the address, times or event."""

    workflow: str
    kind: str
    where: str


def _rows(registry: Registry, url: str) -> list[_Row]:
    rows: list[_Row] = []
    for loaded in registry.workflows.values():
        for node, type_, config in loaded.triggers:
            where = _where(registry, url, (loaded.name, node), type_, config, loaded.timezone)
            if where is not None:
                rows.append(_Row(loaded.name, type_.rpartition(".")[2], where))
    return sorted(rows, key=lambda row: (ORDER.get(row.kind, 9), row.workflow, row.where))


ORDER = {"webhook": 0, "request": 1, "schedule": 2, "event": 3, "manual": 4}


def _where(
    registry: Registry,
    url: str,
    key: tuple[str, str],
    type_: str,
    config: Mapping[str, Any],
    zone: str,
) -> str | None:
    """Where or when a trigger starts its workflow; None for one that is not served."""
    if type_ == "trigger.schedule":
        return _when({"timezone": zone, **config}, zone)
    if type_ == "trigger.event":
        return str(config.get("event"))
    if type_ == "trigger.manual":
        return f"nodegx run {short_name(key[0])}"
    route = registry.routes.get(key)
    return None if route is None else f"{' '.join(route.methods)} {url}{route.path}"


def _when(config: Mapping[str, Any], zone: str) -> str:
    from nodegx.runtime.triggers import timetable

    following = timetable.upcoming(timetable.timetable(config, zone), 1)
    text = timetable.describe(config)
    return f"{text}, next {following[0]:%a %H:%M:%S}" if following else text
