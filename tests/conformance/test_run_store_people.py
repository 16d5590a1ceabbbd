"""What every store of unfinished executions must do: people and schedules."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from nodegx.runtime.durable.state import RunStatus, Wait
from nodegx.runtime.durable.store import (
    Append,
    Fail,
    Finish,
    Fire,
    RunQuery,
    RunStore,
    Suspend,
)

from tests.support.run_stores import (
    FULL,
    PAST,
    Open,
    claim,
    claimed,
    entry,
    ids,
    keys,
    run,
    same,
    stored,
    suspended,
    together,
)

pytestmark = pytest.mark.slow

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
