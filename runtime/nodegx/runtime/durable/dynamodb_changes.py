"""Unfinished executions in DynamoDB: what a function does with its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby
from time import time
from typing import NamedTuple

from nodegx.runtime.history.dynamodb_items import shard_of

from .dynamodb_access import CHUNK, TRIES, busy, has_answer, is_owned
from .dynamodb_answers import Answers
from .dynamodb_items import (
    DUE,
    FAILED,
    IDLE,
    RUNNING,
    Place,
    audit_item,
    chunk_text,
    entry_value,
    hash_of,
    long_text,
    place_of,
    run_key,
    state_item,
    state_of,
    waits_item,
    weight_of,
)
from .dynamodb_requests import KEY, Item, Update, Value, hashes, number, text
from .state import Entry, RunState, RunStatus, Wait
from .store import Append, Change, Fail, Finish, Kept, Suspend

GONE = ("lease", "owner", "due", "alarm", "waits", "parked")
"""What a dead letter has no more."""

UNSEEN = -1
"""Of an execution that this host has: what it waits for may have its answer already."""


class Taken(NamedTuple):
    """An execution that this host has now.

    Args:
        kept: its state and its journal.
        alarm: when it was to be woken, in seconds since the epoch; None if it was not.
        claims: how often it has been claimed since it last got any further.
    """

    kept: Kept
    alarm: float | None
    claims: int


class RunChanges(Answers):
    """Creates, claims and changes executions; see `RunStore`."""

    # --- new ones ------------------------------------------------------------------------------

    def create(self, runs: Sequence[RunState]) -> list[bool]:
        """See `RunStore`."""
        return [self.keep(Kept(state, [])) for state in runs]

    def keep(self, kept: Kept) -> bool:
        """Keeps a new execution together with its journal. False if it is there already."""
        state = kept.state
        item = self.item(kept)
        request = {
            "TableName": self.table,
            "Item": item,
            "ConditionExpression": f"attribute_not_exists({KEY})",
        }
        if self._try("PutItem", request) is None:
            found = self._get(state.id)
            if found is None or found["made"] != item["made"]:
                return False  # otherwise the request was sent twice
        if state.owner == self.host and state.status is RunStatus.RUNNING:
            self._held[state.id] = 0
        return True

    def item(self, kept: Kept) -> Item:
        """A new execution as an item; what does not fit it is put into the bucket."""
        state = kept.state
        state.updated = state.updated or time()
        values = {each.key: entry_value(each, state.id, self._objects) for each in kept.entries}
        chunks: list[Value] = []
        if self._is_bulky(values):
            chunks, values = [text(self._objects.put(state.id, chunk_text(values)))], {}
        lease = self._lease_end() if state.owner == self.host else time()
        item: Item = {
            KEY: text(run_key(state.id)),
            "run": text(state.id),
            "runs": text(shard_of(state.id)),
            **state_item(state, self._objects),
            **place_of(state, lease).attributes(state.id),
            "journal": {"M": values},
            "answers": {"M": {}},
            "chunks": {"L": chunks},
            "news": number(0),
            "bytes": number(sum(weight_of(key, value) for key, value in values.items())),
            "claims": number(int(state.status is RunStatus.RUNNING)),
            "made": text(os.urandom(8).hex()),
        }
        if state.status is RunStatus.RUNNING:
            item["lease"] = number(lease)
        if self.target is not None and state.status is not RunStatus.QUEUED:
            item["target"] = text(self.target)
        if state.status is RunStatus.FAILED:
            item |= self._expiry()
        return item

    # --- claims --------------------------------------------------------------------------------

    def claim_one(
        self, id: str, *, statuses: Sequence[RunStatus], audit: dict[str, object] | None = None
    ) -> RunState | None:
        """See `RunStore`."""
        item = self._claim(id, statuses, audit=audit)
        return None if item is None else state_of(item, self._objects)

    def take(self, id: str, *, revision: str) -> Taken | None:
        """Takes one execution that may go on: queued, due, or left by a dead host.

        Args:
            id: the execution.
            revision: of the code that would go on with it. One that waits has to have it already,
                one that is queued gets it.
        """
        statuses = (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.RUNNING)
        item = self._claim(id, statuses, due=time(), revision=revision)
        if item is None:
            return None
        alarm = float(item["alarm"]["N"]) if "alarm" in item else None
        return Taken(self._kept(item), alarm, int(item["claims"]["N"]))

    def _claim(
        self,
        id: str,
        statuses: Sequence[RunStatus],
        *,
        due: float | None = None,
        revision: str | None = None,
        audit: dict[str, object] | None = None,
    ) -> Item | None:
        update = Update(self.table, run_key(id))
        status = update.name("status")
        ways: list[str] = []
        for each in statuses:
            way = [f"{status} = {update.value(text(each.value))}"]
            if each is RunStatus.RUNNING:
                way.append(f"{update.name('lease')} < {update.value(number(time()))}")
            elif each is RunStatus.WAITING and due is not None:
                way.append(f"{update.name('due')} <= {update.value(number(due))}")
            if revision is not None and each is not RunStatus.QUEUED:
                way.append(f"{update.name('revision')} = {update.value(text(revision))}")
            ways.append(" AND ".join(way))
        update.when_there()
        # DynamoDB refuses parentheses around parentheses.
        update.when(" OR ".join(f"({way})" for way in ways) if len(ways) > 1 else ways[0])
        until = self._lease_end()
        update.set(text(RunStatus.RUNNING.value), "status")
        update.set(text(self.host), "owner")
        update.set(number(time()), "updated")
        update.set(number(until), "lease")
        update.set_all(Place(RUNNING, until).attributes(id))
        if self.target is not None:
            update.set(text(self.target), "target")
        update.remove("expires")
        update.add(number(1), "fence")
        update.add(number(1), "claims")
        if revision is not None:
            update.set(text(revision), "revision")
        if audit is not None:
            update.append(audit_item([audit])["L"], "audit")
        item = self._change(update, "ALL_NEW")
        if item is not None:
            answered = item["answers"]["M"] or "answered" in item
            self._held[id] = UNSEEN if answered else int(item["news"]["N"])
        return item

    # --- changes -------------------------------------------------------------------------------

    def change(self, changes: Sequence[Change]) -> list[bool]:
        """See `RunStore`. Entries for one execution that come one after the other are written
        together; else each change is a transaction of its own."""
        results: list[bool] = []
        for change, group in groupby(changes, _alike):
            same = list(group)
            if change is None:
                results += [self._end(each) for each in same if not isinstance(each, Append)]
                continue
            entries = [entry for each in same if isinstance(each, Append) for entry in each.entries]
            results += [self._append(*change, entries)] * len(same)
        return results

    def _end(self, change: Suspend | Fail | Finish) -> bool:
        """Lets go of an execution, one way or another."""
        match change:
            case Suspend():
                done = self._suspend(change)
            case Fail():
                done = self._fail(change)
            case Finish():
                done = self._delete(change.id, change.fence) > 0
        self._held.pop(change.id, None)
        self.wanted.pop(change.id, None)
        return done

    def _append(self, id: str, fence: int, entries: Sequence[Entry]) -> bool:
        values = self._values(id, entries)
        if self._is_bulky(values):
            return self._put_away(id, fence, values)
        for heeding in (True, False):
            update = self._owned(id, fence)
            self._add(update, values)
            if heeding:
                update.when(f"attribute_not_exists({update.name('cancel')})")
            item = self._change(update, "UPDATED_NEW")
            if item is not None:
                crowded = "bytes" in item and int(item["bytes"]["N"]) > CHUNK
                return self._put_away(id, fence, {}) if crowded else True
            found = self._get(id)
            if found is None or not is_owned(found, fence):
                return False
            if "cancel" in found:
                self.wanted[id] = found["cancel"]["S"]
        return False

    def _suspend(self, change: Suspend) -> bool:
        id = change.id
        values = self._values(id, change.entries)
        if self._is_bulky(values):
            if not self._put_away(id, change.fence, values):
                return False
            values = {}
        for _ in range(TRIES):
            come, due, cancelled = self._held.get(id, UNSEEN), change.due, False
            if come == UNSEEN:
                found = self._get(id)
                if found is None or not is_owned(found, change.fence):
                    return self._is_suspended(found, change)
                come, cancelled = int(found["news"]["N"]), "cancel" in found
                if cancelled or has_answer(found, change.waits):
                    due = time()
            if due is None:
                due = min((wait.due for wait in change.waits if wait.due is not None), default=None)
            update = self._owned(id, change.fence)
            update.when_equal(number(come), "news")
            if not cancelled:
                update.when(f"attribute_not_exists({update.name('cancel')})")
            self._add(update, values)
            self._let_go(update, id, due, change.waits)
            if change.replied:
                update.set({"BOOL": True}, "replied")
            if self._change(update) is not None:
                self.alarms[id] = due
                return True
            self._held.pop(id, None)
        raise busy(id)

    def _is_suspended(self, found: Item | None, change: Suspend) -> bool:
        """Whether the change was made, by a request that was sent twice."""
        if found is None or found["status"]["S"] != RunStatus.WAITING.value:
            return False
        if int(found["fence"]["N"]) != change.fence:
            return False
        self.alarms[change.id] = float(found["due"]["N"]) if "due" in found else None
        return True

    def _let_go(self, update: Update, id: str, due: float | None, waits: tuple[Wait, ...]) -> None:
        """Makes an execution wait."""
        started = 0.0 if due is None else due
        update.set(text(RunStatus.WAITING.value), "status")
        update.set_all(Place(IDLE if due is None else DUE, started).attributes(id))
        for name in ("due", "alarm"):
            update.set_or_remove(None if due is None else number(due), name)
        found = waits_item(waits, id, self._objects)
        for name in ("waits", "parked"):
            update.set_or_remove(found.get(name), name)
        for name in ("owner", "lease"):
            update.remove(name)

    def _fail(self, change: Fail) -> bool:
        id = change.id
        values = self._values(id, change.entries)
        if self._is_bulky(values):
            if not self._put_away(id, change.fence, values):
                return False
            values = {}
        update = self._owned(id, change.fence)
        self._add(update, values)
        update.set(text(RunStatus.FAILED.value), "status")
        update.set_all(Place(FAILED, time()).attributes(id))
        update.set(long_text(change.error, id, self._objects), "error")
        update.set_all(self._expiry())
        update.add(number(1), "failures")
        for name in GONE:
            update.remove(name)
        return self._change(update) is not None

    def _put_away(self, id: str, fence: int, more: dict[str, Value]) -> bool:
        """Puts what the item has of the journal into an object, and further entries with it."""
        for _ in range(TRIES):
            found = self._get(id)
            if found is None or not is_owned(found, fence):
                return False
            answers: dict[str, Value] = found["answers"]["M"]
            values = {**found["journal"]["M"], **more, **answers}
            name = self._objects.put(id, chunk_text(values))
            update = self._owned(id, fence)
            update.when_equal(found["news"], "news")
            update.append([text(name)], "chunks")
            update.set({"M": {}}, "journal")
            update.set({"M": {}}, "answers")
            update.set(number(0), "bytes")
            update.set(number(0), "claims")
            if answers:
                update.add(hashes(sorted({hash_of(key) for key in answers})), "answered")
            if self._change(update) is not None:
                return True
        raise busy(id)


def _alike(change: Change) -> tuple[str, int] | None:
    """What is the same in entries that can be written together; None for other changes."""
    return (change.id, change.fence) if isinstance(change, Append) else None
