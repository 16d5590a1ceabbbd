"""Binds a compiled workflow to whatever invokes its Lambda function.

The compiler writes an `entry.py` for each workflow that calls one of these for each trigger, so
that nothing has to be guessed from the shape of an event:

    handler = http(process_order, "order", {"method": "POST", "path": "/orders"})

A workflow with several triggers uses `bound`, which tells them apart by marks only: our own in
payloads that the infrastructure shapes, the source's ARN, or the route key of an HTTP API.

Adapters are imported by those who need them: every import costs time in each cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nodegx.runtime.workflow import Workflow

from .adapter import Adapter, Handler, Payload, mark_of, unknown

if TYPE_CHECKING:
    from .http import Http


def http(
    workflow: Workflow, node: str, config: Payload | None = None, *, responds: bool = True
) -> Adapter:
    """For `trigger.webhook`. `responds` tells whether the workflow has a response node."""
    from .http import Http

    return Http(workflow, node, "trigger.webhook", config, responds)


def request(
    workflow: Workflow, node: str, config: Payload | None = None, *, responds: bool = True
) -> Adapter:
    """For `cloud.request`. `responds` tells whether the workflow has a response node."""
    from .http import Http

    return Http(workflow, node, "cloud.request", config, responds)


def schedule(workflow: Workflow, node: str, config: Payload | None = None) -> Adapter:
    """For `trigger.schedule`."""
    from . import sources
    from .single import Single

    zone = (config or {}).get("timezone") or workflow.settings.timezone
    return Single(workflow, node, "trigger.schedule", config, sources.schedule(zone))


def event(workflow: Workflow, node: str, config: Payload | None = None) -> Adapter:
    """For `trigger.event`."""
    from . import sources
    from .single import Single

    return Single(workflow, node, "trigger.event", config, sources.bus_event(config or {}))


def queue(workflow: Workflow, node: str, config: Payload | None = None) -> Adapter:
    """For `trigger.queue`: SQS with partial batch failures."""
    from . import sources
    from .batch import Batch

    return Batch(workflow, node, "trigger.queue", config, "aws:sqs", sources.queue_messages)


def record(workflow: Workflow, node: str, config: Payload | None = None) -> Adapter:
    """For `trigger.record`: a DynamoDB stream with partial batch failures."""
    from . import sources
    from .batch import Batch

    read = sources.record_changes(config or {})
    return Batch(workflow, node, "trigger.record", config, "aws:dynamodb", read)


def file(workflow: Workflow, node: str, config: Payload | None = None) -> Adapter:
    """For `trigger.file`: notifications of an S3 bucket."""
    from . import sources
    from .batch import Batch

    read = sources.file_events(config or {})
    return Batch(workflow, node, "trigger.file", config, "aws:s3", read, reports=False)


def manual(workflow: Workflow, node: str, config: Payload | None = None) -> Adapter:
    """For `trigger.manual`."""
    from .single import Manual

    return Manual(workflow, node, config)


def callee(*adapters: Adapter) -> Adapter:
    """The trigger that other workflows start."""
    return next((each for each in adapters if each.type == "trigger.manual"), adapters[0])


def bound(*adapters: Adapter) -> Handler:
    """One handler for the several triggers of a workflow.

    Raises:
        NodegxError: (when called) an event is for none of them.
    """
    named = {adapter.node: adapter for adapter in adapters}
    called = callee(*adapters)
    web = [each for each in adapters if each.type in ("trigger.webhook", "cloud.request")]
    for other in web[1:]:
        # One of them answers for all, as a preflight does not tell whom it is for.
        cast("Http", web[0]).join(cast("Http", other))

    def handler(event: Any, context: Any) -> Any:
        mark = mark_of(event)
        adapter = named.get(mark.get("trigger") or "")
        if adapter is None and "call" in mark and mark.get("trigger") is None:
            adapter = called
        if adapter is None and not mark:
            adapter = next((each for each in adapters if each.accepts(event)), None)
        if adapter is None:
            raise unknown(f"No trigger takes this event; its keys are {sorted(event)}")
        return adapter(event, context)

    return handler


__all__ = [
    "bound",
    "event",
    "file",
    "http",
    "manual",
    "queue",
    "record",
    "request",
    "schedule",
]
