"""The part of a server that tells what arrives again from what is new. It exists once a trigger
asks for that."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nodegx.runtime import logs
from nodegx.runtime.errors import FatalError
from nodegx.runtime.execution import Execution
from nodegx.runtime.idempotency.fate import FindFate
from nodegx.runtime.idempotency.guard import Guard
from nodegx.runtime.idempotency.requests import Requests
from nodegx.runtime.idempotency.settings import Settings, read
from nodegx.runtime.idempotency.starts import Begin, Repeat, Starts
from nodegx.runtime.idempotency.store import KeyStore
from nodegx.runtime.idempotency.stores import open_keys
from nodegx.runtime.idempotency.writer import KeyWriter
from nodegx.runtime.values import Trigger

from .workflows import LoadedWorkflow


class Idempotency:
    """Starts workflows once for each key.

    Args:
        store: where keys are remembered.
        find_fate: what became of executions whose process has died.
        log: where repeats and losses are reported.

    Attributes:
        requests: answers requests over HTTP.
    """

    def __init__(self, store: KeyStore, find_fate: FindFate, log: logs.Log | None = None) -> None:
        self._store = store
        self._log = log or logs.default
        self._writer = KeyWriter(store)
        self._guard = Guard(self._writer, find_fate=find_fate, log=self._log)
        self.requests = Requests(self._guard)
        self._starts = Starts(self._guard)

    @classmethod
    async def open(
        cls,
        target: Path | str,
        find_fate: FindFate,
        *,
        lease: float,
        log: logs.Log | None = None,
    ) -> Idempotency:
        """Opens the store that a path or a URL names; see `open_keys`.

        Raises:
            NodegxError: it cannot be opened.
        """
        return cls(await asyncio.to_thread(open_keys, target, lease=lease), find_fate, log)

    async def call(
        self, loaded: LoadedWorkflow, trigger: Trigger, begin: Begin, *, id: str | None = None
    ) -> Execution | Repeat:
        """Starts a workflow for someone who may ask for its answer.

        Raises:
            FatalError: the value has no key.
            StoreUnavailable: nobody knows whether it was started before.
        """
        settings = _settings(loaded, trigger)
        started = await self._starts.start(
            loaded.workflow, trigger, settings, begin, id=id, waits=settings.waits
        )
        assert started is not None, "calls are never left to others"
        self._note(started, loaded, trigger)
        return started

    async def accept(self, loaded: LoadedWorkflow, trigger: Trigger, begin: Begin) -> None:
        """Starts a workflow for an event, unless that came before. One without a key starts it."""
        settings = _settings(loaded, trigger)
        try:
            started = await self._starts.start(loaded.workflow, trigger, settings, begin)
        except FatalError as error:
            if error.code != "idempotency.key":
                raise
            self._log.write("warning", error.message, workflow=loaded.name, node=trigger.node)
            started = await begin(None)
        self._note(started, loaded, trigger)

    def stop_waiting(self) -> None:
        """The server stops: no repeat waits any more for other servers."""
        self._guard.stop_waiting()

    async def close(self) -> None:
        """Writes what is left, once executions have ended."""
        await self._guard.drain()
        await asyncio.to_thread(self._writer.close)
        await asyncio.to_thread(self._store.close)

    def _note(
        self, started: Execution | Repeat | None, loaded: LoadedWorkflow, trigger: Trigger
    ) -> None:
        if isinstance(started, Repeat):
            message = "started nothing: this execution has the same idempotency key"
            fields = {"workflow": loaded.name, "node": trigger.node}
            self._log.write("info", message, execution=started.id, **fields)


def _settings(loaded: LoadedWorkflow, trigger: Trigger) -> Settings:
    entry = next(each for each in loaded.triggers if each.node == trigger.node)
    return read(entry.config) or Settings()
