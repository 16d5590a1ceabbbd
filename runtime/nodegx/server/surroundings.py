"""The host of durable executions inside a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nodegx.runtime.durable.outcome import outcome_of
from nodegx.runtime.durable.store import RunQuery
from nodegx.runtime.durable.writer import RunWriter
from nodegx.runtime.errors import FatalError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.store import HistoryStore
from nodegx.runtime.host import HistorySink

if TYPE_CHECKING:
    from .host import ServerHost

Delivered = Callable[[str, str, str], None]
"""Told of an answer: the execution, the key of its wait, the text."""


class Surroundings:
    """The host of durable executions: the server's, and what they need besides."""

    def __init__(
        self,
        host: ServerHost,
        runs: RunWriter,
        hold: float,
        delivered: Delivered,
        over: HistoryStore | None,
    ) -> None:
        self._host = host
        self._delivered = delivered
        self._over = over
        self.runs = runs
        self.hold = hold

    @property
    def vars(self) -> Mapping[str, Any]:
        """The project's variables."""
        return self._host.vars

    @property
    def env(self) -> Mapping[str, str]:
        """Environment variables that workflows may read."""
        return self._host.env

    @property
    def secrets(self) -> Mapping[str, str]:
        """Secrets by name."""
        return self._host.secrets

    @property
    def history(self) -> HistorySink | None:
        """Where executions are recorded."""
        return self._host.history

    @property
    def url(self) -> str:
        """How the world reaches the server."""
        return self._host.url

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        """Runs another workflow."""
        return await self._host.call(workflow, payload, parent=parent, depth=depth, wait=wait)

    async def emit(self, event: str, payload: Any, *, source: str, depth: int) -> str:
        """Publishes an internal event."""
        return await self._host.emit(event, payload, source=source, depth=depth)

    def links(self, execution: str) -> Mapping[str, str]:
        """Where people look at an execution."""
        return self._host.links(execution)

    async def call_once(
        self, workflow: str, payload: Any, *, id: str, parent: str, step: str | None, depth: int
    ) -> Mapping[str, Any] | None:
        """Runs another workflow, unless it runs already, or has; see `DurableHost.call_once`."""
        loaded, value = self._host.callee(workflow, payload)
        durable = loaded.workflow.settings.durable
        if durable and await self.runs.do(self._is_known, id):
            return None
        execution = await self._host.start_manual(
            loaded, value, id=id, parent=parent, parent_step=step if durable else None, depth=depth
        )
        if step is None:
            return {}
        record = await execution.finish()
        if record.status.ended:
            return outcome_of(execution)
        if not isinstance(execution, Execution):
            message = f"{workflow} was started with this idempotency key before, and goes on"
            raise FatalError(message, code="idempotency.conflict")
        return None

    def _is_known(self, id: str) -> bool:
        """Whether an execution has been begun; by now it may be over."""
        if self.runs.store.list(RunQuery(ids=(id,))):
            return True
        return self._over is not None and self._over.get(id) is not None

    async def answered(self, execution: str, key: str, value: str) -> bool:
        """Keeps the answer to a wait of an execution, here or elsewhere. False if it has one."""
        taken = await self.runs.do(self.runs.store.answer, execution, key, value)
        if taken:
            self._delivered(execution, key, value)
        return taken
