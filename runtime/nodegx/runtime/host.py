"""What a run needs from the process around it.

The server, a Lambda function and a test each bring their own; a run knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .history.record import ExecutionRecord


class HistorySink(Protocol):
    """Where executions are written. Both calls return once the record is durable enough for the
    sink's promise: `started` so that a crash is visible, `finished` may be buffered."""

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps the start of an execution."""
        ...

    async def finished(self, record: ExecutionRecord) -> None:
        """Keeps the end of an execution, its steps included."""
        ...

    async def kept(self, record: ExecutionRecord) -> None:
        """As `finished`, but returns only once a crash cannot lose it any more."""
        ...


class Host(Protocol):
    """The surroundings of a run.

    `vars` are the project's variables, `env` the environment variables workflows may read,
    `secrets` resolves a secret when it is first read (KeyError where there is none).
    """

    @property
    def vars(self) -> Mapping[str, Any]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def secrets(self) -> Mapping[str, str]: ...
    @property
    def history(self) -> HistorySink | None: ...

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        """Runs another workflow's `trigger.manual` and returns what it answered.

        Args:
            workflow: the callee's name, such as `/#__cloud__/Charge`.
            payload: its input.
            parent: id of the calling execution.
            depth: how deep calls are nested already; hosts refuse runaway recursion.
            wait: False starts it and returns its execution id.
        """
        ...

    async def emit(self, event: str, payload: Any, *, source: str, depth: int) -> str:
        """Publishes an internal event and returns its id. `source` is the execution's id."""
        ...

    def links(self, execution: str) -> Mapping[str, str]:
        """Where people look at an execution, by what is there: for those who are told of its
        failure."""
        ...
