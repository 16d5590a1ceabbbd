"""`nodegx destroy`: takes a deployment down."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import (
    local_option,
    local_stack,
    open_deployment,
    open_engine,
    stack_option,
    yes_option,
)
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.listening import Lines
from nodegx.cli.output import clean, json_document, line, plural, style
from nodegx.cli.reviews import changing


@click.command(cls=Command)
@stack_option
@local_option
@click.option("--unlock", is_flag=True, help="Take over from whoever deploys, or was cut off.")
@click.option("--remove-stack", is_flag=True, help="Forget the stack, too; its file stays.")
@yes_option
@pass_state
def destroy(
    state: State,
    stack: str | None,
    local: bool,
    unlock: bool,
    remove_stack: bool,
    yes: bool,
) -> int:
    """Take a deployment down, with all that it holds.

    Every resource goes, with all executions and data in it.

    Production keeps what holds data: set `production` to false and deploy first, if it may go.
    """
    from nodegx.providers.aws import operations, preflight
    from nodegx.providers.aws.destruction import protected, stateful
    from nodegx.providers.aws.prepare import write_program

    deployment = open_deployment(state, local_stack(state, stack, local=local))
    preflight.check_credentials(deployment)
    if not (deployment.home / "Pulumi.yaml").is_file():
        write_program(deployment.project)
    engine = open_engine(deployment)
    engine.check()
    if not operations.is_known(engine, deployment.stack):
        raise deployment.nothing()
    preflight.check_place(deployment, engine.outputs(deployment.stack))
    resources = engine.resources(deployment.stack)
    if not any(each.get("custom") for each in resources):
        raise deployment.nothing()
    if kept := protected(resources):
        listed = ", ".join(kept[:6]) + (f" and {len(kept) - 6} more" if len(kept) > 6 else "")
        raise CliError(
            f"{deployment.stack} is for production, and {plural(len(kept), 'resource')} with data "
            f"are protected: {listed}",
            ExitCode.ENVIRONMENT,
            hint=f"if they may go: nodegx stacks config set production false --stack "
            f"{deployment.stack}, then nodegx deploy, then this again",
        )
    if not yes and not deployment.is_local:
        _confirm(deployment.stack, [each for each in resources if each.get("custom")], stateful)
    shown = Lines(quiet=state.json)
    outcome = operations.run(
        engine,
        "destroy",
        deployment.stack,
        unlock=unlock,
        on_step=shown.step,
        on_message=shown.message,
    )
    if deployment.is_local:
        from nodegx.providers.aws.local import stop

        stop(deployment.project.root)
    elif remove_stack:
        engine.remove(deployment.stack)
    gone = len(changing(outcome.steps))
    if state.json:
        json_document({"stack": deployment.stack, "deleted": gone, "forgotten": remove_stack})
    else:
        line(f"{style('✓', 'green')} {plural(gone, 'resource')} of {deployment.stack} deleted")
    return ExitCode.OK


def _confirm(stack: str, resources: list[Any], stateful: Callable[[list[Any]], list[str]]) -> None:
    """Goes on only if somebody writes the stack's name."""
    if not sys.stdin.isatty():
        raise CliError(
            "nobody is there to confirm", ExitCode.USAGE, hint="--yes goes on without asking"
        )
    line(
        f"{plural(len(resources), 'resource')} of {style(stack, bold=True)} will be deleted",
        err=True,
    )
    for name in stateful(resources):
        line(f"{style('!', 'yellow')} {clean(name)}: its data is lost", err=True)
    answer: str = click.prompt("write the stack's name to go on", err=True)
    if answer != stack:
        raise click.Abort
