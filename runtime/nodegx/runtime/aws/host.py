"""The surroundings of a run inside a Lambda function."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nodegx.runtime.errors import FatalError, NodegxError
from nodegx.runtime.history.dynamodb_items import DynamoWriter
from nodegx.runtime.history.record import ExecutionRecord
from nodegx.runtime.host import HistorySink
from nodegx.runtime.ids import new_id
from nodegx.runtime.run import MAX_CALL_DEPTH

from .client import AwsClient
from .credentials import CredentialChain
from .environment import Environment
from .secrets import SecretsManager

EVENT_SOURCE = "nodegx"
GRACE = 5.0
"""Seconds a function may outlive its workflow's own limit."""


class DynamoSink:
    """Writes the history of this function's executions to DynamoDB.

    Args:
        writer: where to.
        timeout: seconds after which an execution that has not ended is known to have died.
    """

    def __init__(self, writer: DynamoWriter, timeout: float | None) -> None:
        self._writer = writer
        self._timeout = timeout

    async def started(self, record: ExecutionRecord) -> None:
        """Keeps a start."""
        deadline = None if self._timeout is None else record.started + self._timeout + GRACE
        await asyncio.to_thread(self._writer.put_started, record, deadline=deadline)

    async def finished(self, record: ExecutionRecord) -> None:
        """Keeps an end."""
        await asyncio.to_thread(self._writer.put_finished, record)


class AwsHost:
    """Lets a run call other functions, publish events and read secrets.

    Args:
        environment: the deployment.
        timeout: the workflow's time limit in seconds.
    """

    def __init__(self, environment: Environment, *, timeout: float | None = None) -> None:
        self.environment = environment
        self.vars: Mapping[str, Any] = environment.vars
        self.env: Mapping[str, str] = environment.env
        self._credentials = CredentialChain()
        self.secrets: Mapping[str, str] = SecretsManager(
            environment.secrets,
            self._client("secretsmanager") if environment.secrets else None,
        )
        self.history: HistorySink | None = None
        if environment.history_table:
            writer = DynamoWriter(
                environment.history_table,
                dynamodb=self._client("dynamodb"),
                s3=self._client("s3") if environment.bucket else None,
                bucket=environment.bucket,
                retention_days=environment.retention_days,
            )
            self.history = DynamoSink(writer, timeout)
        self._clients: dict[str, AwsClient] = {}

    def _client(self, service: str) -> AwsClient:
        return AwsClient(service, credentials=self._credentials)

    def _shared(self, service: str) -> AwsClient:
        if service not in self._clients:
            self._clients[service] = self._client(service)
        return self._clients[service]

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        """Invokes another workflow's function.

        Raises:
            FatalError: code `call.unknown`; this function may not call it.
            NodegxError: code `call.failed`; it failed.
        """
        arn = self.environment.functions.get(workflow)
        if arn is None:
            raise FatalError(f"There is no workflow {workflow} to call", code="call.unknown")
        execution = new_id()
        call = {"parent": parent, "depth": depth, "execution": execution}
        body = json.dumps({"nodegx": {"call": call}, "input": payload}).encode()
        answer = await asyncio.to_thread(
            self._shared("lambda").request,
            "POST",
            f"/2015-03-31/functions/{quote(arn, safe='')}/invocations",
            body=body,
            headers={"X-Amz-Invocation-Type": "RequestResponse" if wait else "Event"},
        )
        if not wait:
            return {"execution": execution}
        result: dict[str, Any] = json.loads(answer.body or b"{}")
        if "x-amz-function-error" in answer.headers:
            reason = result.get("errorMessage")
            raise NodegxError(f"{workflow} failed: {reason}", code="call.failed", retriable=True)
        if result.get("status") != "success":
            info: dict[str, Any] = result.get("error") or {}
            raise NodegxError(
                f"{workflow} failed: {info.get('message') or result.get('status')}",
                code="call.failed",
                retriable=info.get("category") == "retriable",
                details={"execution": result.get("execution"), "code": info.get("code")},
            )
        return result.get("output")

    async def emit(self, event: str, payload: Any, *, source: str, depth: int) -> str:
        """Puts an event on the deployment's bus.

        Raises:
            FatalError: there is no bus, or events lead to one another without end.
            NodegxError: the bus refused it.
        """
        if depth > MAX_CALL_DEPTH:
            message = f"Events may lead to one another {MAX_CALL_DEPTH} times; {event} is one more"
            raise FatalError(message, code="emit.depth")
        bus = self.environment.event_bus
        if bus is None:
            raise FatalError("This deployment has no event bus", code="emit.bus")
        event_id = new_id()
        detail = {
            "name": event,
            "data": payload,
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
        answer = await asyncio.to_thread(
            self._shared("events").call, "PutEvents", {"Entries": [entry]}
        )
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            raise NodegxError(
                f"The event {event} was refused: {failed.get('ErrorMessage')}",
                code="emit.refused",
                retriable=failed.get("ErrorCode") in ("InternalFailure", "ThrottlingException"),
            )
        return event_id
