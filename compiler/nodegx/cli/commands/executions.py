"""`nodegx executions`: what has not ended, or has failed, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from nodegx.cli.base import Group, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.executions import header
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.inputs import read_json
from nodegx.cli.operating import operate, operating, refusals, report
from nodegx.cli.output import json_document, line, style, table
from nodegx.cli.projects import open_project
from nodegx.cli.selecting import Selection, choosing, filters, stack_filter, whole_id
from nodegx.cli.stores import full_name, open_stores
from nodegx.cli.unfinished import HEADINGS, advice, audit_lines, page, row
from nodegx.runtime.durable.operations import Edited, Filter, Given, find
from nodegx.runtime.durable.operations import fork as fork_execution
from nodegx.runtime.durable.operations.operator import audit_of
from nodegx.runtime.durable.operations.shown import run_data, run_detail
from nodegx.runtime.durable.state import RunStatus

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@click.group(cls=Group)
def executions() -> None:
    """Operate on executions that wait, run or have failed.

    Whatever is done is noted down with who did it: `show` tells.

    Commands that take several executions ask before they begin; where nobody can be asked, they
    want --yes. They end with 1 if anything was refused, with 4 if there is no such execution.
    """


def listing(function: Decorated) -> Decorated:
    """The options of lists."""
    for option in (
        click.option("--cursor", help="Continue a list; the list before ends with it."),
        click.option("--limit", type=click.IntRange(1), default=20, show_default=True),
    ):
        function = option(function)
    return function


@executions.command("list")
@filters(tuple(RunStatus))
@listing
@pass_state
def list_(state: State, **options: Any) -> int:
    """List executions that have not ended, or have failed; the first first."""
    return show_list(state, **options)


def show_list(
    state: State,
    *,
    limit: int,
    cursor: str | None,
    stack: str | None,
    workflow: str | None,
    statuses: tuple[str, ...],
    since: float | None,
    until: float | None,
    error_code: str | None,
) -> int:
    """Lists executions; returns the exit code."""
    project = open_project(state)
    wanted = Filter(
        workflow=None if workflow is None else full_name(project, workflow),
        statuses=tuple(RunStatus(each) for each in statuses),
        since=since,
        until=until,
        error_code=error_code,
    )
    with open_stores(project, stack) as stores:
        found, following = (
            ([], None) if stores is None else find(stores.runs, wanted, limit=limit, after=cursor)
        )
    if state.json:
        json_document({"executions": [run_data(each) for each in found], "cursor": following})
        return ExitCode.OK
    if not found:
        line("no executions match", err=True)
        return ExitCode.OK
    table(HEADINGS, [row(each) for each in found], right=(3,), whole=(0, 2, 3, 4))
    if following:
        line(style(f"more: --cursor {following}", dim=True), err=True)
    return ExitCode.OK


@executions.command()
@click.argument("execution", metavar="ID")
@stack_filter
@pass_state
def show(state: State, execution: str, stack: str | None) -> int:
    """Show how an execution stands: what it waits for, its journal, what was done to it.

    Its steps are in `nodegx history show ID`. ID may be shortened to its beginning.
    """
    from nodegx.server.present import summary

    with operating(state, stack) as (_, operator):
        id = whole_id(operator, execution)
        kept, record = operator.runs.load(id), operator.history.get(id)
    if kept is None and record is None:
        raise CliError(
            f"There is no execution {execution}",
            ExitCode.NOT_FOUND,
            hint="`nodegx executions list` and `nodegx history list` show what there is",
        )
    audit = () if kept is None else kept.state.audit
    if state.json:
        noted = [] if record is None else audit_of(record)
        json_document(
            {
                "execution": None if record is None else summary(record),
                "run": None if kept is None else run_detail(kept),
                "audit": [*noted, *(entry for entry in audit if entry not in noted)],
            }
        )
        return ExitCode.OK
    if kept is not None:
        lines = page(kept)
    else:
        assert record is not None
        lines = header(record)
    for text in lines:
        line(text)
    for text in audit_lines(record, audit):
        line(text)
    for text in () if kept is None else advice(kept.state):
        line(text)
    return ExitCode.OK


edit_input = click.option(
    "--edit-input",
    metavar="FILE",
    help="An input in place of the original one, as for `nodegx run --input`; - reads it from "
    "standard input.",
)


def _edited(source: str | None) -> Edited | None:
    return None if source is None else Edited(read_json(source))


@executions.command()
@choosing("retry")
@edit_input
@click.option("--again", is_flag=True, help="Even if it was retried before.")
@pass_state
def retry(state: State, selection: Selection, edit_input: str | None, again: bool) -> int:
    """Start failed executions anew, with what they began with.

    A new execution runs on the present code. The failed one is no dead letter any more. What has
    ended otherwise can be retried by its id, if the history has its whole input.
    """
    if edit_input is not None and not selection.is_single:
        raise CliError("--edit-input is for one execution, named by its id", ExitCode.USAGE)
    options = {"edited": _edited(edit_input), "again": again}
    return operate(state, "retry", selection, **options)


@executions.command()
@choosing("resume")
@click.option("--now", is_flag=True, help="Let what waits for a time go on now.")
@click.option("--answer", metavar="FILE", help="Give the wait for a request this JSON, and go on.")
@click.option("--step", metavar="STEP", help="Only the wait of this step; with --now or --answer.")
@pass_state
def resume(
    state: State, selection: Selection, now: bool, answer: str | None, step: str | None
) -> int:
    """Let failed executions go on where they failed.

    The step that failed is done again, what came before is not. This is for durable workflows;
    `retry` starts any one anew. With --now or --answer it is for executions that wait.

    The file for --answer holds the body of the request, or an object with `body`, `query`,
    `headers` or `action` (the button of a form).
    """
    if not now and answer is None:
        if step is not None:
            raise CliError("--step goes with --now or --answer", ExitCode.USAGE)
        return operate(state, "resume", selection)
    if now and answer is not None:
        raise CliError("--now and --answer exclude each other", ExitCode.USAGE)
    if answer is not None and not selection.is_single:
        raise CliError("--answer is for one execution, named by its id", ExitCode.USAGE)
    given = None if answer is None else Given(read_json(answer, "answer"))
    return operate(state, "go-on", selection, step=step, answer=given)


@executions.command()
@choosing("cancel")
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@pass_state
def cancel(state: State, selection: Selection, reason: str | None) -> int:
    """End executions that wait, are queued or run.

    What runs is ended by the server that has it, within seconds.
    """
    return operate(state, "cancel", selection, reason=reason)


@executions.command()
@click.argument("execution", metavar="ID")
@click.option(
    "--from",
    "step",
    metavar="STEP",
    required=True,
    help="The first step to be done anew, such as `charge` or `price[3]`.",
)
@edit_input
@stack_filter
@pass_state
def fork(state: State, execution: str, step: str, edit_input: str | None, stack: str | None) -> int:
    """Start a new execution that has done already what another one did before a step.

    It runs on the present code of a durable workflow. Waits that had not ended begin anew, with
    links of their own.
    """
    edited = _edited(edit_input)
    with operating(state, stack) as (_, operator), refusals():
        outcome = fork_execution(operator, whole_id(operator, execution), step, edited=edited)
    report(state, "fork", outcome)
    return ExitCode.OK


@executions.command()
@choosing("migrate")
@click.option("--to", metavar="REVISION", help="[default: the present one]")
@pass_state
def migrate(state: State, selection: Selection, to: str | None) -> int:
    """Move executions that wait or have failed to other code.

    The new code must do what the journal says; it is led through it before anything is changed.
    """
    return operate(state, "migrate", selection, to=to)


@executions.command()
@choosing("discard")
@click.option("--reason", metavar="TEXT", help="Why; it is noted down.")
@pass_state
def discard(state: State, selection: Selection, reason: str | None) -> int:
    """Remove failed executions from the dead letters. Their history stays."""
    return operate(state, "discard", selection, reason=reason)


@executions.command()
@choosing("redrive")
@pass_state
def redrive(state: State, selection: Selection) -> int:
    """Let failed executions try again: durable ones go on, others start anew."""
    return operate(state, "redrive", selection)
