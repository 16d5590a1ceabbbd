"""Servers that commands run: their settings, and what they say."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nodegx.cli.base import State
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.findings import ordered, text_lines
from nodegx.cli.output import clean, json_line, line, plural, style, table
from nodegx.cli.projects import (
    built_workflows,
    project_root,
    report_missing_packages,
    short_name,
    shown,
)
from nodegx.cli.stores import database_url

if TYPE_CHECKING:
    from types import ModuleType

    from nodegx.compiler.project import Project
    from nodegx.server.dev import Outcome
    from nodegx.server.options import ServerOptions
    from nodegx.server.registry import Registry
    from nodegx.server.serving import Server


def server_module(name: str) -> ModuleType:
    """A module of the server, which needs packages that the command line does without.

    Raises:
        CliError: they are not installed.
    """
    from importlib import import_module

    try:
        return import_module(f"nodegx.server.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("nodegx"):
            raise
        raise CliError(
            f"the server needs the package {error.name}",
            ExitCode.ENVIRONMENT,
            hint="pip install 'nodegx[server]'",
        ) from None


class Session:
    """One run of a server: compiles for it and says what happens.

    Args:
        state: how the command line was called.
        variables: what overrides the project's variables.
        host: address to listen on; None takes that of `nodegx.json`.
        port: TCP port; None takes that of `nodegx.json`.
        token: what callers of management endpoints present.
        quiet: whether to write no line for each request.
        url: how the world reaches the server.
        reloads: whether changes are served.
    """

    def __init__(
        self,
        state: State,
        variables: Mapping[str, Any],
        host: str | None,
        port: int | None,
        token: str | None,
        quiet: bool,
        url: str | None = None,
        *,
        reloads: bool = True,
    ) -> None:
        self.json = state.json
        self.root = project_root(state)
        self.variables = variables
        self.host = host
        self.port = port
        self.token = token
        self.quiet = quiet
        self.url = url
        self.reloads = reloads

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
            history=database_url(project) or project.history_path,
            url=self.url or spec.server.url,
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

    def compile_all(self) -> None:
        """Compiles the project.

        Raises:
            DiagnosticError: some workflow does not compile.
        """
        from nodegx.compiler.build.project import build_project
        from nodegx.compiler.diagnostics import DiagnosticError

        report = build_project(self.root)
        if not report.ok:
            raise DiagnosticError(report.diagnostics)

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
        place = (
            f"history in {shown(history)}" if isinstance(history, Path) else "history in a database"
        )
        line(style(f"  {place}{', changes are reloaded' if self.reloads else ''}", dim=True))
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
