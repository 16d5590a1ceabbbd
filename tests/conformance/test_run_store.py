"""What every store of unfinished executions must do, whatever it stores in."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nodegx.runtime.durable.state import Entry, Kind, RunState, RunStatus, Wait
from nodegx.runtime.durable.store import (
    Append,
    Change,
    Fail,
    Finish,
    Fire,
    RunQuery,
    RunStore,
    Suspend,
)

Open = Callable[[], RunStore]

PAST = 1_700_000_000.0
FUTURE = 4_000_000_000.0

_numbers = itertools.count(1)


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


# --- new executions -------------------------------------------------------------------------------


def test_executions_are_kept_as_they_are(runs: RunStore) -> None:
    plain = {field.name: getattr(run(1), field.name) for field in fields(RunState)}
    alike = [name for name, value in plain.items() if getattr(FULL, name) == value]
    assert sorted(alike) == [
        *("id", "input", "owner", "revision", "started", "trigger", "trigger_type", "updated")
    ]
    before = time.time()
    assert runs.create([FULL, run(2)]) == [True, True]
    kept = runs.load(FULL.id)
    assert kept is not None
    assert same(kept.state, FULL)
    assert kept.entries == []
    assert before - 5 < kept.state.updated < time.time() + 5
    assert same(stored(runs, "01R000002"), run(2))
    assert runs.load("nobody") is None


def test_what_is_there_stays_as_it_is(runs: RunStore) -> None:
    assert runs.create([run(1), run(2)]) == [True, True]
    again = [run(3), run(1, input="1"), run(3, input="2"), run(4)]
    assert runs.create(again) == [True, False, False, True]
    assert stored(runs, run(1).id).input == run(1).input
    assert stored(runs, run(3).id).input == run(3).input
    assert runs.create([]) == []


def test_an_execution_may_be_created_with_its_owner(runs: RunStore, open_runs: Open) -> None:
    mine = run(1, status=RunStatus.RUNNING, owner=runs.host, fence=1)
    assert runs.create([mine]) == [True]
    assert claim(open_runs()) == []
    assert claim(runs) == []
    assert runs.change([Append(mine.id, 1, [entry("a", 1)])]) == [True]
    assert keys(runs, mine.id) == ["a"]


def test_large_batches_are_kept_whole(runs: RunStore) -> None:
    assert runs.create([run(number) for number in range(1, 231)]) == [True] * 230
    assert len(runs.list(RunQuery(), limit=500)) == 230


def test_everything_is_there_after_opening_again(open_runs: Open) -> None:
    first = open_runs()
    taken = claimed(first, run(1))
    first.change([Append(taken.id, taken.fence, [entry("a", 1)])])
    first.create([run(2)])
    first.close()
    first.close()
    second = open_runs()
    assert keys(second, taken.id) == ["a"]
    assert second.counts()[RunStatus.QUEUED] == 1


# --- claims ---------------------------------------------------------------------------------------


def test_queued_executions_are_claimed_the_oldest_first(runs: RunStore) -> None:
    runs.create([run(3), run(1), run(2)])
    first = claim(runs, 2)
    assert ids(first) == [1, 2]
    for state in first:
        assert (state.status, state.owner, state.fence) == (RunStatus.RUNNING, runs.host, 1)
        assert same(stored(runs, state.id), state)
    assert ids(claim(runs)) == [3]
    assert claim(runs) == []


def test_what_is_due_is_claimed_and_what_is_not_is_not(runs: RunStore) -> None:
    soon = Wait("a!answer", "time", PAST)
    suspended(runs, run(1), soon)
    suspended(runs, run(2), Wait("a!answer", "time", FUTURE))
    suspended(runs, run(3), Wait("a!answer", "webhook"))
    suspended(runs, run(4), Wait("a!answer", "webhook", FUTURE), Wait("b!answer", "time", PAST))
    failed(runs, run(5))
    states = claim(runs)
    assert sorted(ids(states)) == [1, 4]
    state = next(state for state in states if state.id == run(1).id)
    assert (state.status, state.owner, state.fence) == (RunStatus.RUNNING, runs.host, 2)
    assert (state.waits, state.due) == ((soon,), PAST)
    assert claim(runs) == []


def test_a_claim_takes_no_more_than_it_may(runs: RunStore) -> None:
    for number in range(1, 4):
        suspended(runs, run(number), Wait("a", "time", PAST))
    runs.create([run(4), run(5)])
    seen: list[int] = []
    for _ in range(3):
        states = claim(runs, 2)
        assert len(states) <= 2
        seen += ids(states)
    assert sorted(seen) == [1, 2, 3, 4, 5]
    assert runs.claim(0, now=time.time()) == []


def test_hosts_that_claim_at_once_get_each_execution_once(open_runs: Open, many: int) -> None:
    store = open_runs()
    store.create([run(number) for number in range(many)])

    def drain() -> list[int]:
        mine = open_runs()
        mine.beat(60)
        taken: list[int] = []
        while left := mine.counts()[RunStatus.QUEUED]:
            states = claim(mine, min(left, 7))
            assert all(state.owner == mine.host for state in states)
            taken += ids(states)
        return taken

    taken = together(*[drain] * 5)
    assert sorted(itertools.chain(*taken)) == list(range(many))


def test_threads_of_one_host_get_each_execution_once(runs: RunStore) -> None:
    runs.create([run(number) for number in range(60)])

    def drain() -> list[int]:
        taken: list[int] = []
        while runs.counts()[RunStatus.QUEUED]:
            taken += ids(claim(runs, 3))
        return taken

    taken = together(*[drain] * 4)
    assert sorted(itertools.chain(*taken)) == list(range(60))


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.WAITING, RunStatus.FAILED])
def test_one_execution_can_be_taken_by_its_status(runs: RunStore, status: RunStatus) -> None:
    state = run(1, status=status, due=FUTURE, audit=({"by": "a"},))
    runs.create([state])
    others = [each for each in RunStatus if each != status]
    assert runs.claim_one(state.id, statuses=others) is None
    assert same(stored(runs, state.id), state)
    taken = runs.claim_one(state.id, statuses=[*others, status], audit={"by": "b", "at": 1.5})
    assert taken is not None
    assert (taken.status, taken.owner, taken.fence) == (RunStatus.RUNNING, runs.host, 1)
    assert taken.audit == ({"by": "a"}, {"by": "b", "at": 1.5})
    assert same(stored(runs, state.id), taken)
    assert runs.claim_one("nobody", statuses=list(RunStatus)) is None


def test_one_execution_that_runs_is_taken_from_a_dead_host_only(
    runs: RunStore, open_runs: Open
) -> None:
    other = open_runs()
    other.beat(60)
    taken = claimed(other, run(1))
    for store in (runs, other):
        assert store.claim_one(taken.id, statuses=list(RunStatus)) is None
    other.leave()
    assert runs.claim_one(taken.id, statuses=[RunStatus.FAILED]) is None
    again = runs.claim_one(taken.id, statuses=[RunStatus.RUNNING])
    assert again is not None
    assert (again.owner, again.fence) == (runs.host, taken.fence + 1)


# --- hosts that die -------------------------------------------------------------------------------


def test_what_a_host_had_can_be_claimed_once_its_lease_is_over_and_not_before(
    runs: RunStore, open_runs: Open
) -> None:
    dead = open_runs()
    begun = time.time()
    dead.beat(1.5)
    taken = claimed(dead, run(1))
    dead.change([Append(taken.id, taken.fence, [entry("a", 1)])])
    while not (states := claim(runs)):
        assert time.time() < begun + 60
        time.sleep(0.02)
    assert time.time() >= begun + 1.45
    assert ids(states) == [1]
    assert (states[0].owner, states[0].fence) == (runs.host, taken.fence + 1)
    assert keys(runs, taken.id) == ["a"]
    assert dead.change([Append(taken.id, taken.fence, [entry("b", 2)])]) == [False]
    assert claim(dead) == []


def test_a_host_that_beats_keeps_what_it_has(runs: RunStore, open_runs: Open) -> None:
    alive = open_runs()
    alive.beat(30)
    claimed(alive, run(1))
    alive.beat(60)
    assert claim(runs) == []
    assert runs.claim_one(run(1).id, statuses=[RunStatus.RUNNING]) is None
    assert claim(alive) == []


def test_a_host_keeps_what_it_claims_before_its_first_beat(runs: RunStore, open_runs: Open) -> None:
    new = open_runs()
    claimed(new, run(1))
    assert claim(runs) == []


def test_what_a_host_leaves_can_be_claimed_at_once(runs: RunStore, open_runs: Open) -> None:
    other = open_runs()
    other.beat(600)
    other.create([run(1), run(2)])
    assert len(claim(other)) == 2
    other.leave()
    assert ids(sorted(claim(runs), key=lambda state: state.id)) == [1, 2]
    other.leave()
    other.close()


# --- what owners write ----------------------------------------------------------------------------

CHANGES: dict[str, Callable[[str, int], Change]] = {
    "append": lambda id, fence: Append(id, fence, [entry("new", 9)]),
    "suspend": lambda id, fence: Suspend(id, fence, (Wait("w", "time", PAST),), [entry("new", 9)]),
    "fail": lambda id, fence: Fail(id, fence, "{}", [entry("new", 9)]),
    "finish": lambda id, fence: Finish(id, fence),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_former_owner_is_refused(
    runs: RunStore, open_runs: Open, change: Callable[[str, int], Change]
) -> None:
    former = open_runs()
    taken = claimed(former, run(1))
    former.change([Append(taken.id, taken.fence, [entry("old", 1)])])
    former.leave()
    (mine,) = claim(runs)
    before = runs.load(taken.id)
    for fence in (taken.fence, taken.fence - 1, taken.fence + 5):
        assert former.change([change(taken.id, fence)]) == [False]
    assert former.update(replace(taken, input="1")) is False
    assert runs.load(taken.id) == before
    assert runs.change([change(mine.id, mine.fence)]) == [True]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_is_gone_cannot_be_changed(
    runs: RunStore, change: Callable[[str, int], Change]
) -> None:
    assert runs.change([change("nobody", 0)]) == [False]
    taken = claimed(runs, run(1))
    assert runs.delete([taken.id]) == 1
    assert runs.change([change(taken.id, taken.fence)]) == [False]
    assert runs.update(taken) is False
    assert runs.load(taken.id) is None


def test_entries_come_back_in_the_order_in_which_they_were_written(runs: RunStore) -> None:
    taken = claimed(runs, run(1))
    first = Entry("z", Kind.RESULT, '{"a":"é"}', 1, "d1", "^", PAST, 0.25, 3)
    second = Entry("a", Kind.WAIT, "[1]", 2, "d2", "z")
    third = Entry("m", Kind.FAILURE, "{}", 3)
    runs.change([Append(taken.id, taken.fence, [second, first])])
    runs.change([Append(taken.id, taken.fence, [third])])
    kept = runs.load(taken.id)
    assert kept is not None
    assert kept.entries == [first, second, third]


def test_an_entry_replaces_one_of_the_same_key_unless_that_is_an_answer(runs: RunStore) -> None:
    taken = claimed(runs, run(1))
    append = Append(taken.id, taken.fence, [entry("a", 1), entry("b", 2)])
    assert runs.change([append, append]) == [True, True]
    assert runs.answer(taken.id, "c", '"yes"')
    newer = [entry("a", 3, "3", kind=Kind.FAILURE, attempts=2), entry("c", 4, '"no"')]
    assert runs.change([Append(taken.id, taken.fence, newer)]) == [True]
    kept = runs.load(taken.id)
    assert kept is not None
    found = {each.key: each for each in kept.entries}
    assert found["a"] == newer[0]
    assert (found["c"].kind, found["c"].value, found["c"].number) == (Kind.ANSWER, '"yes"', 0)
    assert len(found) == len(kept.entries) == 3


def test_changes_of_several_executions_are_made_in_their_order(
    runs: RunStore, open_runs: Open
) -> None:
    one, two, three = (claimed(runs, run(number)) for number in (1, 2, 3))
    other = claimed(open_runs(), run(4))
    results = runs.change(
        [
            Append(one.id, one.fence, [entry("a", 1)]),
            Append("nobody", 1, [entry("a", 1)]),
            Finish(two.id, two.fence),
            Append(two.id, two.fence, [entry("b", 1)]),
            Append(other.id, other.fence + 1, [entry("a", 1)]),
            Append(one.id, one.fence, [entry("a", 2, "2"), entry("b", 3)]),
            Fail(three.id, three.fence, "{}", [entry("a", 1)]),
            Suspend(one.id, one.fence, (Wait("w", "time", FUTURE),), [entry("c", 4)]),
        ]
    )
    assert results == [True, False, True, False, False, True, True, True]
    assert keys(runs, one.id) == ["a", "b", "c"]
    assert stored(runs, one.id).status == RunStatus.WAITING
    assert runs.load(two.id) is None
    assert stored(runs, three.id).status == RunStatus.FAILED
    assert keys(runs, other.id) == []
    assert runs.change([]) == []


def test_a_suspended_execution_is_nobodys(runs: RunStore) -> None:
    taken = claimed(runs, run(1))
    waits = (
        Wait("a", "webhook", FUTURE + 5, {"x": 1}),
        Wait("b", "time", FUTURE),
        Wait("c", "call"),
    )
    runs.change([Suspend(taken.id, taken.fence, waits, [entry("a!wait", 1)], replied=True)])
    state = stored(runs, taken.id)
    assert (state.status, state.owner, state.waits) == (RunStatus.WAITING, None, waits)
    assert (state.due, state.replied, state.fence) == (FUTURE, True, taken.fence)
    assert keys(runs, taken.id) == ["a!wait"]
    assert runs.update(state) is False


def test_a_suspension_may_say_itself_when_to_go_on(runs: RunStore) -> None:
    taken = claimed(runs, run(1, replied=True))
    runs.change([Suspend(taken.id, taken.fence, (Wait("a", "time", PAST),), due=FUTURE)])
    state = stored(runs, taken.id)
    assert (state.due, state.replied) == (FUTURE, True)
    taken = claimed(runs, run(2))
    runs.change([Suspend(taken.id, taken.fence, (Wait("a", "webhook"),))])
    assert stored(runs, taken.id).due is None
    runs.change([Suspend(taken.id, taken.fence, (Wait("a", "webhook"),))])  # again, unanswered
    assert stored(runs, taken.id).due is None


def test_what_failed_stays_as_a_dead_letter(runs: RunStore) -> None:
    taken = claimed(runs, run(1, failures=1))
    fail = Fail(taken.id, taken.fence, '{"code":"x"}', [entry("a", 1)])
    assert runs.change([fail]) == [True]
    runs.change([fail])  # its answer was lost, say
    state = stored(runs, taken.id)
    assert (state.status, state.owner, state.due) == (RunStatus.FAILED, None, None)
    assert (state.error, state.failures, state.waits) == ('{"code":"x"}', 2, ())
    assert keys(runs, taken.id) == ["a"]
    assert claim(runs) == []


def test_of_what_is_finished_nothing_stays(runs: RunStore) -> None:
    taken = claimed(runs, run(1))
    runs.change([Append(taken.id, taken.fence, [entry("a", 1)])])
    runs.answer(taken.id, "b", "1")
    assert runs.change([Finish(taken.id, taken.fence)]) == [True]
    assert runs.load(taken.id) is None
    assert runs.answer(taken.id, "c", "1") is False
    runs.create([run(1)])
    assert keys(runs, taken.id) == []


def test_updated_tells_of_the_latest_change(runs: RunStore) -> None:
    taken = claimed(runs, run(1, updated=5.0))
    before = stored(runs, taken.id).updated
    assert abs(before - time.time()) < 60
    time.sleep(0.01)
    runs.change([Suspend(taken.id, taken.fence, (Wait("a", "webhook"),))])
    assert stored(runs, taken.id).updated > before


# --- answers --------------------------------------------------------------------------------------


def test_an_answer_makes_what_waits_for_it_due(runs: RunStore) -> None:
    suspended(runs, run(1), Wait("a", "webhook", FUTURE), Wait("b", "webhook"))
    assert runs.answer(run(1).id, "other", "1") is True
    assert claim(runs) == []
    assert runs.answer(run(1).id, "b", '{"body":"é\\u0000"}') is True
    assert ids(claim(runs)) == [1]
    kept = runs.load(run(1).id)
    assert kept is not None
    answer = next(each for each in kept.entries if each.key == "b")
    assert (answer.kind, answer.value, answer.number) == (
        Kind.ANSWER,
        '{"body":"é\\u0000"}',
        0,
    )


def test_the_first_answer_counts(runs: RunStore) -> None:
    suspended(runs, run(1), Wait("a", "webhook"))
    assert runs.answer(run(1).id, "a", "1") is True
    assert runs.answer(run(1).id, "a", "2") is False
    kept = runs.load(run(1).id)
    assert kept is not None
    assert [each.value for each in kept.entries] == ["1"]
    assert runs.answer("nobody", "a", "1") is False


@pytest.mark.parametrize("status", list(RunStatus))
def test_answers_may_come_early(runs: RunStore, status: RunStatus) -> None:
    runs.create([run(1, status=status)])
    assert runs.answer(run(1).id, "a", "1") is True
    assert stored(runs, run(1).id).status == status
    assert keys(runs, run(1).id) == ["a"]


def test_an_answer_that_came_before_the_wait_makes_it_due_at_once(runs: RunStore) -> None:
    taken = claimed(runs, run(1))
    runs.answer(taken.id, "a", "1")
    runs.change([Suspend(taken.id, taken.fence, (Wait("a", "webhook", FUTURE),), due=FUTURE)])
    assert ids(claim(runs)) == [1]
    taken = claimed(runs, run(2))
    runs.answer(taken.id, "z", "1")
    runs.change([Suspend(taken.id, taken.fence, (Wait("a", "webhook"),))])
    assert claim(runs) == []


def test_no_answer_is_lost_to_a_suspension_at_the_same_time(
    runs: RunStore, open_runs: Open
) -> None:
    other = open_runs()
    for number in range(1, 41):
        taken = claimed(runs, run(number))
        suspend = Suspend(taken.id, taken.fence, (Wait("a", "webhook"),))
        answered, (kept,) = together(
            lambda id=taken.id: other.answer(id, "a", "1"),
            lambda change=suspend: runs.change([change]),
        )
        assert (answered, kept) == (True, True)
        assert ids(claim(runs)) == [number]
        assert runs.change([Finish(taken.id, taken.fence + 1)]) == [True]


def test_of_answers_at_the_same_time_one_counts(runs: RunStore, open_runs: Open) -> None:
    other = open_runs()
    for number in range(1, 16):
        id = suspended(runs, run(number), Wait("a", "webhook")).id
        results = together(
            lambda id=id: runs.answer(id, "a", "1"), lambda id=id: other.answer(id, "a", "2")
        )
        assert sorted(results) == [False, True]
        kept = runs.load(id)
        assert kept is not None
        assert [each.value for each in kept.entries] == ["1" if results[0] else "2"]


# --- people ---------------------------------------------------------------------------------------


def test_an_owner_may_replace_its_execution_and_drop_entries(runs: RunStore) -> None:
    taken = claimed(runs, replace(FULL, status=RunStatus.QUEUED))
    written = [entry("a", 1), entry("b", 2), entry("c", 3)]
    runs.change([Append(taken.id, taken.fence, written)])
    runs.answer(taken.id, "d", "1")
    newer = replace(
        taken,
        input='{"x":1}',
        revision="r2",
        failures=0,
        error=None,
        cancel=None,
        waits=(),
        audit=(*taken.audit, {"by": "ada", "action": "edit"}),
    )
    assert runs.update(newer, drop=["a", "d", "nothing"]) is True
    assert same(stored(runs, taken.id), newer)
    assert keys(runs, taken.id) == ["b", "c"]
    assert runs.update(newer) is True
    assert keys(runs, taken.id) == ["b", "c"]
    assert claim(runs) == []


def test_an_owner_may_let_go(runs: RunStore, open_runs: Open) -> None:
    taken = claimed(runs, run(1))
    freed = replace(taken, owner=None, status=RunStatus.QUEUED)
    assert runs.update(freed) is True
    assert same(stored(runs, taken.id), freed)
    assert runs.update(freed) is False
    (again,) = claim(open_runs())
    assert again.fence == taken.fence + 1
    assert runs.update(replace(taken, input="1")) is False
    assert stored(runs, taken.id).input == taken.input


def test_letting_go_of_what_is_answered_makes_it_due(runs: RunStore) -> None:
    taken = claimed(runs, run(1))
    waits = (Wait("a", "webhook"),)
    runs.answer(taken.id, "a", "1")
    runs.update(replace(taken, owner=None, status=RunStatus.WAITING, waits=waits))
    assert ids(claim(runs)) == [1]


def test_no_audit_is_lost(runs: RunStore) -> None:
    taken = claimed(runs, run(1, audit=({"by": "a"},)))
    assert runs.request_cancel(taken.id, "enough", {"by": "b"}) is True
    assert runs.update(replace(taken, audit=(*taken.audit, {"by": "c"}))) is True
    assert [each["by"] for each in stored(runs, taken.id).audit] == ["a", "b", "c"]
    runs.change([Fail(taken.id, taken.fence, "{}")])
    again = runs.claim_one(taken.id, statuses=[RunStatus.FAILED], audit={"by": "d"})
    assert again is not None
    assert [each["by"] for each in again.audit] == ["a", "b", "c", "d"]


def test_owners_learn_of_cancellations(runs: RunStore, open_runs: Open) -> None:
    other = open_runs()
    mine, theirs = claimed(runs, run(1)), claimed(other, run(2))
    runs.create([run(3)])
    suspended(runs, run(4), Wait("a", "webhook"))
    assert other.request_cancel(mine.id, "Zoë said so", {"by": "Zoë"}) is True
    for id in (run(3).id, run(4).id, "nobody"):
        assert runs.request_cancel(id, "x", {"by": "x"}) is False
        assert id == "nobody" or stored(runs, id).audit == ()
    (state,) = runs.cancels()
    assert (state.id, state.cancel, state.audit) == (mine.id, "Zoë said so", ({"by": "Zoë"},))
    assert other.cancels() == []
    assert runs.change([Append(mine.id, mine.fence, [entry("a", 1)])]) == [True]
    assert runs.request_cancel(theirs.id, "y", {"by": "y"}) is True
    assert [each.id for each in other.cancels()] == [theirs.id]
    runs.change([Finish(mine.id, mine.fence)])
    assert runs.cancels() == []


def test_what_is_to_be_cancelled_does_not_go_to_sleep(runs: RunStore) -> None:
    taken = claimed(runs, run(1))
    runs.request_cancel(taken.id, "x", {"by": "x"})
    runs.change([Suspend(taken.id, taken.fence, (Wait("a", "webhook"),))])
    assert runs.cancels() == []
    assert ids(claim(runs)) == [1]
    assert ids(runs.cancels()) == [1]


# --- schedules ------------------------------------------------------------------------------------


def test_each_moment_is_fired_once(runs: RunStore, open_runs: Open) -> None:
    other = open_runs()
    assert runs.fire([Fire("/A#s", PAST, run(1)), Fire("/A#s", PAST + 1, run(2))]) == [True, True]
    again = [
        Fire("/A#s", PAST + 1, run(3)),
        Fire("/A#t", PAST + 1, run(4)),
        Fire("/A#s", PAST, run(5)),
        Fire("/A#s", PAST + 2.5, run(6)),
    ]
    assert other.fire(again) == [False, True, False, True]
    assert ids(runs.list(RunQuery())) == [1, 2, 4, 6]
    assert runs.fire([]) == []
    assert ids(claim(other)) == [1, 2, 4, 6]
    for state in other.list(RunQuery()):
        other.change([Finish(state.id, 1)])
    assert runs.fire([Fire("/A#s", PAST, run(7))]) == [False]


def test_hosts_that_fire_at_once_fire_each_moment_once(open_runs: Open) -> None:
    stores = [open_runs() for _ in range(4)]

    def fire(index: int) -> list[bool]:
        order = range(20) if index % 2 else range(19, -1, -1)
        moments = [Fire("/A#s", PAST + each, run(100 * index + each)) for each in order]
        return stores[index].fire(moments)

    results = together(*[lambda index=index: fire(index) for index in range(4)])
    assert sum(itertools.chain(*results)) == 20
    found = stores[0].list(RunQuery())
    assert sorted(number % 100 for number in ids(found)) == list(range(20))


def test_a_moment_is_not_fired_without_its_execution(runs: RunStore) -> None:
    bad = run(1, audit=({"by": object()},))
    with pytest.raises(TypeError):
        runs.fire([Fire("/A#s", PAST, bad)])
    assert runs.fire([Fire("/A#s", PAST, run(1))]) == [True]


# --- looking --------------------------------------------------------------------------------------


@pytest.fixture
def filled(runs: RunStore) -> RunStore:
    """A store with a few executions of all kinds."""
    claimed(runs, run(1))
    suspended(runs, run(2, workflow="/B", parent="01P"), Wait("a", "time", FUTURE))
    failed(runs, run(3, revision="r2"))
    failed(runs, run(4, workflow="/B"))
    runs.create([run(5), run(6, parent="01P")])
    return runs


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (RunQuery(), [1, 2, 3, 4, 5, 6]),
        (RunQuery(workflow="/B"), [2, 4]),
        (RunQuery(workflow="/C"), []),
        (RunQuery(statuses=(RunStatus.FAILED,)), [3, 4]),
        (RunQuery(statuses=(RunStatus.FAILED, RunStatus.WAITING)), [2, 3, 4]),
        (RunQuery(statuses=(RunStatus.RUNNING,), workflow="/A"), [1]),
        (RunQuery(since=PAST + 3), [3, 4, 5, 6]),
        (RunQuery(until=PAST + 3), [1, 2]),
        (RunQuery(since=PAST + 2, until=PAST + 5, workflow="/B"), [2, 4]),
        (RunQuery(parent="01P"), [2, 6]),
        (RunQuery(parent="01P", statuses=(RunStatus.QUEUED,)), [6]),
        (RunQuery(ids=("01R000005", "nobody", "01R000001", "01R000005")), [1, 5]),
        (RunQuery(ids=("01R000002", "01R000004"), statuses=(RunStatus.FAILED,)), [4]),
        (RunQuery(workflow="'; DROP TABLE runs; --"), []),
    ],
)
def test_lists_hold_what_was_asked_for(
    filled: RunStore, query: RunQuery, expected: list[int]
) -> None:
    assert ids(filled.list(query)) == expected
    assert ids(filled.list(query, limit=1)) == expected[:1]
    assert ids(filled.list(query, after="01R000003")) == [each for each in expected if each > 3]


def test_lists_hold_whole_executions(filled: RunStore) -> None:
    for state in filled.list(RunQuery()):
        assert state == stored(filled, state.id)


def test_pages_follow_one_another(runs: RunStore) -> None:
    runs.create([run(number) for number in range(1, 24)])
    seen: list[int] = []
    after = None
    while page := runs.list(RunQuery(workflow="/A"), limit=5, after=after):
        seen += ids(page)
        after = page[-1].id
    assert seen == list(range(1, 24))


def test_ids_are_ordered_by_their_characters(runs: RunStore) -> None:
    names = ["b", "a", "B", "A", "_", "0", "a b", "ab", "Ä"]
    runs.create([run(1, id=name) for name in names])
    assert [state.id for state in runs.list(RunQuery())] == sorted(names)
    assert [state.id for state in runs.list(RunQuery(), after="B")] == [
        name for name in sorted(names) if name > "B"
    ]
    assert [state.id for state in runs.list(RunQuery(ids=tuple(names)), limit=3)] == sorted(names)[
        :3
    ]


def test_many_ids_may_be_asked_for(runs: RunStore) -> None:
    runs.create([run(number) for number in range(0, 1200, 300)])
    query = RunQuery(ids=tuple(run(number).id for number in range(1200)))
    assert ids(runs.list(query)) == [0, 300, 600, 900]
    assert runs.delete(query.ids) == 4


def test_counts_tell_how_many_there_are_of_each_status(filled: RunStore) -> None:
    assert filled.counts() == {
        RunStatus.QUEUED: 2,
        RunStatus.RUNNING: 1,
        RunStatus.WAITING: 1,
        RunStatus.FAILED: 2,
    }


def test_revisions_are_those_that_are_still_needed(filled: RunStore) -> None:
    assert filled.revisions() == {("/A", "r1"), ("/A", "r2"), ("/B", "r1")}
    filled.delete([run(3).id])
    assert filled.revisions() == {("/A", "r1"), ("/B", "r1")}


def test_the_next_due_time(runs: RunStore) -> None:
    assert runs.next_due() is None
    suspended(runs, run(1), Wait("a", "webhook"))
    failed(runs, run(2))
    claimed(runs, run(3))
    assert runs.next_due() is None
    suspended(runs, run(4), Wait("a", "time", FUTURE))
    assert runs.next_due() == pytest.approx(FUTURE, abs=5)
    suspended(runs, run(5), Wait("a", "time", FUTURE - 1000))
    assert runs.next_due() == pytest.approx(FUTURE - 1000, abs=5)
    runs.answer(run(1).id, "a", "1")
    assert at_once(runs.next_due())
    claim(runs)
    assert runs.next_due() == pytest.approx(FUTURE - 1000, abs=5)
    runs.create([run(6)])
    assert at_once(runs.next_due())


# --- removal --------------------------------------------------------------------------------------


def test_deleting_removes_exactly_those(filled: RunStore, open_runs: Open) -> None:
    taken = claimed(open_runs(), run(7))
    filled.answer(taken.id, "a", "1")
    assert filled.delete([run(2).id, taken.id, "nobody", run(2).id]) == 2
    assert ids(filled.list(RunQuery())) == [1, 3, 4, 5, 6]
    assert filled.delete([]) == 0
    filled.create([run(7)])
    assert keys(filled, run(7).id) == []


def test_pruning_removes_dead_letters_and_nothing_else(filled: RunStore) -> None:
    assert filled.prune(time.time() - 100) == 0
    assert ids(filled.list(RunQuery())) == [1, 2, 3, 4, 5, 6]
    assert filled.prune(time.time() + 100) == 2
    assert ids(filled.list(RunQuery())) == [1, 2, 5, 6]
    assert filled.prune(time.time() + 100) == 0


def test_pruning_forgets_moments(runs: RunStore) -> None:
    fires = [Fire("/A#s", PAST + each, run(each)) for each in (1, 2, 3)]
    assert runs.fire(fires) == [True, True, True]
    runs.prune(PAST + 3)
    assert ids(runs.list(RunQuery())) == [1, 2, 3]  # which are queued
    later = [replace(each.run, id=f"{each.run.id}0") for each in fires]
    again = [
        Fire(each.schedule, each.moment, state) for each, state in zip(fires, later, strict=True)
    ]
    assert runs.fire(again) == [True, True, False]


# --- any text -------------------------------------------------------------------------------------

TEXT = st.text(max_size=40)
ENTRIES = st.lists(
    st.builds(
        Entry,
        key=st.text(min_size=1, max_size=40),
        kind=st.sampled_from([kind for kind in Kind if kind != Kind.ANSWER]),
        value=TEXT,
        number=st.integers(1, 2**31 - 1),
        digest=TEXT,
        after=TEXT,
        started=st.floats(0, 1e10),
        duration=st.floats(0, 1e6),
        attempts=st.integers(1, 1000),
    ),
    max_size=6,
    unique_by=(lambda each: each.key, lambda each: each.number),
)


@given(ENTRIES)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_entries_come_back_as_they_went_in(runs: RunStore, entries: list[Entry]) -> None:
    taken = claimed(runs, run(next(_numbers)))
    assert runs.change([Append(taken.id, taken.fence, entries)]) == [True]
    kept = runs.load(taken.id)
    assert kept is not None
    assert kept.entries == sorted(entries, key=lambda each: each.number)
    assert runs.update(taken, drop=[each.key for each in entries[:2]]) is True
    assert sorted(keys(runs, taken.id)) == sorted(each.key for each in entries[2:])


@given(st.text(min_size=1, max_size=40), TEXT)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_answers_of_any_text_wake(runs: RunStore, key: str, value: str) -> None:
    number = next(_numbers)
    suspended(runs, run(number, input=value), Wait(key, "webhook", None, {"text": value}))
    assert runs.answer(run(number).id, key, value) is True
    (state,) = claim(runs)
    assert (state.input, state.waits) == (value, (Wait(key, "webhook", None, {"text": value}),))
    kept = runs.load(state.id)
    assert kept is not None
    assert [(each.key, each.value) for each in kept.entries] == [(key, value)]


@pytest.mark.parametrize("id", ["", "a\0b", "\ue000", "'; --", "é" * 300])
def test_any_text_may_be_asked_for(runs: RunStore, id: str) -> None:
    runs.create([run(1)])
    assert runs.load(id) is None
    assert runs.answer(id, "a", "1") is False
    assert runs.answer(run(1).id, id or "x", "1") is True
    assert runs.claim_one(id, statuses=list(RunStatus)) is None
    assert runs.delete([id]) == 0


@pytest.mark.parametrize("unit", ["0123456789", "\0é💥a"])
def test_large_values_come_back_whole(runs: RunStore, unit: str) -> None:
    text = unit * (10_000_000 // len(unit.encode()))
    taken = claimed(runs, run(1, input=text, vars=text))
    assert taken.input == taken.vars == text
    runs.change([Append(taken.id, taken.fence, [entry("a", 1, text)])])
    assert runs.answer(taken.id, "b", text) is True
    runs.change([Fail(taken.id, taken.fence, text)])
    kept = runs.load(taken.id)
    assert kept is not None
    assert sorted(each.key for each in kept.entries if each.value == text) == ["a", "b"]
    assert (kept.state.input, kept.state.error) == (text, text)
    runs.change([Finish(taken.id, taken.fence)])


# --- all at once ----------------------------------------------------------------------------------


def test_many_hosts_take_executions_through_their_lives(open_runs: Open, many: int) -> None:
    """Each execution is suspended and answered by whoever comes first, then finished."""
    store = open_runs()
    total = min(many, 60)
    store.create([run(number) for number in range(total)])
    finished: list[list[int]] = []

    def work(mine: RunStore) -> None:
        mine.beat(60)
        done: list[int] = []
        finished.append(done)
        deadline = time.time() + 60
        while any(mine.counts().values()):
            assert time.time() < deadline
            for state in claim(mine, 5):
                if state.fence == 1:
                    waits = (Wait("a", "webhook"),)
                    assert mine.change([Suspend(state.id, 1, waits, [entry("s", 1)])]) == [True]
                    continue
                assert keys(mine, state.id) == ["a", "s"]
                assert mine.change([Finish(state.id, state.fence)]) == [True]
                done += ids([state])

    def answer() -> None:
        answered: set[str] = set()
        while len(answered) < total:
            for state in store.list(RunQuery(), limit=total):
                if state.id not in answered and store.answer(state.id, "a", "1"):
                    answered.add(state.id)

    stores = [open_runs() for _ in range(3)]
    together(answer, *[lambda mine=mine: work(mine) for mine in stores])
    assert sorted(itertools.chain(*finished)) == list(range(total))
