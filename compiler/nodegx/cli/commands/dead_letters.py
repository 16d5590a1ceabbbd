"""`nodegx dead-letters`: failed executions, until somebody has dealt with them."""

from __future__ import annotations

from typing import Any

import click
from nodegx.cli.base import Group, State, pass_state
from nodegx.cli.selecting import filters
from nodegx.runtime.durable.state import RunStatus

from . import executions


@click.group("dead-letters", cls=Group)
def dead_letters() -> None:
    """Deal with failed executions.

    An execution that fails is kept with all that it takes to go on or start anew, until it is
    redriven, retried, resumed or discarded; see `nodegx executions`, which does the same to
    executions of any status.
    """


@dead_letters.command("list")
@filters((RunStatus.FAILED,))
@executions.listing
@pass_state
def list_(state: State, **options: Any) -> int:
    """List failed executions, the first first."""
    return executions.show_list(state, statuses=(RunStatus.FAILED.value,), **options)


for _command in (
    executions.show,
    executions.redrive,
    executions.retry,
    executions.resume,
    executions.discard,
):
    dead_letters.add_command(_command)
