"""What a run sends to other functions and to the event bus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nodegx.runtime.errors import FatalError, NodegxError
from nodegx.runtime.history.plain import plain
from nodegx.runtime.ids import new_id
from nodegx.runtime.run import MAX_CALL_DEPTH
from nodegx.runtime.values import MAX_TEXT, weight

if TYPE_CHECKING:
    from .host import AwsHost

EVENT_SOURCE = "nodegx"
LONGEST = 900.0
"""Seconds that an invocation of another function may take."""
MAX_ASYNC = 1_000_000
"""Bytes that Lambda takes for an invocation that is not waited for, with some room."""


async def call(
    host: AwsHost, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
) -> Any:
    """Invokes another workflow's function.

    Raises:
        FatalError: see `invoke`. Code `call.waits`; it will not have ended for long, and only
            durable workflows can wait for that.
        NodegxError: code `call.failed`; it failed.
        AwsError: it could not be invoked.
    """
    execution = new_id()
    mark = {"parent": parent, "depth": depth, "execution": execution}
    result = await invoke(host, workflow, payload, mark, wait=wait)
    if result is None:
        return {"execution": execution}
    if result.get("status") == "waiting":
        message = f"{workflow} waits for longer than this workflow can; make this one durable"
        raise FatalError(message, code="call.waits", details={"execution": execution})
    if result.get("status") != "success":
        info: dict[str, Any] = result.get("error") or {}
        raise NodegxError(
            f"{workflow} failed: {info.get('message') or result.get('status')}",
            code="call.failed",
            retriable=info.get("category") == "retriable",
            details={"execution": result.get("execution"), "code": info.get("code")},
        )
    return result.get("output")


async def invoke(
    host: AwsHost, workflow: str, payload: Any, call: Mapping[str, Any], *, wait: bool
) -> dict[str, Any] | None:
    """Invokes another workflow's function.

    Args:
        host: the function's host.
        workflow: its name.
        payload: its input.
        call: the mark that tells who calls; see `direct.called`.
        wait: whether to wait for the end.

    Returns:
        How it ended, as `direct.called` has it; None if that was not waited for.

    Raises:
        FatalError: see `address`; also where the payload has more than `MAX_ASYNC` bytes and the
            end is not waited for.
        NodegxError: code `call.failed`; the function failed outside of the workflow.
        AwsError: it could not be invoked.
    """
    arn = address(host, workflow, payload)
    body = json.dumps({"nodegx": {"call": call}, "input": plain(payload)}).encode()
    if not wait and len(body) > MAX_ASYNC:
        message = f"The input of a call that is not waited for may have {MAX_ASYNC:,} bytes"
        raise FatalError(message, code="call.size")
    answer = await host.threads.run(
        host.client("lambda").request,
        "POST",
        f"/2015-03-31/functions/{quote(arn, safe='')}/invocations",
        body=body,
        headers={"X-Amz-Invocation-Type": "RequestResponse" if wait else "Event"},
        timeout=LONGEST if wait else None,
        repeatable=False,
    )
    if not wait:
        return None
    result: dict[str, Any] = json.loads(answer.body or b"{}")
    if "x-amz-function-error" in answer.headers:
        reason = result.get("errorMessage")
        raise NodegxError(f"{workflow} failed: {reason}", code="call.failed", retriable=True)
    return result


def address(host: AwsHost, workflow: str, payload: Any) -> str:
    """The ARN by which a workflow is called.

    Raises:
        FatalError: code `call.unknown`; this function may not call it. Code `call.size`; the
            payload has more than `MAX_TEXT` characters.
    """
    arn = host.environment.functions.get(workflow)
    if arn is None:
        raise FatalError(f"There is no workflow {workflow} to call", code="call.unknown")
    if weight(payload) > MAX_TEXT:
        message = f"The input of a call would have more than {MAX_TEXT:,} characters"
        raise FatalError(message, code="call.size")
    return arn


async def emit(host: AwsHost, event: str, payload: Any, *, source: str, depth: int) -> str:
    """Puts an event on the deployment's bus.

    Raises:
        FatalError: there is no bus, events lead to one another without end, or the data has more
            than `MAX_TEXT` characters.
        NodegxError: the bus refused it.
    """
    if depth > MAX_CALL_DEPTH:
        message = f"Events may lead to one another {MAX_CALL_DEPTH} times; {event} is one more"
        raise FatalError(message, code="emit.depth")
    bus = host.environment.event_bus
    if bus is None:
        raise FatalError("This deployment has no event bus", code="emit.bus")
    if weight(payload) > MAX_TEXT:
        message = f"The data of {event} would have more than {MAX_TEXT:,} characters"
        raise FatalError(message, code="emit.size")
    event_id = new_id()
    detail = {
        "name": event,
        "data": plain(payload),
        "id": event_id,
        "source": source,
        "depth": depth,
    }
    entry = {
        "EventBusName": bus,
        "Source": EVENT_SOURCE,
        "DetailType": event,
        "Detail": json.dumps(detail),
    }
    answer = await host.threads.run(host.client("events").call, "PutEvents", {"Entries": [entry]})
    if answer.get("FailedEntryCount"):
        failed = answer["Entries"][0]
        raise NodegxError(
            f"The event {event} was refused: {failed.get('ErrorMessage')}",
            code="emit.refused",
            retriable=failed.get("ErrorCode") in ("InternalFailure", "ThrottlingException"),
        )
    return event_id
