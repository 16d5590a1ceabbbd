"""Whether the journal of an execution fits other code than it was written by: a pass of the handler
that does nothing, and ends where something new would happen."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

from nodegx.runtime import logs
from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.history.record import Status
from nodegx.runtime.workflow import Workflow

from .execution import DurableExecution
from .resumption import Resumption
from .state import Entry, RunState
from .store import Change, Kept
from .suspension import Suspended


async def check(workflow: Workflow, kept: Kept, secrets: Mapping[str, str]) -> str | None:
    """What keeps an execution from going on with a workflow; None if nothing does.

    Args:
        workflow: the code it would go on with.
        kept: what there is of it.
        secrets: all secrets by name; its journal refers to them.

    Raises:
        FatalError: what is kept cannot be read.
    """
    execution = Resumption(workflow, kept, _Nowhere(secrets)).durable(
        log=logs.Log("error", io.StringIO()), kind=_Rehearsal
    )
    await execution.start()
    await execution.finish()
    if execution.failure is not None and execution.failure.code == "journal.mismatch":
        return execution.failure.message
    left = execution.journal.unreached()
    if left is not None:
        return f"The code does not come to `{left}`, which the journal has"
    return None


class _Rehearsal(DurableExecution):
    """A pass that ends at the first step that no earlier one has done."""

    rehearses = True

    async def _append(self, entries: list[Entry]) -> None:
        del entries
        self.parking.suspended = True
        raise Suspended

    async def _report(self, status: Status, info: ErrorInfo | None) -> None:
        """Nothing has happened."""


class _Nowhere:
    """Surroundings in which nothing can happen."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.vars: Mapping[str, Any] = {}
        self.env: Mapping[str, str] = {}
        self.secrets = secrets
        self.history = None
        self.hold = math.inf
        self.url = ""
        self.runs = self

    def links(self, execution: str) -> Mapping[str, str]:
        raise NotImplementedError(execution)

    async def create(self, state: RunState) -> bool:
        raise NotImplementedError(state.id)

    async def change(self, change: Change) -> bool:
        raise NotImplementedError(change.id)

    async def call(self, workflow: str, payload: Any, **_: Any) -> Any:
        raise NotImplementedError(workflow)

    async def call_once(self, workflow: str, payload: Any, **_: Any) -> Mapping[str, Any] | None:
        raise NotImplementedError(workflow)

    async def emit(self, event: str, payload: Any, **_: Any) -> str:
        raise NotImplementedError(event)

    async def answered(self, execution: str, key: str, value: str) -> bool:
        raise NotImplementedError(key)
