"""The surroundings of a run inside a Lambda function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import time
from typing import Any, Protocol
from urllib.parse import quote

from nodegx.runtime.errors import FatalError, NodegxError
from nodegx.runtime.history.dynamodb_items import DynamoWriter
from nodegx.runtime.history.plain import plain
from nodegx.runtime.host import HistorySink
from nodegx.runtime.ids import new_id
from nodegx.runtime.run import MAX_CALL_DEPTH
from nodegx.runtime.threads import Threads

from .client import AwsClient
from .credentials import CredentialChain
from .environment import Environment
from .log import InvocationLog
from .secrets import SecretsManager
from .sink import DynamoSink

EVENT_SOURCE = "nodegx"
MARGIN = 0.5
"""Seconds before an invocation's end at which its runs are ended, so that this gets on record."""
LONGEST = 900.0
"""Seconds that an invocation of another function may take."""


class Context(Protocol):
    """What AWS Lambda tells about an invocation, as far as it matters here."""

    @property
    def aws_request_id(self) -> str: ...
    def get_remaining_time_in_millis(self) -> int: ...


class AwsHost:
    """Lets a run call other functions, publish events and read secrets. One for a process.

    Args:
        environment: the deployment.

    Attributes:
        deadline: when runs of the current invocation must have ended, in seconds since the epoch;
            None if there is no limit.
        log: where its log lines go.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.vars: Mapping[str, Any] = environment.vars
        self.env: Mapping[str, str] = environment.env
        self.log = InvocationLog(environment.log_level)
        self.deadline: float | None = None
        self._end: float | None = None
        self._credentials = CredentialChain()
        self._clients: dict[str, AwsClient] = {}
        self._threads = Threads("aws", 32)
        self.secrets: Mapping[str, str] = SecretsManager(
            environment.secrets, lambda: self._client("secretsmanager")
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
            self.history = DynamoSink(writer, lambda: self._end)

    def begin(self, context: Context | None) -> None:
        """An invocation begins; Lambda has one at a time in a process."""
        self.log.request = getattr(context, "aws_request_id", None)
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        self._end = None if remaining is None else time() + remaining() / 1000
        self.deadline = None if self._end is None else self._end - MARGIN

    def _client(self, service: str) -> AwsClient:
        if service not in self._clients:
            self._clients[service] = AwsClient(service, credentials=self._credentials)
        return self._clients[service]

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        """Invokes another workflow's function.

        Raises:
            FatalError: code `call.unknown`; this function may not call it.
            NodegxError: code `call.failed`; it failed.
            AwsError: it could not be invoked.
        """
        arn = self.environment.functions.get(workflow)
        if arn is None:
            raise FatalError(f"There is no workflow {workflow} to call", code="call.unknown")
        execution = new_id()
        call = {"parent": parent, "depth": depth, "execution": execution}
        body = json.dumps({"nodegx": {"call": call}, "input": plain(payload)}).encode()
        answer = await self._threads.run(
            self._client("lambda").request,
            "POST",
            f"/2015-03-31/functions/{quote(arn, safe='')}/invocations",
            body=body,
            headers={"X-Amz-Invocation-Type": "RequestResponse" if wait else "Event"},
            timeout=LONGEST if wait else None,
            repeatable=False,
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
        answer = await self._threads.run(
            self._client("events").call, "PutEvents", {"Entries": [entry]}
        )
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            raise NodegxError(
                f"The event {event} was refused: {failed.get('ErrorMessage')}",
                code="emit.refused",
                retriable=failed.get("ErrorCode") in ("InternalFailure", "ThrottlingException"),
            )
        return event_id
