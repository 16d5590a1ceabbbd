"""The waits that requests to resume URLs end, of executions here and on other hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.tokens import answer_key
from nodegx.runtime.triggers.resume import Pending
from nodegx.runtime.triggers.resume_state import standing

if TYPE_CHECKING:
    from .durable import DurableRuns


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
        active = runs.host.active.get(execution)
        waits = active.parking.waits if isinstance(active, DurableExecution) else None
        state, spec = standing(kept, step, waits)
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
