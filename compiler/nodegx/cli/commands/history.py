"""`nodegx history`: recorded executions."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import click
from nodegx.cli.base import Group, State, pass_state
from nodegx.cli.deployments import complete_stack
from nodegx.cli.errors import CliError
from nodegx.cli.executions import (
    LINES,
    elapsed,
    error_lines,
    header,
    loads,
    step_lines,
    timeline,
    value_lines,
)
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.exporting import FORMATS
from nodegx.cli.output import (
    clean,
    duration,
    is_terminal,
    json_document,
    line,
    plural,
    state_text,
    style,
    table,
)
from nodegx.cli.projects import (
    complete_workflow,
    open_project,
    short_name,
    shown,
)
from nodegx.cli.stores import full_name, open_store
from nodegx.cli.streams import ESCAPED
from nodegx.cli.when import local, moment
from nodegx.compiler.project import Project
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import HistoryStore, Query

LATEST = "latest"
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@click.group(cls=Group)
def history() -> None:
    """Look at recorded executions."""


def filters(function: Decorated) -> Decorated:
    """The options that choose executions; the command gets them as `chosen`."""
    options = (
        click.option("--workflow", metavar="NAME", shell_complete=complete_workflow),
        click.option(
            "--status",
            "statuses",
            multiple=True,
            type=click.Choice([status.value for status in Status if status != Status.SKIPPED]),
            help="May be given several times.",
        ),
        click.option(
            "--since",
            type=moment,
            metavar="TIME",
            help="Started at or after: 30m, 2h, 3d (ago), or 2026-11-23 09:30.",
        ),
        click.option("--until", type=moment, metavar="TIME", help="Started before."),
        click.option("--search", metavar="TEXT", help="In id, name, input, output or error."),
        click.option(
            "--stack",
            metavar="NAME",
            shell_complete=complete_stack,
            help="Of this deployment.  [default: of this machine]",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _query(
    project: Project,
    workflow: str | None,
    statuses: tuple[str, ...],
    since: float | None,
    until: float | None,
    search: str | None,
) -> Query:
    return Query(
        workflow=None if workflow is None else full_name(project, workflow),
        statuses=tuple(Status(status) for status in statuses),
        since=since,
        until=until,
        text=search,
    )


@history.command("list")
@filters
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--cursor", help="Continue a list; the list before ends with it.")
@pass_state
def list_(state: State, limit: int, cursor: str | None, stack: str | None, **chosen: Any) -> int:
    """List executions, the latest first."""
    from nodegx.server.present import summary

    project = open_project(state)
    query = _query(project, **chosen)
    with open_store(project, stack) as store:
        try:
            page = None if store is None else store.list(query, limit=limit, cursor=cursor)
        except ValueError:
            raise CliError(f"{cursor!r} is not a cursor", ExitCode.USAGE) from None
    records = [] if page is None else page.records
    following = None if page is None else page.cursor
    if state.json:
        json_document({"executions": [summary(r) for r in records], "cursor": following})
        return ExitCode.OK
    if not records:
        line("no executions" + (" recorded yet" if page is None else " match"), err=True)
        return ExitCode.OK
    table(
        ("id", "started", "workflow", "status", "took", "error"),
        [_row(record) for record in records],
        right=(4,),
        whole=(0, 1, 3, 4),
    )
    if following:
        line(style(f"more: --cursor {following}", dim=True), err=True)
    return ExitCode.OK


def _row(record: ExecutionRecord) -> tuple[str, ...]:
    error: Any = loads(record.error)
    message = str(error.get("message", "")) if isinstance(error, dict) else ""  # pyright: ignore
    return (
        record.id,
        local(record.started, short=is_terminal()),
        clean(short_name(record.workflow)),
        state_text(record.status.value),
        duration(elapsed(record)),
        clean(message if len(message) <= 60 else message[:59] + "…"),
    )


@history.command()
@click.argument("execution", metavar="ID", default=LATEST)
@filters
@click.option("--step", "step_id", metavar="ID", help="Show only this step, whole.")
@click.option("--full", is_flag=True, help="Show values whole, however long.")
@pass_state
def show(
    state: State,
    execution: str,
    step_id: str | None,
    full: bool,
    stack: str | None,
    **chosen: Any,
) -> int:
    """Show an execution: its steps on a timeline, what went in and out.

    ID may be shortened to its beginning; `latest` is the latest execution that the options match.
    """
    from nodegx.server.present import detail

    project = open_project(state)
    query = _query(project, **chosen)
    with open_store(project, stack) as store:
        record = None if store is None else _find(store, execution, query)
    if record is None:
        raise CliError(
            "no execution matches" if execution == LATEST else f"no execution {execution!r}",
            ExitCode.NOT_FOUND,
            hint="`nodegx history list` shows what there is",
        )
    if step_id is not None:
        record.steps = [step for step in record.steps if step_id in (step.id, step.node)]
        if not record.steps:
            raise CliError(f"{record.id} has no step {step_id!r}", ExitCode.NOT_FOUND)
    if state.json:
        json_document(detail(record))
        return ExitCode.OK
    limit = None if full or step_id is not None else LINES
    for text in _page(record, limit) if step_id is None else _steps(record, limit):
        line(text)
    return ExitCode.OK


def _find(store: HistoryStore, execution: str, query: Query) -> ExecutionRecord | None:
    if execution == LATEST:
        records = store.list(query, limit=1).records
    elif (found := store.get(execution)) is not None:
        return found
    else:
        page = store.list(Query(text=execution), limit=500)
        records = [record for record in page.records if record.id.startswith(execution.upper())]
        if len(records) > 1:
            raise CliError(
                f"{len(records)} executions begin with {execution!r}",
                ExitCode.USAGE,
                hint=", ".join(record.id for record in records[:4]),
            )
    return store.get(records[0].id) if records else None


def _page(record: ExecutionRecord, limit: int | None) -> Iterator[str]:
    yield from header(record)
    if record.steps:
        yield ""
        yield from timeline(record)
    yield ""
    yield from value_lines("input ", record.input, limit=limit)
    yield from value_lines("output", record.output, limit=limit)
    yield from error_lines(record.error, limit=limit)
    yield from _steps(record, limit)


def _steps(record: ExecutionRecord, limit: int | None) -> Iterator[str]:
    for step in record.steps:
        lines = list(step_lines(step, limit=limit))
        if lines:
            yield f"\n{style(clean(step.id), bold=True)}  {style(step.type, dim=True)}"
            yield from lines


@history.command()
@filters
@click.option("--limit", type=click.IntRange(1), help="Most executions.  [default: all]")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), help="[default: json]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="[default: stdout]"
)
@pass_state
def export(
    state: State,
    limit: int | None,
    format_: str | None,
    output: Path | None,
    stack: str | None,
    **chosen: Any,
) -> int:
    """Export executions with their steps, the latest first.

    As a JSON array, JSON lines or CSV (one row an execution). However many there are, memory stays
    small. Without --format, the ending of the output file decides.
    """
    suffix = "" if output is None else output.suffix.removeprefix(".")
    write = FORMATS[format_ or (suffix if suffix in FORMATS else "json")]
    project = open_project(state)
    query = _query(project, **chosen)
    with open_store(project, stack) as store:
        records: Iterable[ExecutionRecord] = () if store is None else store.export(query)
        records = itertools.islice(records, limit)
        if output is None:
            write(records, sys.stdout)
            return ExitCode.OK
        with _opened(output) as file:
            count = write(records, file)
    if state.json:
        json_document({"file": str(output), "executions": count})
    else:
        line(f"{plural(count, 'execution')} → {shown(output)}")
    return ExitCode.OK


@contextlib.contextmanager
def _opened(output: Path) -> Generator[IO[str]]:
    """The file to write to. It gets its name once it is whole; what is no plain file, such as
    /dev/stdout or a pipe, is written to as it is."""
    special = output.exists() and not output.is_file()
    target = output if special else output.resolve()
    temporary = target if special else target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8", errors=ESCAPED, newline="") as file:
            yield file
        if not special:
            os.replace(temporary, target)
    finally:
        if not special:
            temporary.unlink(missing_ok=True)
