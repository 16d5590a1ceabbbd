"""Unfinished executions as items of the history's DynamoDB table.

- `R#<id>`: an execution with its journal. `journal` and `answers` are maps by key; older entries
  are in `chunks`, objects of the bucket. `state` and `place` put it into the index `byStatus`
  among those of its kind, ordered by the time at which somebody has to look at it; `runs` and `run`
  into `byRun`, ordered by id. It has none of the attributes by which the history lists executions.
- `F#<schedule>#<moment>`: a moment of a schedule that has been fired.

Texts that are long are objects too; their place in the item holds the object's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from nodegx.runtime.history.dynamodb_items import shard_of, sort_key

from .dynamodb_requests import Item, Value, hashes, number, text
from .state import Entry, Kind, RunState, RunStatus, Wait

LONG = 8_000
"""Characters from which on a text goes to the bucket: by then an object is cheaper than the
capacity that each change of the item takes."""
LONG_ANSWER = 1_000
"""The same for answers, many of which may come before anybody puts them away."""

DUE, RUNNING, IDLE, FAILED, FIRED = "R-due", "R-running", "R-idle", "R-failed", "R-fired"
"""What the index `byStatus` has: executions that may be claimed from a time on, those of hosts whose
lease ends then, those that only an answer helps, dead letters; and moments that were fired."""

_TEXTS = {
    "workflow": "of",
    "revision": "revision",
    "trigger": "trigger",
    "trigger_type": "triggerType",
    "secret": "secret",
    "parent": "caller",
    "parent_step": "callerStep",
    "owner": "owner",
    "cancel": "cancel",
}
_NUMBERS = ("started", "depth", "fence", "due", "failures", "updated")
_WHOLE = ("depth", "fence", "failures")
_FLAGS = ("durable", "replied")
_LONG_TEXTS = ("input", "vars", "error")
STATE = frozenset({*_TEXTS.values(), *_NUMBERS, *_FLAGS, *_LONG_TEXTS, "status", "waits", "parked"})
"""All attributes that tell of a `RunState`, but for its audit, which is only added to."""


class Texts(Protocol):
    """Where long texts go."""

    def put(self, run: str, content: str) -> str:
        """Keeps a text and returns its name."""
        ...

    def get(self, name: str) -> str:
        """A text that was kept."""
        ...


class Place(NamedTuple):
    """A position in the index `byStatus`."""

    kind: str
    moment: float

    def attributes(self, id: str) -> Item:
        """What puts an execution there."""
        return {
            "state": text(f"{self.kind}#{shard_of(id)}"),
            "place": text(sort_key(self.moment, id)),
        }


def run_key(id: str) -> str:
    """Partition key of an execution."""
    return f"R#{id}"


def moment_key(schedule: str, moment: float) -> str:
    """Partition key of a moment of a schedule."""
    return f"F#{schedule}#{moment!r}"


def hash_of(key: str) -> bytes:
    """A short name for a key, of which an item may hold thousands."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def long_text(content: str, run: str, store: Texts, limit: int = LONG) -> Value:
    """A text as an attribute, or the name of an object."""
    if len(content) <= limit:
        return text(content)
    return {"M": {"at": text(store.put(run, content))}}


def read_text(value: Value, store: Texts) -> str:
    """What `long_text` wrote."""
    return value["S"] if "S" in value else store.get(value["M"]["at"]["S"])


# --- states ----------------------------------------------------------------------------------------


def state_item(state: RunState, store: Texts) -> Item:
    """The attributes of a state, but for those that are None or empty."""
    item: Item = {"status": text(state.status.value)}
    for field, name in _TEXTS.items():
        found: str | None = getattr(state, field)
        if found is not None:
            item[name] = text(found)
    for field in _NUMBERS:
        amount: float | None = getattr(state, field)
        if amount is not None:
            item[field] = number(amount)
    for field in _FLAGS:
        item[field] = {"BOOL": getattr(state, field)}
    for field in _LONG_TEXTS:
        content: str | None = getattr(state, field)
        if content is not None:
            item[field] = long_text(content, state.id, store)
    item |= waits_item(state.waits, state.id, store)
    if state.audit:
        item["audit"] = audit_item(state.audit)
    return item


def waits_item(waits: tuple[Wait, ...], run: str, store: Texts) -> Item:
    """The attributes that tell what an execution waits for."""
    if not waits:
        return {}
    content = json.dumps([list(wait) for wait in waits], separators=(",", ":"))
    keys = sorted({hash_of(wait.key) for wait in waits})
    return {"waits": long_text(content, run, store), "parked": hashes(keys)}


