"""What every store of unfinished executions must do: what owners write, and answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from nodegx.runtime.durable.state import Entry, Kind, RunStatus, Wait
from nodegx.runtime.durable.store import (
    Append,
    Change,
    Fail,
    Finish,
    RunStore,
    Suspend,
)

from tests.support.run_stores import (
    FUTURE,
    PAST,
    Open,
    claim,
    claimed,
    entry,
    ids,
    keys,
    run,
    stored,
    suspended,
    together,
)

pytestmark = pytest.mark.slow

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


def test_an_answer_that_came_before_the_claim_makes_it_due_at_once(runs: RunStore) -> None:
    runs.create([run(1)])
    runs.answer(run(1).id, "a", "1")
    (taken,) = claim(runs)
    for fence in (taken.fence, taken.fence + 1):
        runs.change([Suspend(taken.id, fence, (Wait("a", "webhook"),))])
        assert ids(claim(runs)) == [1]
    runs.change([Suspend(taken.id, taken.fence + 2, (Wait("b", "webhook"),))])
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
