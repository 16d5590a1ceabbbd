"""Which executions a command is about: the options that say so, and the ids they choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
from nodegx.runtime.durable.operations import ACTIONS, Chosen, Filter, Operator, select
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import RunQuery
from nodegx.runtime.history.store import Query

from .deployments import complete_stack, yes_option
from .errors import CliError
from .exit_codes import ExitCode
from .projects import complete_workflow
from .stores import full_name
from .streams import read_stdin
from .when import moment

if TYPE_CHECKING:
    from nodegx.compiler.project import Project

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

DONE = {
    "retry": "retried",
    "resume": "resumed",
    "redrive": "redriven",
    "go-on": "resumed",
    "cancel": "cancelled",
    "fork": "forked",
    "migrate": "migrated",
    "discard": "discarded",
}
"""What has become of executions, by the operation."""


class Selection(NamedTuple):
    """Which executions a command is about, as its options say."""

    ids: tuple[str, ...]
    workflow: str | None
    statuses: tuple[str, ...]
    since: float | None
    until: float | None
    error_code: str | None
    ids_from: str | None
    everything: bool
    limit: int | None
    dry_run: bool
    yes: bool
    stack: str | None

    @property
    def is_single(self) -> bool:
        """Whether it is one execution, named by its id."""
        return len(self.ids) == 1 and not self.has_filters and self.ids_from is None

    @property
    def has_filters(self) -> bool:
        """Whether conditions choose among all executions."""
        given = (self.workflow, self.since, self.until, self.error_code)
        return bool(self.statuses) or any(each is not None for each in given) or self.everything


def stack_filter(function: Decorated) -> Decorated:
    """`--stack`."""
    return click.option(
        "--stack",
        metavar="NAME",
        shell_complete=complete_stack,
        help="Of this deployment.  [default: of this project's own servers]",
    )(function)


def filters(statuses: Sequence[RunStatus]) -> Callable[[Decorated], Decorated]:
    """The options that choose unfinished and failed executions.

    Args:
        statuses: those that may be asked for.
    """
    options = [
        click.option("--workflow", metavar="NAME", shell_complete=complete_workflow),
        click.option(
            "--since",
            type=moment,
            metavar="TIME",
            help="Started at or after: 30m, 2h, 3d (ago), or 2026-11-23 09:30.",
        ),
        click.option("--until", type=moment, metavar="TIME", help="Started before."),
        stack_filter,
    ]
    if RunStatus.FAILED in statuses:
        text = "Failed with this code, such as http.status."
        options.insert(1, click.option("--error-code", metavar="CODE", help=text))
    if len(statuses) > 1:
        names = click.Choice([status.value for status in statuses])
        text = "May be given several times."
        options.insert(
            1, click.option("--status", "statuses", multiple=True, type=names, help=text)
        )

    def decorate(function: Decorated) -> Decorated:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def choosing(action: str) -> Callable[[Decorated], Decorated]:
    """The argument and options that choose what an operation is about; the command gets them as
    its argument `selection`.

    Args:
        action: the operation's name.
    """
    options = [
        click.argument("ids", metavar="[ID]...", nargs=-1),
        filters(ACTIONS[action].statuses),
        click.option(
            "--ids-from",
            metavar="FILE",
            help="Those whose ids are in this file, one a line; - reads standard input.",
        ),
        click.option("--all", "everything", is_flag=True, help="All that this can be done to."),
        click.option("--limit", type=click.IntRange(1), help="The first so many, by age."),
        click.option("--dry-run", is_flag=True, help="Only show which ones these are."),
        yes_option,
    ]

    def decorate(function: Decorated) -> Decorated:
        @wraps(function)
        def run(**options: Any) -> Any:
            given = {name: options.pop(name, None) for name in Selection._fields}
            given["statuses"] = given["statuses"] or ()
            return function(selection=Selection(**given), **options)

        made: Any = run
        for option in reversed(options):
            made = option(made)
        return made

    return decorate


def whole_id(operator: Operator, text: str) -> str:
    """The id of an execution that people mean by its beginning.

    Raises:
        CliError: several begin like that.
    """
    if operator.runs.load(text) is not None or operator.history.get(text) is not None:
        return text
    prefix = text.upper()
    states = operator.runs.list(RunQuery(), limit=3, after=prefix)
    records = operator.history.list(Query(text=text), limit=100).records
    found = {each.id for each in (*states, *records) if each.id.startswith(prefix)}
    if len(found) > 1:
        raise CliError(
            f"several executions begin with {text!r}",
            ExitCode.USAGE,
            hint=", ".join(sorted(found)[:4]),
        )
    return found.pop() if found else text


def chosen_ids(
    project: Project, operator: Operator, action: str, selection: Selection
) -> list[Chosen] | list[str]:
    """The executions that options choose: known ones if filters do, otherwise ids as given.

    Raises:
        CliError: nothing is chosen, or the file of ids cannot be read.
    """
    ids = [whole_id(operator, each) for each in selection.ids]
    if selection.ids_from is not None:
        ids += read_ids(selection.ids_from)
    if not selection.has_filters:
        if not ids and selection.ids_from is None:
            raise CliError(
                f"which executions are to be {DONE[action]}?",
                ExitCode.USAGE,
                hint="name them, choose them with --workflow, --since and the like, or take --all",
            )
        return list(dict.fromkeys(ids))[: selection.limit]
    named = bool(ids) or selection.ids_from is not None
    wanted = Filter(
        workflow=None if selection.workflow is None else full_name(project, selection.workflow),
        statuses=tuple(map(RunStatus, selection.statuses)) or ACTIONS[action].statuses,
        since=selection.since,
        until=selection.until,
        error_code=selection.error_code,
        ids=tuple(ids) if named else None,
    )
    return select(operator.runs, wanted, limit=selection.limit)


def read_ids(source: str) -> list[str]:
    """Ids in a file, or on standard input for `-`, one a line; `#` begins a comment.

    Raises:
        CliError: the file cannot be read.
    """
    try:
        text = read_stdin() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CliError(f"there is no file {source}", ExitCode.NOT_FOUND) from None
    except UnicodeDecodeError:
        raise CliError(f"{source} is not UTF-8 text", ExitCode.USAGE) from None
    lines = (each.partition("#")[0].strip() for each in text.splitlines())
    return [each for each in lines if each]
