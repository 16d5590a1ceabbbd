"""`nodegx run`: runs a workflow once, here, and shows each step."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.executions import error_lines, value_lines
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.inputs import assignment, read_json, with_assignments
from nodegx.cli.output import clean, duration, json_line, line, state_text, style
from nodegx.cli.projects import (
    BuiltWorkflow,
    built_workflows,
    complete_workflow,
    open_project,
    report_missing_packages,
    resolve,
)

if TYPE_CHECKING:
    from nodegx.compiler.project import Project
    from nodegx.runtime.execution import Execution
    from nodegx.runtime.history.writer import HistoryWriter
    from nodegx.runtime.values import Trigger

CHILDREN = 30.0
"""Seconds that workflows started by events have to end once the run itself is over."""


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_workflow)
@click.option("-i", "--input", "source", metavar="FILE", help="JSON input; - reads standard input.")
@click.option("--trigger", metavar="ID", help="The trigger to start by, where there are several.")
@click.option(
    "--set",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    type=assignment,
    help="Set a value of the input; KEY may be dotted, VALUE is JSON or text.",
)
@click.option(
    "--var",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    type=assignment,
    help="Override a variable of the project.",
)
@click.option("--full", is_flag=True, help="Show values whole, however long.")
@click.option("--no-history", is_flag=True, help="Record nothing.")
@pass_state
def run(
    state: State,
    name: str,
    source: str | None,
    trigger: str | None,
    assignments: tuple[tuple[str, Any], ...],
    variables: tuple[tuple[str, Any], ...],
    full: bool,
    no_history: bool,
) -> int:
    """Run a workflow once and show each step.

    NAME is a workflow's full name, the last part of it, or its directory's name below build/. The
    workflow is compiled first if it has changed. For HTTP triggers the input is the request's body,
    unless it spells out the request: {"query": …, "params": …, "headers": …, "body": …}. For events
    it is the event's data.

    Prints the answer; with --json, one JSON object a line for each thing that happens. The exit
    code is 1 if the run fails.
    """
    from nodegx.cli.running import choose_trigger
    from nodegx.runtime.triggers.given import trigger_value
    from nodegx.runtime.triggers.inputs import InputError
    from nodegx.runtime.values import Trigger

    project = open_project(state)
    workflow, known = _compiled(project, name)
    report_missing_packages([workflow])
    chosen = choose_trigger(workflow, trigger)
    data = with_assignments(None if source is None else read_json(source), assignments)
    try:
        value = trigger_value(chosen["type"], chosen.get("config") or {}, data)
    except InputError as error:
        raise CliError(f"the input does not fit: {error.message}", ExitCode.USAGE) from None
    start = Trigger(chosen["node"], chosen["type"], value)
    runner = _Runner(state, project, workflow, known, dict(variables), full, not no_history)
    return asyncio.run(runner.run(start))


def _compiled(project: Project, name: str) -> tuple[BuiltWorkflow, list[BuiltWorkflow]]:
    """The workflow called `name`, compiled, and all others.

    Raises:
        CliError: there is none.
        DiagnosticError: it has errors.
    """
    from nodegx.compiler.build.project import build_project
    from nodegx.compiler.build.report import State as Outcome
    from nodegx.compiler.diagnostics import DiagnosticError

    report = build_project(project.root)
    known = built_workflows(project.build)
    failed = {b.slug: b.source for b in report.workflows if b.state is Outcome.FAILED}
    try:
        found = resolve(name, known)
    except CliError:
        if report.ok:
            raise
        raise DiagnosticError(report.diagnostics) from None
    if found.slug in failed:
        file = project.root / failed[found.slug]
        mine = [diagnostic for diagnostic in report.diagnostics if diagnostic.file == file]
        raise DiagnosticError(mine or report.diagnostics)
    if failed:
        others = "another workflow" if len(failed) == 1 else f"{len(failed)} other workflows"
        line(style("! ", "yellow") + f"errors in {others}: see `nodegx check`", err=True)
    return found, known


class _Runner:
    """One run, from opening the history to closing it."""

    def __init__(
        self,
        state: State,
        project: Project,
        workflow: BuiltWorkflow,
        known: list[BuiltWorkflow],
        variables: dict[str, Any],
        full: bool,
        history: bool,
    ) -> None:
        self.json = state.json
        self.project = project
        self.workflow = workflow
        self.known = known
        self.variables = variables
        self.full = full
        self.history = history

    async def run(self, trigger: Trigger) -> int:
        """Runs the workflow and shows it; returns the exit code."""
        with contextlib.ExitStack() as stack:
            return await self._run(trigger, self._open_history(stack), stack)

    def _open_history(self, stack: contextlib.ExitStack) -> HistoryWriter | None:
        if not self.history:
            return None
        from nodegx.runtime.history.sqlite import SqliteStore
        from nodegx.runtime.history.writer import HistoryWriter

        store = SqliteStore(self.project.history_path)
        stack.callback(store.close)
        writer = HistoryWriter(store)
        stack.callback(writer.close)
        return writer

    async def _run(
        self, trigger: Trigger, history: HistoryWriter | None, stack: contextlib.ExitStack
    ) -> int:
        from nodegx.cli.live import JsonSteps, LiveLog, LiveSteps
        from nodegx.cli.running import load, local_host, within_reach
        from nodegx.runtime.execution import Execution
        from nodegx.runtime.history.masking import masked_output
        from nodegx.runtime.logs import Log

        loaded = {w.name: load(w) for w in within_reach(self.workflow, self.known)}
        host = local_host(self.project, loaded.values(), self.variables, history)
        stack.enter_context(masked_output(host.secrets))
        handler = loaded[self.workflow.name].workflow
        live: LiveSteps | None = None
        if self.json:
            on_step, log = JsonSteps().on_step, Log("error")
        else:
            live = stack.enter_context(LiveSteps(full=self.full))
            on_step, log = live.on_step, LiveLog(live.say)
        execution = Execution(handler, trigger, host, on_step=on_step, log=log)
        self._begin(execution)
        await execution.start()
        try:
            record = await execution.finish()
        except asyncio.CancelledError:
            execution.cancel("Stopped with Ctrl-C")
            await execution.finish()
            raise
        finally:
            if live is not None:
                live.__exit__()
        await host.drain(CHILDREN)
        self._end(execution)
        return ExitCode.OK if record.status == "success" else ExitCode.FAILURE

    def _begin(self, execution: Execution) -> None:
        trigger = execution.trigger
        if self.json:
            json_line(
                {
                    "event": "start",
                    "execution": execution.id,
                    "workflow": self.workflow.name,
                    "trigger": {"node": trigger.node, "type": trigger.type},
                }
            )
            return
        name = style(clean(self.workflow.name), bold=True)
        line(f"{style('▶', 'cyan')} {name}  {style(f'{trigger.node} ({trigger.type})', dim=True)}")

    def _end(self, execution: Execution) -> None:
        record, answer = execution.record, execution.answer
        took = (record.finished or record.started) - record.started
        if self.json:
            json_line(
                {
                    "event": "end",
                    "execution": execution.id,
                    "status": record.status.value,
                    "duration": round(took, 6),
                    "answer": None
                    if answer is None
                    else {
                        "status": answer.status,
                        "headers": dict(answer.headers),
                        "body": answer.body,
                    },
                    "error": None if execution.failure is None else execution.failure._asdict(),
                }
            )
            return
        what = f"{state_text(record.status.value)}  {duration(took)}"
        line(f"\n{what}  {style('execution ' + execution.id, dim=True)}")
        if execution.failure is not None:
            error = json.dumps(execution.failure._asdict(), default=str)
            for text in error_lines(error, "  ", limit=None if self.full else 24):
                line(text)
        if answer is not None:
            line(f"  {style('answer', dim=True)} {answer.status}")
            body = json.dumps(answer.body, default=_as_text)
            for text in value_lines("body", body, "  ", limit=None):
                line(text)


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return str(value)