def audit_item(audit: Iterable[dict[str, Any]]) -> Value:
    """What people did, as a list that can be added to."""
    return {"L": [text(json.dumps(each, separators=(",", ":"))) for each in audit]}


def state_of(item: Item, store: Texts) -> RunState:
    """The state that an item tells of."""
    found: dict[str, Any] = {
        "id": item["run"]["S"],
        "status": RunStatus(item["status"]["S"]),
    }
    for field, name in _TEXTS.items():
        if name in item:
            found[field] = item[name]["S"]
    for field in _NUMBERS:
        if field in item:
            amount = float(item[field]["N"])
            found[field] = int(amount) if field in _WHOLE else amount
    for field in _FLAGS:
        found[field] = item[field]["BOOL"]
    for field in _LONG_TEXTS:
        if field in item:
            found[field] = read_text(item[field], store)
    if "waits" in item:
        listed: list[list[Any]] = json.loads(read_text(item["waits"], store))
        found["waits"] = tuple(Wait(*each) for each in listed)
    if "audit" in item:
        found["audit"] = tuple(json.loads(each["S"]) for each in item["audit"]["L"])
    return RunState(**found)


def place_of(state: RunState, lease: float) -> Place:
    """Where an execution belongs in the index; `lease` is when its owner's ends."""
    if state.status is RunStatus.RUNNING:
        return Place(RUNNING, lease)
    if state.status is RunStatus.FAILED:
        return Place(FAILED, state.updated)
    if state.status is RunStatus.QUEUED:
        return Place(DUE, state.started)
    return Place(IDLE, state.started) if state.due is None else Place(DUE, state.due)


# --- journals --------------------------------------------------------------------------------------


def entry_value(entry: Entry, run: str, store: Texts, limit: int = LONG) -> Value:
    """An entry, but for its key."""
    return {
        "L": [
            text(entry.kind.value),
            number(entry.number),
            text(entry.digest),
            text(entry.after),
            text(repr(entry.started)),  # what is not searched for may be as small as it likes
            text(repr(entry.duration)),
            number(entry.attempts),
            long_text(entry.value, run, store, limit),
        ]
    }


def entry_of(key: str, value: Value, store: Texts) -> Entry:
    """The entry that `entry_value` wrote."""
    kind, order, digest, after, started, duration, attempts, content = value["L"]
    return Entry(
        key,
        Kind(kind["S"]),
        read_text(content, store),
        int(order["N"]),
        digest["S"],
        after["S"],
        float(started["S"]),
        float(duration["S"]),
        int(attempts["N"]),
    )


def weight_of(key: str, value: Value) -> int:
    """About how many bytes an entry takes in the item."""
    *_, content = value["L"]
    held: int = len(content["S"]) if "S" in content else 60
    return len(key.encode("utf-8", "surrogatepass")) + held + len(value["L"][3]["S"]) + 90


def chunk_text(values: dict[str, Value]) -> str:
    """Entries as the text of an object."""
    return json.dumps(values, separators=(",", ":"))


def entries_of(chunks: Iterable[str], *maps: Value, store: Texts) -> list[Entry]:
    """The entries of chunks and maps in the order in which they were written."""
    values = values_of(chunks, *maps, store=store)
    entries = [entry_of(key, value, store) for key, value in values.items()]
    return sorted(entries, key=lambda entry: entry.number)


def values_of(chunks: Iterable[str], *maps: Value, store: Texts) -> dict[str, Value]:
    """The entries of chunks and maps by key, as they were written. Later ones come in place of
    earlier ones, but for answers."""
    found: dict[str, Value] = {}
    for values in (
        *(json.loads(store.get(name)) for name in chunks),
        *(each["M"] for each in maps),
    ):
        for key, value in values.items():
            if key not in found or not is_answer(found[key]):
                found[key] = value
    return found


def is_answer(value: Value) -> bool:
    """Whether an entry is an answer."""
    return value["L"][0]["S"] == Kind.ANSWER.value


def is_answered(item: Item, key: str) -> bool:
    """Whether an execution has an answer of that key."""
    if key in item["answers"]["M"]:
        return True
    return hashes([hash_of(key)])["BS"][0] in item.get("answered", {"BS": []})["BS"]


def has_objects(item: Item) -> bool:
    """Whether something of an execution is in the bucket."""
    texts = [item[name] for name in (*_LONG_TEXTS, "waits") if name in item]
    entries = [*item["journal"]["M"].values(), *item["answers"]["M"].values()]
    contents = [*texts, *(entry["L"][-1] for entry in entries)]
    return bool(item["chunks"]["L"]) or any("M" in content for content in contents)
