"""Binds a compiled workflow to whatever invokes its Lambda function.

The compiler writes an `entry.py` per workflow that calls one of these for each trigger, so that
nothing has to be guessed from the shape of an event:

    handler = http(process_order, "order", {"method": "POST", "path": "/orders"})

A workflow with several triggers uses `bound`, which tells them apart by marks only: our own in
payloads that the infrastructure shapes, the source's ARN, or the route key of an HTTP API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nodegx.runtime.errors import NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import Status
from nodegx.runtime.triggers.inputs import coerce
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from . import events
from .environment import Environment
from .host import AwsHost

Payload = Mapping[str, Any]
Handler = Callable[[Any, Any], Any]

_shared_loop: asyncio.AbstractEventLoop | None = None


class Adapter:
    """A trigger's handler: called by Lambda with an event and a context.

    Args:
        workflow: the compiled workflow.
        node: id of the trigger node.
        type: its type.
        takes: tells whether an event is for this trigger; used where a workflow has several.
    """

    def __init__(
        self, workflow: Workflow, node: str, type: str, takes: Callable[[Payload], bool]
    ) -> None:
        self.workflow = workflow
        self.node = node
        self.type = type
        self.takes = takes
        self.host = AwsHost(Environment.read(), timeout=workflow.settings.timeout)

    def __call__(self, event: Payload, context: Any) -> Any:
        """Handles one invocation."""
        return _loop().run_until_complete(self.handle(event))

    async def handle(self, event: Payload) -> Any:
        """Handles one event; each kind of trigger has its own way."""
        raise NotImplementedError

    async def run(
        self, value: Any, *, id: str | None = None, parent: str | None = None, depth: int = 0
    ) -> Execution:
        """Runs the workflow to its end."""
        trigger = Trigger(self.node, self.type, value)
        execution = Execution(self.workflow, trigger, self.host, id=id, parent=parent, depth=depth)
        await execution.start()
        await execution.finish()
        return execution


class Http(Adapter):
    """HTTP API (payload format 2.0) through Mangum over the runtime's own ASGI application. What
    a workflow does after its answer is done before the function returns, because Lambda freezes
    the process then."""

    def __init__(
        self, workflow: Workflow, node: str, type: str, config: Payload, responds: bool
    ) -> None:
        super().__init__(workflow, node, type, lambda event: "routeKey" in event)
        from mangum import Mangum
        from nodegx.runtime.triggers.route import Route, build
        from nodegx.runtime.triggers.webhook import WebhookApp

        route = build(workflow.name, node, type, config, self.host.secrets, responds=responds)
        under_way: list[Execution] = []

        async def start(route: Route, request: Any) -> Execution:
            execution = Execution(self.workflow, Trigger(node, type, request), self.host)
            await execution.start()
            under_way.append(execution)
            return execution

        webhook = WebhookApp([route], start)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await webhook(scope, receive, send)
            while under_way:
                await under_way.pop().finish()

        _loop()
        self._mangum: Handler = Mangum(app, lifespan="off")  # type: ignore[arg-type]

    def __call__(self, event: Payload, context: Any) -> Any:
        """Answers one request."""
        return self._mangum(event, context)


class Single(Adapter):
    """Sources that send one event and take no answer. A failed run fails the invocation, so that
    the source's retries and dead letters apply."""

    def __init__(
        self,
        workflow: Workflow,
        node: str,
        type: str,
        takes: Callable[[Payload], bool],
        read: Callable[[Payload], events.Value],
    ) -> None:
        super().__init__(workflow, node, type, takes)
        self._read = read

    async def handle(self, event: Payload) -> Any:
        """Runs the workflow once; raises if it failed."""
        execution = await self.run(self._read(event)[1], depth=events.event_depth(event))
        _raise_failure(execution)
        return {"execution": execution.id}


class Batch(Adapter):
    """Sources that send records in batches and take a list of those that failed. Each record is an
    execution of its own; records of a stream go one after another, others side by side."""

    def __init__(
        self,
        workflow: Workflow,
        node: str,
        type: str,
        takes: Callable[[Payload], bool],
        read: Callable[[Payload], Iterable[events.Value]],
        *,
        ordered: bool,
        reports: bool,
    ) -> None:
        super().__init__(workflow, node, type, takes)
        self._read = read
        self._ordered = ordered
        self._reports = reports

    async def handle(self, event: Payload) -> Any:
        """Runs the workflow once a record; returns the failed ones where the source asks."""
        records = list(self._read(event))
        failed: list[str] = []
        if self._ordered:
            for identifier, value in records:
                if not await self._succeeds(value):
                    # What follows in the shard must wait for this one.
                    failed.append(identifier)
                    break
        else:
            ends = await asyncio.gather(*(self._succeeds(value) for _, value in records))
            failed = [
                identifier for (identifier, _), good in zip(records, ends, strict=True) if not good
            ]
        if failed and not self._reports:
            raise NodegxError(f"{len(failed)} of {len(records)} records failed", code="batch")
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    async def _succeeds(self, value: Any) -> bool:
        execution = await self.run(value)
        return execution.record.status == Status.SUCCESS


