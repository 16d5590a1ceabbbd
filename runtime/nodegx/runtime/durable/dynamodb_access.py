"""Items of unfinished executions: how they are read and written, and by whom."""

from __future__ import annotations

import os
from collections.abc import Sequence
from time import time
from typing import Any, NamedTuple

from nodegx.runtime.aws.client import AwsClient, AwsError
from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.history.dynamodb_items import DAY

from .dynamodb_items import (
    RUNNING,
    Place,
    entries_of,
    entry_value,
    has_objects,
    is_answered,
    run_key,
    state_of,
    weight_of,
)
from .dynamodb_objects import Objects
from .dynamodb_requests import KEY, Item, Update, Value, number, text, unavailable
from .state import Entry, RunStatus, Wait
from .store import Kept

CHUNK = 48_000
"""Bytes of entries in an item from which on they are put into an object: each change of an item
takes capacity for all of it."""
BATCH = 100
"""Entries that one request may write."""
LEASE = 60.0
"""Seconds for which executions are this host's if nobody has said otherwise."""
TRIES = 20
"""How often a change is made again that another one got ahead of."""

REFUSED = "ConditionalCheckFailedException"


class Sleeper(NamedTuple):
    """An execution that is to go on. `target` is the code that goes on with it, as its last owner
    has told the store; None is the latest. `due` is when it goes on by itself, in seconds since the
    epoch; None if it does not wait for that."""

    id: str
    workflow: str
    target: str | None
    due: float | None = None
    fence: int = 0


