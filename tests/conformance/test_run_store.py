"""What every store of unfinished executions must do: who has an execution."""

from __future__ import annotations

import itertools
import time
from dataclasses import fields

import pytest
from nodegx.runtime.durable.state import RunState, RunStatus, Wait
from nodegx.runtime.durable.store import (
    Append,
    Finish,
    RunQuery,
    RunStore,
    Suspend,
)

from tests.support.run_stores import (
    FULL,
    FUTURE,
    PAST,
    Open,
    claim,
    claimed,
    entry,
    failed,
    ids,
    keys,
    run,
    same,
    stored,
    suspended,
    together,
)

pytestmark = pytest.mark.slow

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


# --- all at once ----------------------------------------------------------------------------------


def test_many_hosts_take_executions_through_their_lives(open_runs: Open, many: int) -> None:
    """Each execution is suspended and answered by whoever comes first, then finished."""
    store = open_runs()
    total = many // 8
    store.create([run(number) for number in range(total)])
    finished: list[list[int]] = []

    def work(mine: RunStore) -> None:
        mine.beat(60)
        done: list[int] = []
        finished.append(done)
        deadline = time.time() + 100
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
