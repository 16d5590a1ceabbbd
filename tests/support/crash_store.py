"""A store of unfinished executions that kills its process at one of its writes.

Writes are counted for one execution, the first that this process begins, and for those that it
calls: the store's own `create`, each change that an owner makes, each answer, and each claim of an
execution that waits. Every write is noted down in a file before it is made and after.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nodegx.runtime.durable.poison import KEY as PASS
from nodegx.runtime.durable.state import Entry, Kind, RunState
from nodegx.runtime.durable.store import Change, Finish, RunStore

BEFORE = "before"
AFTER = "after"


class Death(NamedTuple):
    """When to die: at write `number`, counted from 1, before or after it has been committed."""

    number: int
    when: str


class Write(NamedTuple):
    """A write as it was noted down.

    `what` is `create`, `claim`, `answer`, or the name of a change; `keys` and `kinds` are those of
    the entries it adds to the journal.
    """

    number: int
    when: str
    what: str
    execution: str
    keys: list[str]
    kinds: list[str]


def read_writes(log: Path) -> list[Write]:
    """What was noted down, in order."""
    if not log.exists():
        return []
    return [Write(*json.loads(line)) for line in log.read_text().splitlines()]


class DyingRuns:
    """Another `RunStore`, whose process dies at a write.

    Args:
        inner: where the writes go.
        log: file for the notes.
        death: when to die; None lives on.
        any_step: die after the first write of whatever execution that records more than that a
            pass begins, wherever that execution has begun; replaces `death`.
    """

    def __init__(
        self, inner: RunStore, log: Path, death: Death | None, *, any_step: bool = False
    ) -> None:
        self._inner = inner
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._death = death
        self._any_step = any_step
        self._family: set[str] = set()
        self._number = 0
        self._lock = threading.RLock()  # positions follow one another, whichever thread writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    # --- writes --------------------------------------------------------------------------------

    def create(self, runs: Sequence[RunState]) -> list[bool]:
        """See `RunStore`."""
        results: list[bool] = []
        with self._lock:
            for run in runs:
                if self._joins(run):
                    self._family.add(run.id)
                    number = self._begin("create", run.id)
                    results += self._inner.create([run])
                    self._end(number, "create", run.id)
                else:
                    results += self._inner.create([run])
        return results

    def change(self, changes: Sequence[Change]) -> list[bool]:
        """See `RunStore`. Each change is a write of its own here."""
        results: list[bool] = []
        with self._lock:
            for change in changes:
                if not self._watches(change.id):
                    results += self._inner.change([change])
                    continue
                what = type(change).__name__.lower()
                entries = () if isinstance(change, Finish) else change.entries
                number = self._begin(what, change.id, entries)
                results += self._inner.change([change])
                self._end(number, what, change.id, entries)
        return results

    def answer(self, id: str, key: str, value: str) -> bool:
        """See `RunStore`."""
        with self._lock:
            if not self._watches(id):
                return self._inner.answer(id, key, value)
            entries = [Entry(key, Kind.ANSWER, "")]
            number = self._begin("answer", id, entries)
            taken = self._inner.answer(id, key, value)
            self._end(number, "answer", id, entries if taken else ())
            return taken

    def claim(self, limit: int, *, now: float) -> list[RunState]:
        """See `RunStore`. Nobody knows before what will be claimed."""
        with self._lock:
            states = self._inner.claim(limit, now=now)
            for state in states:
                if state.id in self._family:
                    self._number += 1
                    self._note(self._number, AFTER, "claim", state.id)
                    self._die(self._number, AFTER)
        return states

    def _joins(self, run: RunState) -> bool:
        return run.parent in self._family if self._family else run.parent is None

    # --- death ---------------------------------------------------------------------------------

    def _watches(self, id: str) -> bool:
        return self._any_step or id in self._family

    def _begin(self, what: str, id: str, entries: Sequence[Entry] = ()) -> int:
        self._number += 1
        self._note(self._number, BEFORE, what, id, entries)
        self._die(self._number, BEFORE)
        return self._number

    def _end(self, number: int, what: str, id: str, entries: Sequence[Entry] = ()) -> None:
        self._note(number, AFTER, what, id, entries)
        self._die(number, AFTER, entries)

    def _die(self, number: int, when: str, entries: Sequence[Entry] = ()) -> None:
        far = self._any_step and when == AFTER and any(each.key != PASS for each in entries)
        if far or self._death == (number, when):
            os.kill(os.getpid(), signal.SIGKILL)

    def _note(
        self, number: int, when: str, what: str, id: str, entries: Sequence[Entry] = ()
    ) -> None:
        keys, kinds = [each.key for each in entries], [str(each.kind) for each in entries]
        line = json.dumps(Write(number, when, what, id, keys, kinds))
        os.write(self._log, f"{line}\n".encode())
