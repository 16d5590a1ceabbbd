"""The smallest host: everything in one process, without servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from .errors import ErrorInfo, FatalError, NodegxError
from .execution import Execution
from .history.record import ExecutionRecord, Status
from .host import HistorySink
from .ids import new_id
from .values import Reply, Trigger
from .workflow import Workflow

Publish = Callable[[str, Any, str, str, int], Awaitable[None]]


class LocalHost:
    """Runs workflows of one process for one another.

    Args:
        workflows: by their full names; may change while the host is in use.
        manual: finds the `trigger.manual` of a workflow: its node id, or None where it has none.
        vars: the project's variables.
        env: environment variables that workflows may read.
        secrets: secrets by name.
        history: where executions are recorded.
        publish: delivers internal events: (name, data, event id, source execution, depth).
    """

    def __init__(
        self,
        workflows: Mapping[str, Workflow] | None = None,
        *,
        manual: Callable[[str], str | None] = lambda _: "start",
        vars: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        history: HistorySink | None = None,
        publish: Publish | None = None,
    ) -> None:
        self.workflows: Mapping[str, Workflow] = {} if workflows is None else workflows
        self.vars: Mapping[str, Any] = vars or {}
        self.env: Mapping[str, str] = env or {}
        self.secrets: Mapping[str, str] = secrets or {}
        self.history = history
        self._manual = manual
        self._publish = publish
        self._running: set[asyncio.Task[Any]] = set()

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        """Runs another workflow.

        Raises:
            FatalError: code `call.unknown`; there is none of that name, or it cannot be called.
            NodegxError: code `call.failed`; it failed.
        """
        callee = self.workflows.get(workflow)
        node = self._manual(workflow) if callee is not None else None
        if callee is None or node is None:
            raise FatalError(f"There is no workflow {workflow} to call", code="call.unknown")
        trigger = Trigger(node, "trigger.manual", payload)
        execution = Execution(callee, trigger, self, parent=parent, depth=depth)
        await execution.start()
        if not wait:
            self._keep(asyncio.ensure_future(execution.finish()))
            return {"execution": execution.id}
        return await result_of(execution)

    async def emit(self, event: str, payload: Any, *, source: str, depth: int) -> str:
        """Publishes an internal event."""
        event_id = new_id()
        if self._publish is not None:
            await self._publish(event, payload, event_id, source, depth)
        return event_id

    def links(self, execution: str) -> Mapping[str, str]:
        """This host shows nothing."""
        del execution
        return {}

    async def drain(self) -> None:
        """Waits until all executions that nobody waits for have ended."""
        while self._running:
            await asyncio.wait(self._running)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._running.add(task)
        task.add_done_callback(self._running.discard)


class Called(Protocol):
    """An execution, as far as its callers ask."""

    @property
    def id(self) -> str: ...
    @property
    def record(self) -> ExecutionRecord: ...
    @property
    def answer(self) -> Reply | None: ...
    @property
    def failure(self) -> ErrorInfo | None: ...

    async def finish(self) -> ExecutionRecord:
        """Waits for its end."""
        ...

    def cancel(self, reason: str = ..., /) -> None:
        """Ends it early."""
        ...


async def result_of(execution: Called) -> Any:
    """Waits for a called execution and returns the body of its answer, or None if it gave none.
    Cancels it if the caller is cancelled.

    Raises:
        NodegxError: code `call.failed`; it failed, was cancelled or took too long.
    """
    try:
        record = await execution.finish()
    except asyncio.CancelledError:
        execution.cancel("The calling execution was cancelled")
        await execution.finish()
        raise
    if record.status != Status.SUCCESS:
        raise _failed_call(execution, record)
    reply = execution.answer
    return None if reply is None else reply.body


def _failed_call(execution: Called, record: ExecutionRecord) -> NodegxError:
    info = execution.failure
    reason = info.message if info is not None else record.status.value
    return NodegxError(
        f"{record.workflow} failed: {reason}",
        code="call.failed",
        retriable=info is not None and info.category == "retriable",
        details={"execution": record.id, "code": info.code if info is not None else None},
    )
