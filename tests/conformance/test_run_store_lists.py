"""What every store of unfinished executions must do: looking, removal, texts of all kinds."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nodegx.runtime.durable.state import Entry, Kind, RunStatus, Wait
from nodegx.runtime.durable.store import (
    Append,
    Fail,
    Finish,
    Fire,
    RunQuery,
    RunStore,
)

from tests.support.run_stores import (
    FUTURE,
    PAST,
    Open,
    at_once,
    claim,
    claimed,
    entry,
    failed,
    ids,
    keys,
    run,
    stored,
    suspended,
)

pytestmark = pytest.mark.slow

_numbers = itertools.count(1)


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
