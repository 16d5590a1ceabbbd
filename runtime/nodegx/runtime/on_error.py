"""Calls the workflow that a workflow names for its failures."""

from __future__ import annotations

from typing import Any, NamedTuple

from .errors import ErrorInfo
from .history.plain import plain
from .host import Host
from .run import MAX_CALL_DEPTH
from .workflow import Workflow


class Failed(NamedTuple):
    """An execution that has failed.

    Args:
        id: its id.
        workflow: its code.
        error: why it failed.
        trigger: the value that it was started with.
        depth: how deep calls were nested.
    """

    id: str
    workflow: Workflow
    error: ErrorInfo
    trigger: Any
    depth: int


async def call_on_error(failed: Failed, host: Host) -> None:
    """Starts the workflow for failures, if there is one, and does not wait for it. A workflow is
    not called for failures of its own.

    Raises:
        Exception: it was not started.
    """
    target = failed.workflow.settings.on_error
    if target is None or target == failed.workflow.name or failed.depth >= MAX_CALL_DEPTH:
        return
    payload = {
        "workflow": failed.workflow.name,
        "execution": failed.id,
        "error": failed.error._asdict(),
        "trigger": plain(failed.trigger),
        "links": dict(host.links(failed.id)),
    }
    await host.call(target, payload, parent=failed.id, depth=failed.depth + 1, wait=False)