class Manual(Adapter):
    """Direct invocations: `workflow.call`, a failure workflow, the command line."""

    def __init__(self, workflow: Workflow, node: str, config: Payload) -> None:
        super().__init__(
            workflow, node, "trigger.manual", lambda event: "call" in event.get("nodegx", {})
        )
        self._inputs = config.get("inputs") or ()

    async def handle(self, event: Payload) -> Any:
        """Runs the workflow and returns how it ended."""
        call: dict[str, Any] = event.get("nodegx", {}).get("call") or {}
        try:
            value = coerce(self._inputs, event.get("input"))
        except NodegxError as error:
            info = {"message": error.message, "code": error.code, "category": "fatal"}
            return {"status": "error", "output": None, "error": info, "execution": None}
        execution = await self.run(
            value,
            id=call.get("execution"),
            parent=call.get("parent"),
            depth=int(call.get("depth", 0)),
        )
        answer, failure = execution.answer, execution.failure
        return {
            "status": execution.record.status.value,
            "output": answer.body if answer is not None else None,
            "error": failure._asdict() if failure is not None else None,
            "execution": execution.id,
        }


# --- what the compiler writes ------------------------------------------------------------------


def http(
    workflow: Workflow,
    node: str,
    config: Payload,
    *,
    type: str = "trigger.webhook",
    responds: bool = True,
) -> Adapter:
    """For `trigger.webhook` and `cloud.request`."""
    return Http(workflow, node, type, config, responds)


def schedule(workflow: Workflow, node: str) -> Adapter:
    """For `trigger.schedule`."""
    return Single(workflow, node, "trigger.schedule", _marked(node), events.schedule)


def event(workflow: Workflow, node: str) -> Adapter:
    """For `trigger.event`."""
    return Single(workflow, node, "trigger.event", _marked(node), events.bus_event)


def queue(workflow: Workflow, node: str) -> Adapter:
    """For `trigger.queue`: SQS with partial batch failures."""
    return Batch(
        workflow,
        node,
        "trigger.queue",
        _from("aws:sqs"),
        events.queue_messages,
        ordered=False,
        reports=True,
    )


def record(workflow: Workflow, node: str) -> Adapter:
    """For `trigger.record`: a DynamoDB stream with partial batch failures."""
    return Batch(
        workflow,
        node,
        "trigger.record",
        _from("aws:dynamodb"),
        events.record_changes,
        ordered=True,
        reports=True,
    )


def file(workflow: Workflow, node: str) -> Adapter:
    """For `trigger.file`: notifications of an S3 bucket."""
    return Batch(
        workflow,
        node,
        "trigger.file",
        lambda event: any(
            record.get("s3", {}).get("configurationId") == node
            for record in event.get("Records", ())
        ),
        events.file_events,
        ordered=False,
        reports=False,
    )


def manual(workflow: Workflow, node: str, config: Payload | None = None) -> Adapter:
    """For `trigger.manual`."""
    return Manual(workflow, node, config or {})


def bound(*adapters: Adapter) -> Handler:
    """One handler for several triggers.

    Raises:
        NodegxError: (when called) an event is for none of them.
    """

    def handler(event: Payload, context: Any) -> Any:
        for adapter in adapters:
            if adapter.takes(event):
                return adapter(event, context)
        raise NodegxError(
            f"No trigger takes this event; its keys are {sorted(event)}", code="event.unknown"
        )

    return handler


def _marked(node: str) -> Callable[[Payload], bool]:
    return lambda event: event.get("nodegx", {}).get("trigger") == node


def _from(source: str) -> Callable[[Payload], bool]:
    return lambda event: any(
        record.get("eventSource") == source for record in event.get("Records", ())
    )


def _raise_failure(execution: Execution) -> None:
    failure = execution.failure
    if execution.record.status != Status.SUCCESS:
        reason = failure.message if failure is not None else execution.record.status.value
        raise NodegxError(
            f"{execution.workflow.name} failed: {reason}",
            code=failure.code if failure is not None else "error",
            details={"execution": execution.id},
        )


def _loop() -> asyncio.AbstractEventLoop:
    """The process's loop: one for all invocations, so that what lives between them can stay."""
    global _shared_loop
    if _shared_loop is None:
        _shared_loop = asyncio.new_event_loop()
        asyncio.set_event_loop(_shared_loop)
    return _shared_loop


__all__ = [
    "bound",
    "event",
    "file",
    "http",
    "manual",
    "queue",
    "record",
    "schedule",
]