class RunItems:
    """Executions in a table.

    Args:
        table: name of the table.
        dynamodb: client of the table's region.
        s3: client for what does not fit an item; None refuses such executions.
        bucket: where that goes.
        host: name under which executions are claimed.
        target: where executions that this host has go on; see `Sleeper`.
        retention_days: days after which DynamoDB removes a dead letter; None keeps it.

    Attributes:
        alarms: when executions that this host has suspended want to go on, by id; None if only an
            answer helps.
        wanted: why somebody wants executions of this host cancelled, by id, as far as a write of
            theirs has come upon that.
    """

    def __init__(
        self,
        table: str,
        *,
        dynamodb: AwsClient,
        s3: AwsClient | None = None,
        bucket: str | None = None,
        host: str = "",
        target: str | None = None,
        retention_days: int | None = 30,
    ) -> None:
        self.table = table
        self.host = host
        self.target = target
        self.alarms: dict[str, float | None] = {}
        self.wanted: dict[str, str] = {}
        self._dynamodb = dynamodb
        self._objects = Objects(s3, bucket)
        self._retention_days = retention_days
        self._until: float | None = None
        self._held: dict[str, int] = {}  # how many answers had come to executions of this host

    def enter(self, host: str, target: str | None) -> None:
        """Another host takes over this object; what the one before still has it leaves alone."""
        self.host, self.target = host, target
        self._until = None
        self._held.clear()
        self.alarms.clear()
        self.wanted.clear()

    def beat(self, seconds: float) -> None:
        """See `RunStore`."""
        self._until = time() + seconds
        self._extend(self._until)

    def leave(self) -> None:
        """See `RunStore`."""
        self._extend(time())
        self._held.clear()
        self._until = None
        self.host = f"{self.host.partition('+')[0]}+{os.urandom(4).hex()}"

    def load(self, id: str) -> Kept | None:
        """See `RunStore`."""
        item = self._get(id)
        return None if item is None else self._kept(item)

    def sleeper(self, id: str) -> Sleeper | None:
        """An execution, if it waits or is queued."""
        item = self._get(id)
        if item is None or item["status"]["S"] not in (RunStatus.WAITING, RunStatus.QUEUED):
            return None
        return sleeper_of(item)

    def delete(self, ids: Sequence[str]) -> int:
        """See `RunStore`."""
        return sum(self._delete(id) for id in dict.fromkeys(ids))

    def close(self) -> None:
        """See `RunStore`. The clients stay open: they are the caller's."""
        self.leave()

    def _delete(self, id: str, fence: int | None = None) -> int:
        """Removes an execution, if it has that fence. Returns how many that were."""
        request: dict[str, Any] = {
            "TableName": self.table,
            "Key": {KEY: text(run_key(id))},
            "ReturnValues": "ALL_OLD",
        }
        if fence is not None:
            request |= {
                "ConditionExpression": "fence = :fence",
                "ExpressionAttributeValues": {":fence": number(fence)},
            }
        answer = self._try("DeleteItem", request)
        if answer is None or not answer.get("Attributes"):
            return 0
        self._held.pop(id, None)
        if has_objects(answer["Attributes"]):
            self._objects.delete(id)
        return 1

    # --- requests ------------------------------------------------------------------------------

    def _values(self, id: str, entries: Sequence[Entry]) -> dict[str, Value]:
        return {each.key: entry_value(each, id, self._objects) for each in entries}

    def _is_bulky(self, values: dict[str, Value]) -> bool:
        """Whether entries are too many for one request, or too much for an item."""
        if len(values) > BATCH:
            return True
        return sum(weight_of(key, value) for key, value in values.items()) > CHUNK

    def _owned(self, id: str, fence: int) -> Update:
        """A change that only the owner can make."""
        update = Update(self.table, run_key(id))
        update.when_equal(number(fence), "fence")
        update.when_equal(text(RunStatus.RUNNING.value), "status")
        update.set(number(time()), "updated")
        return update

    def _add(self, update: Update, values: dict[str, Value]) -> None:
        """Adds entries to the journal; with them the execution has got further."""
        for key, value in values.items():
            update.set(value, "journal", key)
        update.set(number(0), "claims")
        weight = sum(weight_of(key, value) for key, value in values.items())
        update.add(number(weight), "bytes")

    def _extend(self, until: float) -> None:
        """Sets the end of this host's lease in all that it has."""
        for id in list(self._held):
            update = Update(self.table, run_key(id))
            update.when_equal(text(self.host), "owner")
            update.when_equal(text(RunStatus.RUNNING.value), "status")
            update.set(number(until), "lease")
            update.set_all(Place(RUNNING, until).attributes(id))
            if self._change(update) is None:
                self._held.pop(id, None)

    def _lease_end(self) -> float:
        return time() + LEASE if self._until is None else self._until

    def _expiry(self) -> Item:
        """The attribute by which DynamoDB removes a dead letter. The sweep comes before, because
        DynamoDB knows nothing of objects."""
        if self._retention_days is None:
            return {}
        return {"expires": number(int(time()) + (self._retention_days + 2) * DAY)}

    def _kept(self, item: Item) -> Kept:
        chunks = [each["S"] for each in item["chunks"]["L"]]
        entries = entries_of(chunks, item["journal"], item["answers"], store=self._objects)
        return Kept(state_of(item, self._objects), entries)

    def _get(self, id: str) -> Item | None:
        request = {
            "TableName": self.table,
            "Key": {KEY: text(run_key(id))},
            "ConsistentRead": True,
        }
        return self._call("GetItem", request).get("Item")

    def _change(self, update: Update, returned: str = "NONE") -> Item | None:
        """Makes a change; None if its conditions do not hold."""
        answer = self._try("UpdateItem", update.request(returned))
        return None if answer is None else answer.get("Attributes", {})

    def _try(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return self._call(operation, request)
        except AwsError as error:
            if error.code == REFUSED:
                return None
            raise

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        with unavailable():
            return self._dynamodb.call(operation, request)


def busy(id: str) -> StoreUnavailable:
    return StoreUnavailable(f"Too many want to change the execution {id} at the same time")


def is_owned(item: Item, fence: int) -> bool:
    """Whether an execution is still in the hands of whoever claimed it with that fence."""
    is_running = item["status"]["S"] == RunStatus.RUNNING.value
    return is_running and int(item["fence"]["N"]) == fence


def has_answer(item: Item, waits: tuple[Wait, ...]) -> bool:
    """Whether one of the waits has its answer already."""
    return any(is_answered(item, wait.key) for wait in waits)


def sleeper_of(item: Item) -> Sleeper:
    """An execution as those see it that would wake it."""
    target = item["target"]["S"] if "target" in item else None
    waits = item["status"]["S"] == RunStatus.WAITING.value
    due = float(item["due"]["N"]) if waits and "due" in item else None
    return Sleeper(item["run"]["S"], item["of"]["S"], target, due, int(item["fence"]["N"]))
