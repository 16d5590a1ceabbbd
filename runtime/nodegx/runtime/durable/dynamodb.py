"""Unfinished executions in DynamoDB: the whole store, for functions' sweeps, command lines and
tests."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from time import time
from typing import Any

from nodegx.runtime.aws.client import AwsError
from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.history.dynamodb_items import SHARDS, sort_key

from .dynamodb_access import TRIES, Sleeper
from .dynamodb_changes import RunChanges
from .dynamodb_items import (
    DUE,
    FAILED,
    FIRED,
    RUNNING,
    STATE,
    Place,
    audit_item,
    chunk_text,
    hash_of,
    is_answer,
    is_answered,
    moment_key,
    place_of,
    run_key,
    state_item,
    state_of,
    values_of,
)
from .dynamodb_requests import KEY, Expressions, Item, Update, hashes, number, text
from .state import RunState, RunStatus
from .store import Fire, Kept, RunQuery

FEW = 50
"""Entries that one request drops; more are dropped by writing the rest anew."""
SPREAD = 8
"""Executions that are looked at for each that is claimed."""
PAGE = 200
"""Items of an index that are read at a time."""
CANCELLED = "TransactionCanceledException"


class DynamoRuns(RunChanges):
    """A `RunStore` in the history's DynamoDB table.

    A claim's lease is written with the execution. `beat` extends it in what this object has
    claimed or created itself; functions call it once, when an invocation begins, with the time
    that is left.
    """

    # --- claims --------------------------------------------------------------------------------

    def claim(self, limit: int, *, now: float) -> list[RunState]:
        """See `RunStore`."""
        found: list[RunState] = []
        most = SPREAD * limit
        ids = [each.id for each in islice(self._may_go_on(now, time(), most), most)]
        while ids and len(found) < limit:
            statuses = (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.RUNNING)
            item = self._claim(ids.pop(0), statuses, due=now)
            if item is None:
                random.shuffle(ids)  # others claim just now, and should not meet again
            else:
                found.append(state_of(item, self._objects))
        return found

    def overdue(self, workflow: str, *, late: float) -> Iterator[Sleeper]:
        """Executions of a workflow that should have gone on `late` seconds ago, and those whose
        hosts are dead."""
        now = time()
        for sleeper in self._may_go_on(now - late, now):
            if sleeper.workflow == workflow:
                yield sleeper

    def next_due(self) -> float | None:
        """See `RunStore`."""
        firsts = [next(self._indexed(DUE, shard, 1e12, limit=1), None) for shard in range(SHARDS)]
        return min((_moment(item) for item in firsts if item is not None), default=None)

    def _may_go_on(self, due: float, dead: float, limit: int = PAGE) -> Iterator[Sleeper]:
        """What is queued or due by a time, and what hosts have whose leases end before another,
        each the oldest first; `limit` is how many are read at a time."""
        for kind, until in ((DUE, due), (RUNNING, dead)):
            walks = [self._indexed(kind, shard, until, limit) for shard in range(SHARDS)]
            for item in heapq.merge(*walks, key=lambda item: item["place"]["S"]):
                target = item["target"]["S"] if "target" in item else None
                yield Sleeper(_id(item), item["of"]["S"], target, _moment(item))

    def _indexed(self, kind: str, shard: int, until: float, limit: int = PAGE) -> Iterator[Item]:
        """The items of a kind in the index `byStatus` up to a time, ascending."""
        request = Expressions()
        partition, place = request.name("state"), request.name("place")
        key = (
            f"{partition} = {request.value(text(f'{kind}#{shard}'))}"
            f" AND {place} <= {request.value(text(sort_key(until, '~')))}"
        )
        return self._pages("byStatus", key, request, {"Limit": limit})

    # --- schedules -----------------------------------------------------------------------------

    def fire(self, moments: Sequence[Fire]) -> list[bool]:
        """See `RunStore`."""
        return [self._fire(each) for each in moments]

    def _fire(self, fire: Fire) -> bool:
        marker: Item = {
            KEY: text(moment_key(fire.schedule, fire.moment)),
            **Place(FIRED, fire.moment).attributes(f"{fire.schedule}#{fire.moment!r}"),
        }
        puts = [
            {
                "TableName": self.table,
                "Item": item,
                "ConditionExpression": f"attribute_not_exists({KEY})",
            }
            for item in (marker, self.item(Kept(fire.run, [])))
        ]
        try:
            self._call("TransactWriteItems", {"TransactItems": [{"Put": put} for put in puts]})
        except AwsError as error:
            if error.code != CANCELLED:
                raise
            if "ConditionalCheckFailed" in error.message:
                return False
            raise StoreUnavailable(error.message) from error  # somebody else writes there just now
        return True

    # --- operators -----------------------------------------------------------------------------

    def update(self, state: RunState, *, drop: Sequence[str] = ()) -> bool:
        """See `RunStore`."""
        for _ in range(TRIES):
            found = self._get(state.id)
            if found is None or not self._is_mine(found, state.fence):
                return False
            update = Update(self.table, run_key(state.id))
            update.when_equal(number(state.fence), "fence")
            update.when_equal(text(self.host), "owner")
            update.when_equal(found["news"], "news")
            self._drop(update, found, frozenset(drop))
            self._replace(update, found, state, frozenset(drop))
            if self._change(update) is not None:
                if state.owner is None:
                    self._held.pop(state.id, None)
                return True
        return False

    def _is_mine(self, found: Item, fence: int) -> bool:
        return found.get("owner", {}).get("S") == self.host and int(found["fence"]["N"]) == fence

    def _drop(self, update: Update, found: Item, drop: frozenset[str]) -> None:
        """Removes entries from the journal."""
        inline = {name: drop & found[name]["M"].keys() for name in ("journal", "answers")}
        if len(drop) <= FEW and drop <= inline["journal"] | inline["answers"]:
            for name, keys in inline.items():
                for key in sorted(keys):
                    update.remove(name, key)
            return
        chunks = [each["S"] for each in found["chunks"]["L"]]
        values = values_of(chunks, found["journal"], found["answers"], store=self._objects)
        left = {key: value for key, value in values.items() if key not in drop}
        name = self._objects.put(found["run"]["S"], chunk_text(left))
        update.set({"L": [text(name)]}, "chunks")
        update.set({"M": {}}, "journal")
        update.set({"M": {}}, "answers")
        update.set(number(0), "bytes")
        answers = {hash_of(key) for key, value in left.items() if is_answer(value)}
        update.set_or_remove(hashes(sorted(answers)) if answers else None, "answered")

    def _replace(self, update: Update, found: Item, state: RunState, drop: frozenset[str]) -> None:
        """Replaces all that tells of the state; what was added to the audit meanwhile stays."""
        due = state.due
        if state.status is RunStatus.WAITING and any(
            wait.key not in drop and is_answered(found, wait.key) for wait in state.waits
        ):
            due = time()
        state = replace(state, due=due, updated=time())
        attributes = state_item(state, self._objects)
        attributes.pop("audit", None)
        known = [each["S"] for each in found["audit"]["L"]] if "audit" in found else []
        new = [each for each in audit_item(state.audit)["L"] if each["S"] not in known]
        if new:
            update.append(new, "audit")
        for name in sorted(STATE - attributes.keys()):
            update.remove(name)
        update.set_all(attributes)
        update.set_all(place_of(state, self._lease_end()).attributes(state.id))
        if state.owner is None:
            update.remove("lease")
        if state.status is RunStatus.QUEUED or state.revision != found["revision"]["S"]:
            update.remove("target")
        if state.status is RunStatus.FAILED:
            update.set_all(self._expiry())
        else:
            update.remove("expires")

    def request_cancel(self, id: str, reason: str, audit: dict[str, object]) -> bool:
        """See `RunStore`."""
        update = Update(self.table, run_key(id))
        update.when_equal(text(RunStatus.RUNNING.value), "status")
        update.set(text(reason), "cancel")
        update.append(audit_item([audit])["L"], "audit")
        return self._change(update) is not None

    def cancels(self) -> list[RunState]:
        """See `RunStore`."""
        items = [self._get(id) for id in list(self._held)]
        return [
            state_of(item, self._objects)
            for item in items
            if item is not None and "cancel" in item and item.get("owner") == text(self.host)
        ]

    def list(
        self, query: RunQuery, *, limit: int = 100, after: str | None = None
    ) -> list[RunState]:
        """See `RunStore`."""
        if query.ids:
            ids: Iterator[str] = iter(sorted(set(query.ids)))
            ids = (id for id in ids if after is None or id > after)
        else:
            ids = (item["run"]["S"] for item in self._summaries(query, after))
        states = (kept for id in ids if (kept := self._state(id)) is not None)
        return list(islice((each for each in states if _meets(each, query)), limit))

    def counts(self) -> dict[RunStatus, int]:
        """See `RunStore`."""
        found = Counter(item["status"]["S"] for item in self._summaries(RunQuery()))
        return {status: found[status.value] for status in RunStatus}

    def revisions(self) -> set[tuple[str, str]]:
        """See `RunStore`."""
        return {(item["of"]["S"], item["revision"]["S"]) for item in self._summaries(RunQuery())}

    def prune(self, before: float) -> int:
        """See `RunStore`."""
        removed = 0
        for shard in range(SHARDS):
            for item in self._indexed(FAILED, shard, before):
                if _moment(item) < before:
                    removed += self.delete([_id(item)])
            for item in self._indexed(FIRED, shard, before):
                if _moment(item) < before:
                    key = {KEY: item[KEY]}
                    self._call("DeleteItem", {"TableName": self.table, "Key": key})
        return removed

    def close(self) -> None:
        """See `RunStore`. Closes idle connections of the clients, too."""
        super().close()
        self._dynamodb.close()
        self._objects.close()

    def _summaries(self, query: RunQuery, after: str | None = None) -> Iterator[Item]:
        """What the index `byRun` has of executions that may meet a query, ordered by id."""
        walks = [self._summaries_of(shard, query, after) for shard in range(SHARDS)]
        return heapq.merge(*walks, key=lambda item: item["run"]["S"])

    def _summaries_of(self, shard: int, query: RunQuery, after: str | None) -> Iterator[Item]:
        request = Expressions()
        key = f"{request.name('runs')} = {request.value(text(str(shard)))}"
        if after is not None:
            key += f" AND {request.name('run')} > {request.value(text(after))}"
        filters: list[str] = []
        for name, wanted in (("of", query.workflow), ("caller", query.parent)):
            if wanted is not None:
                filters.append(f"{request.name(name)} = {request.value(text(wanted))}")
        if query.statuses:
            marks = [request.value(text(status.value)) for status in query.statuses]
            filters.append(f"{request.name('status')} IN ({', '.join(marks)})")
        given = {"FilterExpression": " AND ".join(filters)} if filters else {}
        return self._pages("byRun", key, request, given)

    def _pages(
        self, index: str, key: str, request: Expressions, given: dict[str, Any]
    ) -> Iterator[Item]:
        wanted: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": index,
            "KeyConditionExpression": key,
            **request.placeholders(),
            **given,
        }
        while True:
            page = self._call("Query", wanted)
            yield from page["Items"]
            if not (start := page.get("LastEvaluatedKey")):
                return
            wanted["ExclusiveStartKey"] = start

    def _state(self, id: str) -> RunState | None:
        item = self._get(id)
        return None if item is None else state_of(item, self._objects)


def _moment(item: Item) -> float:
    """The time at which an item stands in `byStatus`, in seconds since the epoch."""
    return int(item["place"]["S"].partition("#")[0]) / 1e6


def _id(item: Item) -> str:
    """The id of an execution that stands in `byStatus`."""
    return item["place"]["S"].partition("#")[2]


def _meets(state: RunState, query: RunQuery) -> bool:
    """Whether an execution meets every condition of a query."""
    return (
        query.workflow in (None, state.workflow)
        and (not query.statuses or state.status in query.statuses)
        and (query.since is None or state.started >= query.since)
        and (query.until is None or state.started < query.until)
        and query.parent in (None, state.parent)
    )
