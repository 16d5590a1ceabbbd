"""What all triggers of a function have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from nodegx.runtime.errors import NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .environment import Environment
from .host import AwsHost

if TYPE_CHECKING:
    from nodegx.runtime.idempotency.starts import Repeat

    from .context import Context

Payload = Mapping[str, Any]
Handler = Callable[[Any, Any], Any]
Make = Callable[..., Execution]
"""Makes an execution; takes what `Execution` takes."""
T = TypeVar("T")

WELL = frozenset({Status.SUCCESS, Status.WAITING})


def is_taken(record: ExecutionRecord) -> bool:
    """Whether the event that an execution was started by need not come again: it went well, or it
    is durable and is a dead letter of its own."""
    return record.status in WELL or record.durable


MARK = "nodegx"
"""Key of our own marks in payloads that the infrastructure, other functions and the command line
make: `trigger` is the id of a trigger, `call` is there for direct invocations."""


class Process:
    """What a function's process keeps between invocations: a host, an event loop."""

    _only: Process | None = None

    def __init__(self) -> None:
        self.host = AwsHost(Environment.read())
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)

    @classmethod
    def get(cls) -> Process:
        """The one of this process, made on first use."""
        if cls._only is None:
            cls._only = cls()
        return cls._only


class Adapter:
    """A trigger's handler: called by Lambda with an event and a context.

    Args:
        workflow: the compiled workflow.
        node: id of the trigger node.
        type: its type.
        config: its parameters, as the manifest has them.

    Attributes:
        make: makes the executions of this trigger, where they are of a kind of their own.
        make_answering: makes those whose caller waits for nothing but the answer.
    """

    def __init__(self, workflow: Workflow, node: str, type: str, config: Payload | None) -> None:
        process = Process.get()
        self.make: Make | None = None
        self.make_answering: Make | None = None
        self.workflow = workflow
        self.node = node
        self.type = type
        self.config: Payload = config or {}
        self.host = process.host
        self._loop = process.loop
        workflow.revision = workflow.revision or process.host.environment.revision

    def __call__(self, event: Any, context: Context | None) -> Any:
        """Handles one invocation.

        Raises:
            NodegxError: the event is for another trigger, or its run failed.
        """
        self.host.begin(context)
        mark = mark_of(event)
        if mark.get("trigger", self.node) not in (self.node, None):
            raise unknown(f"There is no trigger {mark['trigger']} here")
        if "call" in mark:
            if self.type != "trigger.manual" and mark.get("trigger") is None:
                raise unknown(f"{self.workflow.name} has no trigger.manual to call")
            return self._await(self.called(event.get("input"), mark["call"] or {}))
        return self.serve(event, context)

    def serve(self, event: Any, context: Context | None) -> Any:
        """Handles an event of this trigger's source."""
        return self._await(self.handle(event))

    def accepts(self, event: Payload) -> bool:
        """Whether an event without a mark comes from this trigger's source."""
        return False

    async def handle(self, event: Payload) -> Any:
        """Handles an event of this trigger's source; each kind of source has its own way."""
        raise NotImplementedError

    async def begin(self, trigger: Trigger, **options: Any) -> Execution:
        """Starts the workflow.

        Args:
            trigger: what starts it.
            options: further arguments of the `Execution`; `make` makes it, instead of `self.make`.

        Raises:
            AwsError: the history cannot be written.
        """
        host = self.host
        make: Make | None = options.pop("make", self.make)
        execution = (make or host.execution)(
            self.workflow, trigger, host, deadline=host.deadline, log=host.log, **options
        )
        await execution.start()
        return execution

    async def run(self, value: Any, **options: Any) -> Execution:
        """Runs the workflow to its end with a value of this trigger; see `begin`."""
        execution = await self.begin(Trigger(self.node, self.type, value), **options)
        await execution.finish()
        return execution

    async def accept(self, value: Any, **options: Any) -> Execution | Repeat:
        """As `run`, unless that was done before with the same idempotency key."""
        keys = self.host.idempotency
        if keys is None or self.node not in self.workflow.keys:
            return await self.run(value, **options)
        return await keys.accept(self, value, **options)

    async def called(self, input: Any, call: Payload) -> dict[str, Any]:
        """Runs the workflow for someone who invoked the function directly; see `direct`."""
        from .direct import called

        return await called(self, input, call)

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)


def mark_of(event: Any) -> Payload:
    """Our own marks in an event; empty where there are none.

    Raises:
        NodegxError: the event is no object.
    """
    if not isinstance(event, Mapping):
        raise unknown("An event must be an object")
    return cast("Payload", event).get(MARK) or {}


def unknown(message: str) -> NodegxError:
    """An event that no trigger of this function takes."""
    return NodegxError(message, code="event.unknown")
