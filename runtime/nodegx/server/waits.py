"""The waits that requests to resume URLs end, of executions here and on other hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.state import Entry, Wait
from nodegx.runtime.durable.tokens import answer_key
from nodegx.runtime.triggers.resume import Pending, WaitState

if TYPE_CHECKING:
    from .durable import DurableRuns

WEBHOOK = "webhook"


class ServerWaits:
    """Finds and ends waits; see `triggers.resume.Waits`.

    Args:
        runs: the server's durable executions.
    """

    def __init__(self, runs: DurableRuns) -> None:
        self._runs = runs

    async def find(self, execution: str, step: str) -> Pending | None:
        """See `Waits`."""
        runs = self._runs
        kept = await runs.writer.do(runs.store.load, execution)
        if kept is None:
            return None
        waits: Mapping[str, Wait] = {wait.key: wait for wait in kept.state.waits}
        active = runs.host.active.get(execution)
        if isinstance(active, DurableExecution):
            waits = active.parking.waits
        key = answer_key(step)
        state, spec = _stands({entry.key: entry for entry in kept.entries}, waits.get(key), step)
        return Pending(
            kept.state.secret,
            state,
            kept.state.workflow,
            spec,
            runs.host.secrets,
            self._label(kept.state.workflow, step),
        )

    async def answer(self, execution: str, step: str, value: str) -> bool:
        """See `Waits`."""
        return await self._runs.surroundings.answered(execution, answer_key(step), value)

    def _label(self, workflow: str, step: str) -> str:
        loaded = self._runs.host.registry.workflows.get(workflow)
        nodes: list[dict[str, Any]] = [] if loaded is None else loaded.manifest.get("nodes") or []
        node = step.partition("[")[0].partition("#")[0]
        return next((each.get("label") or "" for each in nodes if each["id"] == node), "")


def _stands(
    entries: Mapping[str, Entry], wait: Wait | None, step: str
) -> tuple[WaitState, dict[str, Any] | None]:
    """Where a wait stands, and what ends it."""
    if answer_key(step) in entries:
        return WaitState.ANSWERED, None
    if step in entries:
        return WaitState.OVER, None
    if wait is not None and wait.kind == WEBHOOK:
        return WaitState.WAITING, wait.spec
    return WaitState.EARLY, None
