"""Operating on executions from the command line: as whom, and what came of it."""

from __future__ import annotations

import contextlib
import getpass
import socket
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nodegx.runtime.durable.operations import (
    ACTIONS,
    Chosen,
    Operator,
    Outcome,
    Replay,
    Result,
    Target,
    apply,
    rehearsal,
)
from nodegx.runtime.durable.operations.operator import CODE, INPUT, STATE, UNKNOWN
from nodegx.runtime.durable.operations.shown import outcome_data, result_data
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.errors import NodegxError

from .base import State
from .deployments import confirm
from .errors import CliError
from .exit_codes import ExitCode
from .output import clean, is_terminal, json_document, line, plural, state_text, style, table
from .progress import progress
from .projects import BuiltWorkflow, built_workflows, open_project, short_name
from .selecting import DONE, Selection, chosen_ids
from .stores import open_stores
from .when import local

if TYPE_CHECKING:
    from nodegx.compiler.project import Project
    from nodegx.runtime.workflow import Workflow

LEASE = 60.0
"""Seconds for which this process keeps what it is about to change."""

SHOWN = 20
"""Executions that are listed before somebody is asked about them."""

EXITS = {UNKNOWN: ExitCode.NOT_FOUND, "input": ExitCode.USAGE}
"""Exit codes of refusals; others are failures."""

HINTS = {
    UNKNOWN: "`nodegx executions list` and `nodegx history list` show what there is",
    STATE: "`nodegx executions show ID` tells how it stands",
    INPUT: "`--edit-input FILE` gives it an input; `nodegx history show ID --json` has the recorded",
    CODE: "`nodegx compile` brings the build directory up to date",
}


