"""The surroundings of a run inside a Lambda function."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from time import time
from typing import TYPE_CHECKING, Any

from nodegx.runtime.execution import Execution
from nodegx.runtime.history.dynamodb_items import DynamoWriter

from .client import AwsClient, AwsError
from .credentials import CredentialChain
from .environment import Environment
from .log import InvocationLog
from .secrets import SecretsManager
from .sink import DynamoSink

if TYPE_CHECKING:
    from nodegx.runtime.host import HistorySink
    from nodegx.runtime.threads import Threads

    from .context import Context
    from .idempotent import Idempotency

MARGIN = 0.5
"""Seconds before an invocation's end at which its runs are ended, so that this gets on record."""


class AwsHost:
    """Lets a run call other functions, publish events and read secrets. One for a process.

    Args:
        environment: the deployment.

    Attributes:
        end: when Lambda ends the current invocation, in seconds since the epoch; None if there is
            no limit. `deadline` is when its runs must have ended.
        several: whether several executions go on at the same time.
        idempotency: tells repeats; None where no trigger asks for that.
        execution: what executions are, unless a trigger has its own kind.
        status_of: finds how an execution stands, where some go on in other invocations.
        log: where its log lines go.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.vars: Mapping[str, Any] = environment.vars
        self.env: Mapping[str, str] = environment.env
        self.log = InvocationLog(environment.log_level)
        self.deadline: float | None = None
        self.end: float | None = None
        self.several = False
        self._context: Context | None = None
        self._invocations = 0
        self.idempotency: Idempotency | None = None
        self.status_of: Callable[[str], Awaitable[str | None]] | None = None
        self._credentials = CredentialChain()
        self._clients: dict[str, AwsClient] = {}
        self.secrets: Mapping[str, str] = SecretsManager(
            environment.secrets, lambda: self.client("secretsmanager")
        )
        self.execution: type[Execution] = Execution
        self.history: HistorySink | None = None
        if environment.history_table:
            writer = DynamoWriter(
                environment.history_table,
                dynamodb=self.client("dynamodb"),
                s3=self.client("s3") if environment.bucket else None,
                bucket=environment.bucket,
                retention_days=environment.retention_days,
            )
            self.history = DynamoSink(writer, lambda: self.end)

    def begin(self, context: Context | None) -> None:
        """An invocation begins; Lambda has one at a time in a process."""
        self.runs(1)
        self.log.request = getattr(context, "aws_request_id", None)
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        self.end = None if remaining is None else time() + remaining() / 1000
        self.deadline = None if self.end is None else self.end - MARGIN
        if context is not None and context is self._context:
            return  # a function tells so, and then its trigger
        self._context = context
        self._invocations += 1
        if self._invocations == 1:
            self._recover()
        elif self._invocations == 2:
            from .warm import settle

            settle(self)

    def _recover(self) -> None:
        notes = self.environment.notes
        if isinstance(self.history, DynamoSink) and os.path.isdir(notes):
            from .notes import recover

            try:
                recover(notes, self.history.writer)
            except (AwsError, OSError) as error:  # the next process will, then
                self.log.write("warning", f"an interrupted execution was not written: {error}")

    def runs(self, executions: int) -> None:
        """Tells how many executions go on at the same time."""
        self.several = executions > 1
        if isinstance(self.history, DynamoSink):
            self.history.aside = self.several

    @cached_property
    def threads(self) -> Threads:
        """For calls that block."""
        from nodegx.runtime.threads import Threads

        return Threads("aws", 32)

    def client(self, service: str) -> AwsClient:
        """The process's client of a service."""
        if service not in self._clients:
            self._clients[service] = AwsClient(service, credentials=self._credentials)
        return self._clients[service]

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        """Invokes another workflow's function; see `outbound.call`."""
        from .outbound import call

        return await call(self, workflow, payload, parent=parent, depth=depth, wait=wait)

    async def emit(self, event: str, payload: Any, *, source: str, depth: int) -> str:
        """Puts an event on the deployment's bus; see `outbound.emit`."""
        from .outbound import emit

        return await emit(self, event, payload, source=source, depth=depth)

    def links(self, execution: str) -> Mapping[str, str]:
        """The command that shows an execution; functions have no pages."""
        stack = self.environment.stack
        return {"command": f"nodegx executions show {execution} --stack {stack}"}
