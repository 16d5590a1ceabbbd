"""Triggers whose source sends one event at a time and takes no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nodegx.runtime.errors import NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import Status
from nodegx.runtime.workflow import Workflow

from .adapter import Adapter, Payload, is_taken
from .sources import Occurrence

if TYPE_CHECKING:
    from nodegx.runtime.idempotency.starts import Repeat

    from .context import Context

Read = Callable[[Payload], Occurrence | None]


class Single(Adapter):
    """Runs the workflow once for each event. A failed run fails the invocation, so that the
    source's retries and dead letters apply.

    Args:
        workflow: the compiled workflow.
        node: id of the trigger node.
        type: its type.
        config: its parameters, as the manifest has them.
        read: makes an event the trigger's value; None for one that its filter leaves out.
    """

    def __init__(
        self, workflow: Workflow, node: str, type: str, config: Payload | None, read: Read
    ) -> None:
        super().__init__(workflow, node, type, config)
        self._read = read

    async def handle(self, event: Payload) -> Any:
        """Runs the workflow; raises if it failed."""
        found = self._read(event)
        if found is None:
            return {"execution": None}
        execution = await self.accept(found.value, depth=found.depth)
        if not is_taken(execution.record):
            raise failed(execution)
        return {"execution": execution.id}


class Manual(Adapter):
    """`trigger.manual`: direct invocations by `workflow.call`, for failures, by the command line.
    Where it is a function's only trigger, a payload without our marks is taken as its input."""

    def __init__(self, workflow: Workflow, node: str, config: Payload | None) -> None:
        super().__init__(workflow, node, "trigger.manual", config)

    def serve(self, event: Any, context: Context | None) -> Any:
        """Runs the workflow and returns how it ended."""
        return self._await(self.called(event, {}))


def failed(execution: Execution | Repeat) -> NodegxError:
    """The error that tells a source of a run that did not succeed, or is still under way."""
    failure = execution.failure
    status = execution.record.status
    reason = status.value if failure is None else failure.message
    if status is Status.RUNNING:
        reason = "an execution with this idempotency key is under way"
    return NodegxError(
        f"{execution.record.workflow} failed: {reason}",
        code="error" if failure is None else failure.code,
        retriable=failure is not None and failure.category == "retriable",
        details={"execution": execution.id},
    )
