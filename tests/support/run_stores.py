"""Executions that the suites of stores put into them, and what they look for there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from nodegx.runtime.durable.state import Entry, Kind, RunState, RunStatus, Wait
from nodegx.runtime.durable.store import Fail, RunStore, Suspend

Open = Callable[[], RunStore]

PAST = 1_700_000_000.0
FUTURE = 4_000_000_000.0


def run(number: int, **fields: Any) -> RunState:
    """Execution `number`, accepted that many seconds after `PAST`."""
    values: dict[str, Any] = {
        "id": f"01R{number:06}",
        "workflow": "/A",
        "revision": "r1",
        "trigger": "start",
        "trigger_type": "trigger.manual",
        "input": f'{{"number":{number}}}',
        "started": PAST + number,
        "secret": "s3cret",
    }
    return RunState(**{**values, **fields})


def entry(key: str, number: int, value: str = '"v"', **fields: Any) -> Entry:
    return Entry(key, **{"kind": Kind.RESULT, "value": value, "number": number, **fields})


def claim(store: RunStore, limit: int = 10) -> list[RunState]:
    return store.claim(limit, now=time.time())


def claimed(store: RunStore, state: RunState) -> RunState:
    """An execution that `store`'s host has taken."""
    store.create([state])
    taken = store.claim_one(state.id, statuses=[RunStatus.QUEUED])
    assert taken is not None
    return taken


def suspended(store: RunStore, state: RunState, *waits: Wait) -> RunState:
    """An execution that waits."""
    taken = claimed(store, state)
    assert store.change([Suspend(taken.id, taken.fence, waits)]) == [True]
    return taken


def failed(store: RunStore, state: RunState) -> RunState:
    """A dead letter."""
    taken = claimed(store, state)
    assert store.change([Fail(taken.id, taken.fence, '{"code":"x"}')]) == [True]
    return taken


def stored(store: RunStore, id: str) -> RunState:
    kept = store.load(id)
    assert kept is not None
    return kept.state


def keys(store: RunStore, id: str) -> list[str]:
    kept = store.load(id)
    assert kept is not None
    return [each.key for each in kept.entries]


def same(state: RunState, other: RunState) -> bool:
    """Whether they tell the same, but for when they last changed."""
    return replace(state, updated=0.0) == replace(other, updated=0.0)


def ids(states: Sequence[RunState]) -> list[int]:
    return [int(state.id[3:]) for state in states]


def at_once(due: float | None) -> bool:
    return due is not None and due <= time.time()


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls return, each made in a thread of its own, at the same time."""
    gate = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


FULL = run(
    1,
    workflow="/Ü\0💥",
    durable=False,
    secret="🔑",
    vars='{"a":1}',
    parent="01P",
    parent_step="call[3]!answer",
    depth=3,
    fence=7,
    due=FUTURE,
    waits=(
        Wait("a[1]!answer", "webhook", FUTURE, {"step": "a", "n": [1, 2.5, None, "é\0"]}),
        Wait("b!answer", "call"),
    ),
    status=RunStatus.WAITING,
    replied=True,
    failures=2,
    error='{"message":"é"}',
    cancel="no more",
    audit=({"at": 1.5, "by": "Zoë", "action": "retry", "steps": ["a"]},),
)
"""An execution with something in every place but `owner` and `updated`."""
