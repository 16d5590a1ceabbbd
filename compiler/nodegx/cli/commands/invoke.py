"""`nodegx invoke`: runs a workflow in the cloud."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import open_deployment, stack_option, workflow_slug
from nodegx.cli.executions import error_lines, value_lines
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.inputs import parse_json, read_json
from nodegx.cli.output import clean, duration, json_document, line, state_text, style
from nodegx.cli.projects import (
    BuiltWorkflow,
    built_workflows,
    complete_workflow,
    resolve,
    short_name,
)
from nodegx.cli.running import choose_trigger

if TYPE_CHECKING:
    from nodegx.providers.aws.invoke import Answer

WELL = ("success", "accepted", "waiting")
"""How runs stand that have gone well, or go on."""


@click.command(cls=Command)
@click.argument("workflow", shell_complete=complete_workflow)
@stack_option
@click.option("--input", "file", metavar="FILE", help="JSON file with the input; - for stdin.")
@click.option("--data", metavar="JSON", help="The input itself.")
@click.option("--trigger", metavar="ID", help="Start by this trigger.")
@click.option("--version", metavar="N", help="Run this version.  [default: as the traffic does]")
@click.option("--no-wait", is_flag=True, help="Do not wait for its end.")
@click.option("--log", "with_log", is_flag=True, help="Show the end of the function's log.")
@pass_state
def invoke(
    state: State,
    workflow: str,
    stack: str | None,
    file: str | None,
    data: str | None,
    trigger: str | None,
    version: str | None,
    no_wait: bool,
    with_log: bool,
) -> int:
    """Run a workflow in the cloud, and show how it ended.

    The input is what `nodegx run` takes: of a webhook, the request; of an event, its data.
    """
    from nodegx.compiler.targets.aws.names import ALIAS
    from nodegx.providers.aws import invoke as source

    if file is not None and data is not None:
        raise click.UsageError("--input and --data exclude each other")
    value: Any = {} if file is None else read_json(file)
    if data is not None:
        value = parse_json(data, "input")
    deployment = open_deployment(state, stack)
    slug = workflow_slug(deployment.project, workflow)
    built = resolve(slug, built_workflows(deployment.project.build))
    node = str(choose_trigger(built, trigger)["node"])
    answer = source.invoke(
        deployment, slug, value, trigger=node, version=version or ALIAS, wait=not no_wait
    )
    if state.json:
        json_document(asdict(answer))
    else:
        _show(built, answer, with_log=with_log)
    return ExitCode.OK if answer.status in WELL else ExitCode.FAILURE


def _show(workflow: BuiltWorkflow, answer: Answer, *, with_log: bool) -> None:
    import json

    if answer.status == "accepted":
        line(f"{clean(short_name(workflow.name))} was started: {answer.execution}")
        return
    facts = f"{duration(answer.seconds)}, version {answer.version}"
    status = state_text(answer.status)
    line(
        f"{style(clean(short_name(workflow.name)), bold=True)}  {status}  {style(facts, dim=True)}"
    )
    if answer.execution:
        line(f"  {style('execution', dim=True)} {answer.execution}")
    output = None if answer.output is None else json.dumps(answer.output, ensure_ascii=False)
    for text in value_lines("output", output, "  "):
        line(text)
    error = None if answer.error is None else json.dumps(dict(answer.error), ensure_ascii=False)
    for text in error_lines(error, "  "):
        line(text)
    if with_log:
        for text in answer.log.splitlines():
            line(style(f"  {clean(text)}", dim=True))
