"""Tells what arrives again from what is new, by keys in the history's table."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from nodegx.runtime.errors import FatalError
from nodegx.runtime.execution import Execution
from nodegx.runtime.idempotency.dynamodb import DynamoKeys
from nodegx.runtime.idempotency.fate import Fate, fate_of
from nodegx.runtime.idempotency.guard import Guard, patient
from nodegx.runtime.idempotency.requests import Requests
from nodegx.runtime.idempotency.settings import Settings, read
from nodegx.runtime.idempotency.starts import Repeat, Starts
from nodegx.runtime.idempotency.writer import KeyCalls
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .adapter import Adapter

if TYPE_CHECKING:
    from .host import AwsHost

Bound = TypeVar("Bound", bound=Adapter)

LATE = 1.0
"""Seconds after an invocation's end until it is surely over, on everybody's clock."""

ANSWERING = 1.0
"""Seconds that an invocation needs to answer that it waited in vain."""

LONGEST = 25.0
"""Seconds that callers are kept waiting; an HTTP API gives up after 30."""


def once(adapter: Bound) -> Bound:
    """Has a trigger start its workflow once for each key.

    The compiler writes this around triggers that ask for it, so that all others do without what it
    takes.
    """
    host = adapter.host
    if host.idempotency is None and host.environment.keys_table is not None:
        host.idempotency = Idempotency(host, host.environment.keys_table)
    return adapter


class Idempotency:
    """Starts the workflow once for each key. One for a process.

    Args:
        host: the process's host.
        table: the table of the history.

    Attributes:
        requests: answers requests over HTTP.
    """

    def __init__(self, host: AwsHost, table: str) -> None:
        self._host = host
        keys = KeyCalls(DynamoKeys(table, dynamodb=host.client("dynamodb")), self._do)
        self._guard = Guard(
            keys, find_fate=self._fate, end=self._end, patience=self._patience, log=host.log
        )
        self.requests = Requests(self._guard)
        self._starts = Starts(self._guard)

    async def run(
        self, adapter: Adapter, value: Any, options: dict[str, Any]
    ) -> Execution | Repeat:
        """Runs a workflow to its end, unless that was done before.

        Args:
            adapter: the trigger.
            value: its value.
            options: further arguments of the execution.

        Raises:
            FatalError: code `idempotency.key`; the value has no key.
            StoreUnavailable: nobody knows whether it was started before.
        """
        trigger = Trigger(adapter.node, adapter.type, value)

        async def begin(id: str | None) -> Execution:
            return await adapter.begin(trigger, **{**options, "id": id})

        settings = read(adapter.config) or Settings()
        started = await self._starts.start(
            adapter.workflow,
            trigger,
            settings,
            begin,
            id=options.get("id"),
            waits=settings.waits,
        )
        assert started is not None, "functions leave nothing to others"
        if isinstance(started, Repeat):
            message = "started nothing: this execution has the same idempotency key"
            fields = {"workflow": adapter.workflow.name, "node": adapter.node}
            self._host.log.write("info", message, execution=started.id, **fields)
        else:
            await self._starts.settled(started)
        return started

    async def accept(self, adapter: Adapter, value: Any, **options: Any) -> Execution | Repeat:
        """As `run`, for what nobody can be told about: what has no key is run."""
        try:
            return await self.run(adapter, value, options)
        except FatalError as error:
            if error.code != "idempotency.key":
                raise
            fields = {"workflow": adapter.workflow.name, "node": adapter.node}
            self._host.log.write("warning", error.message, **fields)
            return await adapter.run(value, **options)

    async def drain(self) -> None:
        """Waits for what goes on beside answers; Lambda freezes the process afterwards."""
        await self._guard.drain()

    async def _do(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if self._host.several:
            return await self._host.threads.run(call, *args, **options)
        return call(*args, **options)

    async def _fate(self, execution: str) -> Fate:
        find = self._host.status_of
        return Fate.DEAD if find is None else fate_of(await find(execution))

    def _end(self) -> float | None:
        end = self._host.end
        return None if end is None else end + LATE

    def _patience(self, workflow: Workflow) -> float:
        limit, end = min(patient(workflow), LONGEST), self._host.end
        return limit if end is None else max(0.0, min(limit, end - ANSWERING - time()))
