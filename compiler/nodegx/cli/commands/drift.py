"""`nodegx drift`: what others changed in the cloud."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import make_stack, open_deployment, open_engine, stack_option
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import clean, json_document, line, plural, style

if TYPE_CHECKING:
    from nodegx.providers.aws.drift import Drift

LONGEST = 60


@click.command(cls=Command)
@stack_option
@pass_state
def drift(state: State, stack: str | None) -> int:
    """Show what others changed in the cloud.

    Compares with the last deployment, and changes nothing. The exit code is 1 if anything differs; `nodegx deploy --refresh` brings it
    back.
    """
    from nodegx.providers.aws import operations, preflight
    from nodegx.providers.aws.drift import drifts
    from nodegx.providers.aws.prepare import write_program

    deployment = open_deployment(state, stack)
    preflight.check_credentials(deployment)
    if not (deployment.home / "Pulumi.yaml").is_file():
        write_program(deployment.project)
    engine = open_engine(deployment)
    engine.check()
    make_stack(engine, deployment.stack, state)
    preflight.check_place(deployment, engine.outputs(deployment.stack))
    found = drifts(operations.run(engine, "drift", deployment.stack))
    if state.json:
        json_document([asdict(each) for each in found])
    elif not found:
        line(f"{style('✓', 'green')} {deployment.stack} is as it was deployed")
    else:
        _show(found)
    return ExitCode.FAILURE if found else ExitCode.OK


def _show(found: list[Drift]) -> None:
    for workflow, group in groupby(found, key=lambda each: each.workflow):
        line(style(clean(workflow) or "shared", bold=True))
        for each in group:
            mark = style("-", "red") if each.gone else style("~", "yellow")
            gone = "  is gone" if each.gone else ""
            line(f"{mark} {style(each.kind, dim=True)} {clean(each.id or each.name)}{gone}")
            for name, (deployed, there) in each.differences.items():
                line(f"    {name}: {_value(deployed)} → {style(_value(there), 'yellow')}")
    line(f"{plural(len(found), 'resource')} changed; `nodegx deploy --refresh` brings them back")


def _value(value: Any) -> str:
    text = clean(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