def who() -> str:
    """The name under which this person's operations are noted down: user and machine."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # there may be no name for a user's number
        user = "somebody"
    return f"{user}@{socket.gethostname()}"


@contextlib.contextmanager
def operating(state: State, stack: str | None) -> Generator[tuple[Project, Operator]]:
    """The project, and somebody who operates on its executions.

    Raises:
        CliError: nothing has been recorded yet.
    """
    project = open_project(state)
    with open_stores(project, stack) as stores:
        if stores is None:
            raise CliError(
                "no executions recorded yet",
                ExitCode.NOT_FOUND,
                hint="`nodegx dev` runs workflows when their triggers fire",
            )
        yield (
            project,
            Operator(
                stores.history,
                stores.runs,
                who(),
                target_finder(project),
                replay_finder(project),
                stores.wake,
            ),
        )


def target_finder(project: Project) -> Callable[[str, str | None], Target | None]:
    """Finds workflows in the build directory, and earlier revisions where servers keep them."""

    def find(workflow: str, revision: str | None) -> Target | None:
        for built in _revisions(project, workflow, earlier=revision is not None):
            target = Target.of(built.manifest)
            if target.revision.startswith(revision or ""):
                return target
        return None

    return find


def replay_finder(project: Project) -> Replay:
    """Compares journals with code in these places."""
    from nodegx.runtime import loader
    from nodegx.server.environment import EnvironmentSecrets, environment

    def find(target: Target) -> Workflow | None:
        for built in _revisions(project, target.workflow, earlier=True):
            if Target.of(built.manifest).revision == target.revision:
                return loader.load(built.directory)
        return None

    return rehearsal(find, EnvironmentSecrets(environment(project.root)))


def _revisions(project: Project, workflow: str, *, earlier: bool) -> Iterator[BuiltWorkflow]:
    """The present revision of a workflow, and maybe those that servers have kept."""
    from nodegx.server.durable import versions_folder

    kept = versions_folder(project.root).glob("*") if earlier else ()
    for folder in (project.build, *kept):
        yield from (built for built in built_workflows(folder) if built.name == workflow)


def operate(state: State, action: str, selection: Selection, **options: Any) -> int:
    """Does something to executions, and tells what came of it.

    Args:
        state: the command's common options.
        action: the operation's name.
        selection: which executions.
        options: arguments of the operation.

    Returns:
        The exit code: that of a failure if the operation was refused for any execution.

    Raises:
        CliError: it was refused for the only execution, or there is nobody to confirm it.
    """
    with operating(state, selection.stack) as (project, operator):
        chosen = chosen_ids(project, operator, action, selection)
        ids = [each if isinstance(each, str) else each.id for each in chosen]
        if selection.dry_run:
            return _preview(state, action, chosen)
        if selection.is_single:
            return _one(state, operator, action, ids[0], options)
        if ids and not selection.yes:
            _show_chosen(chosen)
        if ids:
            question = f"{action} {plural(len(ids), 'execution')}?"
            confirm(question, yes=selection.yes)
        return _many(state, action, operator, ids, options)


def _one(state: State, operator: Operator, action: str, id: str, options: Mapping[str, Any]) -> int:
    with refusals():
        outcome = ACTIONS[action].operation(operator, id, **options)
    report(state, action, outcome)
    return ExitCode.OK


@contextlib.contextmanager
def refusals() -> Generator[None]:
    """Tells people about a refusal, with what they can do."""
    try:
        yield
    except NodegxError as error:
        if error.retriable:
            raise
        code = EXITS.get(error.code, ExitCode.FAILURE)
        raise CliError(error.message, code, hint=HINTS.get(error.code, "")) from None


def report(state: State, action: str, outcome: Outcome) -> None:
    """Tells what an operation has done."""
    if state.json:
        json_document(outcome_data(outcome))
    else:
        line(_sentence(action, outcome))


def _sentence(action: str, outcome: Outcome) -> str:
    done = DONE[action]
    if outcome.execution != outcome.id:
        done += f" as {style(outcome.execution, bold=True)}"
    elif action == "cancel" and outcome.state == RunStatus.RUNNING:
        done = "is being cancelled"
    note = style(f"  {clean(outcome.note)}", dim=True) if outcome.note else ""
    return f"{style('✓', 'green')} {outcome.id} {done}{note}"


def _preview(state: State, action: str, chosen: list[Chosen] | list[str]) -> int:
    if state.json:
        data = [each if isinstance(each, str) else each.id for each in chosen]
        json_document({"action": action, "dryRun": True, "executions": data})
    else:
        _show_chosen(chosen, limit=None)
        line(f"{plural(len(chosen), 'execution')} would be {DONE[action]}", err=True)
    return ExitCode.OK


def _show_chosen(chosen: list[Chosen] | list[str], limit: int | None = SHOWN) -> None:
    rows = [_row(each) for each in chosen[:limit]]
    if rows:
        table(("id", "started", "workflow", "status", "error"), rows, whole=(0, 1, 3))
    if limit is not None and len(chosen) > limit:
        line(style(f"… and {len(chosen) - limit:,} more", dim=True), err=True)


def _row(each: Chosen | str) -> tuple[str, ...]:
    if isinstance(each, str):
        return (clean(each), "", "", "", "")
    error = each.error
    return (
        each.id,
        local(each.started, short=is_terminal()),
        clean(short_name(each.workflow)),
        state_text(each.status.value),
        clean(error if len(error) <= 60 else error[:59] + "…"),
    )


def _many(
    state: State,
    action: str,
    operator: Operator,
    ids: Sequence[str],
    options: Mapping[str, Any],
) -> int:
    results: list[Result] = []
    try:
        with progress(action, quiet=state.json) as told:
            for result in apply(operator, action, ids, lease=LEASE, **options):
                results.append(result)
                told(len(results), len(ids), result.id)
    finally:
        if not state.json:
            _tell(action, results, len(ids))
    failed = sum(result.outcome is None for result in results)
    if state.json:
        json_document(
            {
                "action": action,
                "done": len(results) - failed,
                "failed": failed,
                "results": [result_data(result) for result in results],
            }
        )
    return ExitCode.FAILURE if failed else ExitCode.OK


def _tell(action: str, results: Sequence[Result], total: int) -> None:
    """What came of each, also if the rest could not be reached."""
    for result in results:
        if result.outcome is not None:
            line(_sentence(action, result.outcome))
        elif result.error is not None:
            mark = style("✗", "red")
            line(f"{mark} {clean(result.id)}: {clean(result.error.message)}", err=True)
    done = sum(result.outcome is not None for result in results)
    parts = [f"{plural(done, 'execution')} {DONE[action]}"]
    if len(results) > done:
        parts.append(f"{len(results) - done:,} refused")
    if total > len(results):
        parts.append(f"{total - len(results):,} not reached")
    line(style(", ".join(parts), dim=True), err=True)
