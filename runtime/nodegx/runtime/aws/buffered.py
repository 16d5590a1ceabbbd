"""Executions that need no journal unless they go on after their answer."""

from __future__ import annotations

from dataclasses import replace
from time import time

from nodegx.runtime.durable.dynamodb import DynamoRuns
from nodegx.runtime.durable.execution import Runs
from nodegx.runtime.durable.state import Entry, RunState, RunStatus
from nodegx.runtime.durable.store import Append, Change, Fail, Finish, Kept, Suspend
from nodegx.runtime.durable.writer import RunWriter

from .surroundings import makes_room


class BufferedRuns:
    """Keeps new executions in memory until they are suspended, and writes them once, with all of
    their journal. What ends before that leaves nothing behind but its history, as executions that
    are not durable do.

    Args:
        runs: where others are kept.
        writer: writes to the store.
        store: the store itself.
    """

    def __init__(self, runs: Runs, writer: RunWriter, store: DynamoRuns) -> None:
        self._runs = runs
        self._writer = writer
        self._store = store
        self._held: dict[str, tuple[RunState, dict[str, Entry]]] = {}

    async def create(self, state: RunState) -> bool:
        """See `Runs`."""
        self._held[state.id] = (state, {})
        return True

    async def change(self, change: Change) -> bool:
        """See `Runs`."""
        held = self._held.get(change.id)
        if held is None:
            return await self._runs.change(change)
        state, journal = held
        match change:
            case Append(entries=entries):
                journal.update((entry.key, entry) for entry in entries)
            case Suspend():
                journal.update((entry.key, entry) for entry in change.entries)
                await self._keep(state, change, list(journal.values()))
                del self._held[change.id]
            case Fail() | Finish():
                del self._held[change.id]
        return True

    async def _keep(self, state: RunState, change: Suspend, entries: list[Entry]) -> None:
        dues = [wait.due for wait in change.waits if wait.due is not None]
        due = min(dues, default=None) if change.due is None else change.due
        if makes_room(change):
            due = time()
        suspended = replace(
            state,
            status=RunStatus.WAITING,
            owner=None,
            waits=change.waits,
            due=due,
            replied=change.replied,
            updated=time(),
        )
        await self._writer.do(self._store.keep, Kept(suspended, entries))
        self._store.alarms[state.id] = due
