"""What every store of histories must do, whatever it stores in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.history.store import HistoryStore, Page, Query

pytestmark = pytest.mark.slow

compact = json.JSONEncoder(separators=(",", ":")).encode  # as the capture makes it

HOUR = 1_800_000_000 // 3600 * 3600.0


def execution(number: int, **fields: Any) -> ExecutionRecord:
    """Execution `number`, which started that many seconds after a full hour."""
    values: dict[str, Any] = {
        "id": f"01X{number:06}",
        "workflow": "/A",
        "trigger": "start",
        "status": Status.RUNNING,
        "started": HOUR + number,
        "revision": "r1",
        "input": compact({"number": number}),
    }
    return ExecutionRecord(**{**values, **fields})


def ended(record: ExecutionRecord, **fields: Any) -> ExecutionRecord:
    """The end of an execution, after half a second."""
    values: dict[str, Any] = {
        "status": Status.SUCCESS,
        "finished": record.started + 0.5,
        "output": '{"ok":true}',
    }
    return replace(record, **{**values, **fields})


def steps(count: int) -> list[StepRecord]:
    return [
        StepRecord(
            f"s[{number}]", "s", "data.set", HOUR, 0.25, Status.SUCCESS, 2, "done",
            compact({"text": f"é {number}"}), "[1,2.5,null]", None,
        )
        for number in range(count)
    ]  # fmt: skip


def keep(store: HistoryStore, *records: ExecutionRecord) -> None:
    """Starts, and ends what has ended."""
    running = [
        replace(record, status=Status.RUNNING, finished=None, output=None, error=None, steps=[])
        for record in records
    ]
    store.write(running, [])
    store.write([], [record for record in records if record.status != Status.RUNNING])


def ids(page: Page) -> list[int]:
    return [int(record.id[3:]) for record in page.records]


# --- writing --------------------------------------------------------------------------------------


def test_a_start_is_kept_as_it_is(store: HistoryStore) -> None:
    record = execution(1, parent="01P", host=store.host)
    store.write([record], [])
    assert store.get(record.id) == record
    assert store.get("nobody") is None


def test_an_end_replaces_its_start(store: HistoryStore) -> None:
    start = execution(1, host=store.host)
    store.write([start], [])
    end = ended(start, error='{"message":"é"}', steps=steps(3), input=None)
    store.write([], [end])
    assert store.get(start.id) == end


def test_an_end_without_its_start_is_kept_too(store: HistoryStore) -> None:
    end = ended(execution(1), steps=steps(1))
    store.write([], [end])
    assert store.get(end.id) == end


def test_start_and_end_may_come_together(store: HistoryStore) -> None:
    start = execution(1)
    store.write([start, execution(2)], [ended(start)])
    assert (store.get(start.id) or start).status == Status.SUCCESS
    store.write([], [])


def test_a_start_never_undoes_an_end(store: HistoryStore) -> None:
    start = execution(1)
    store.write([], [ended(start)])
    store.write([start], [])
    assert (store.get(start.id) or start).status == Status.SUCCESS


def test_a_start_replaces_that_it_was_queued(store: HistoryStore) -> None:
    queued = execution(1, status=Status.QUEUED, input=None, revision="r0")
    store.write([queued], [])
    store.write([queued], [])
    start = execution(1, started=HOUR + 5, host=store.host)
    store.write([start], [])
    assert store.get(start.id) == start
    store.write([queued], [])
    assert store.get(start.id) == start
    assert store.running_hosts() == [store.host]


def test_what_goes_on_replaces_what_was_kept_until_it_ends(store: HistoryStore) -> None:
    start = execution(1, durable=True, status=Status.QUEUED)
    store.write([start], [])
    people = compact([{"at": 1.0, "by": "Zoë", "action": "retry"}])
    for state in (
        replace(start, status=Status.WAITING, host="first", steps=steps(1)),
        replace(start, status=Status.RUNNING, host="other", steps=steps(2), audit=people),
        replace(ended(start), host="other", revision="r2", steps=steps(3), audit=people),
        replace(start, status=Status.RUNNING, host="other", audit="[]"),  # tried again
    ):
        store.write([], [state], synced=True)
        assert store.get(start.id) == state
        store.write([start], [])
        assert store.get(start.id) == state


def test_large_executions_come_back_whole(store: HistoryStore) -> None:
    text = json.dumps("é" * 100_000)
    end = ended(execution(1, input=text), steps=[*steps(2000), replace(steps(1)[0], output=text)])
    store.write([], [end])
    assert store.get(end.id) == end


def test_what_was_written_is_there_after_opening_again(
    open_store: Callable[[], HistoryStore],
) -> None:
    first = open_store()
    end = ended(execution(1), steps=steps(2))
    first.write([], [end])
    first.close()
    first.close()
    assert open_store().get(end.id) == end


def test_several_threads_may_write_and_read(store: HistoryStore) -> None:
    def work(base: int) -> None:
        for number in range(base, base + 20):
            keep(store, ended(execution(number)))
            store.list(Query(), limit=5)

    threads = [threading.Thread(target=work, args=(base,)) for base in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.export(Query()))) == 60
    assert sum(hour.count for hour in store.metrics()) == 60


# --- lists ----------------------------------------------------------------------------------------


@pytest.fixture
def filled(store: HistoryStore) -> HistoryStore:
    """A store with a few executions of all kinds."""
    keep(
        store,
        execution(0),
        ended(execution(1)),
        ended(execution(2), status=Status.ERROR, error='{"message":"Card 50% off_x refused"}'),
        ended(execution(3, workflow="/B", parent="01X000001")),
        ended(execution(4, workflow="/B"), status=Status.TIMEOUT, output=None),
        ended(execution(5), output='{"name":"Zo\\u00eb"}'),
    )
    return store


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [5, 4, 3, 2, 1, 0]),
        (Query(workflow="/B"), [4, 3]),
        (Query(workflow="/C"), []),
        (Query(statuses=(Status.ERROR,)), [2]),
        (Query(statuses=(Status.ERROR, Status.TIMEOUT)), [4, 2]),
        (Query(statuses=(Status.SUCCESS,)), [5, 3, 1]),
        (Query(statuses=(Status.SUCCESS, Status.RUNNING)), [5, 3, 1, 0]),
        (Query(since=HOUR + 3), [5, 4, 3]),
        (Query(until=HOUR + 3), [2, 1, 0]),
        (Query(since=HOUR + 1, until=HOUR + 3, workflow="/A"), [2, 1]),
        (Query(parent="01X000001"), [3]),
        (Query(text="refused"), [2]),
        (Query(text="REFUSED"), [2]),
        (Query(text="50% off_x"), [2]),
        (Query(text="50%x"), []),
        (Query(text="01x000004"), [4]),
        (Query(text="Zoë"), [5]),
        (Query(text='"number":3'), [3]),
        (Query(text="/b", statuses=(Status.TIMEOUT,)), [4]),
        (Query(text="';--"), []),
    ],
)
def test_lists_hold_what_was_asked_for(
    filled: HistoryStore, query: Query, expected: list[int]
) -> None:
    assert ids(filled.list(query)) == expected
    assert [int(record.id[3:]) for record in filled.export(query)] == expected


def test_lists_leave_out_the_heavy_parts_and_exports_do_not(store: HistoryStore) -> None:
    end = ended(execution(1), steps=steps(2), error='{"message":"x"}')
    keep(store, end)
    (listed,) = store.list(Query()).records
    assert listed == replace(end, steps=[], input=None, output=None)
    assert list(store.export(Query())) == [end]


def test_pages_follow_one_another_even_while_executions_arrive(store: HistoryStore) -> None:
    # Pairs start at the same moment, so that the id has to decide.
    keep(store, *(ended(execution(number, started=HOUR + number // 2)) for number in range(9)))
    page = store.list(Query(), limit=4)
    seen = ids(page)
    keep(store, ended(execution(50)))
    while page.cursor is not None:
        page = store.list(Query(), limit=4, cursor=page.cursor)
        seen += ids(page)
    assert seen == [8, 7, 6, 5, 4, 3, 2, 1, 0]


def test_a_full_last_page_has_no_next(store: HistoryStore) -> None:
    keep(store, ended(execution(1)), ended(execution(2)))
    assert store.list(Query(), limit=2).cursor is None
    assert store.list(Query(workflow="/C"), limit=2) == Page([], None)


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WzEsMl0=", "'; DROP TABLE executions; --"])
def test_a_cursor_that_is_none_is_refused(filled: HistoryStore, cursor: str) -> None:
    if cursor == "WzEsMl0=":  # [1,2] names a place, if a strange one
        assert ids(filled.list(Query(), cursor=cursor)) == []
        return
    with pytest.raises(ValueError, match="cursor"):
        filled.list(Query(), cursor=cursor)


def test_lists_find_what_waits_and_what_is_queued(filled: HistoryStore) -> None:
    waiting = execution(6, status=Status.WAITING, durable=True, audit='[{"by":"ada"}]')
    queued = execution(7, status=Status.QUEUED, durable=True)
    filled.write([], [waiting, queued])
    page = filled.list(Query(statuses=(Status.WAITING,)))
    assert page.records == [replace(waiting, input=None)]
    going_on = (Status.WAITING, Status.QUEUED, Status.RUNNING)
    assert ids(filled.list(Query(statuses=going_on))) == [7, 6, 0]
    assert ids(filled.list(Query())) == [7, 6, 5, 4, 3, 2, 1, 0]


def test_exports_have_no_limit(store: HistoryStore) -> None:
    store.write([], [ended(execution(number)) for number in range(450)])
    assert len(list(store.export(Query()))) == 450


# --- removal --------------------------------------------------------------------------------------


def test_deleting_removes_exactly_those(filled: HistoryStore) -> None:
    assert filled.delete(["01X000001", "01X000004", "nobody"]) == 2
    assert ids(filled.list(Query())) == [5, 3, 2, 0]
    assert filled.delete([]) == 0


def test_pruning_removes_what_ended_before_and_never_what_runs(filled: HistoryStore) -> None:
    assert filled.prune(HOUR + 3.4, workflow="/B") == 0
    assert filled.prune(HOUR + 3.6, workflow="/B") == 1
    assert filled.prune(HOUR + 100) == 4
    assert ids(filled.list(Query())) == [0]


@pytest.mark.parametrize("status", [Status.WAITING, Status.QUEUED])
def test_pruning_keeps_what_goes_on(store: HistoryStore, status: Status) -> None:
    store.write([], [execution(1, status=status, durable=True), ended(execution(2))])
    assert store.prune(HOUR + 100) == 1
    assert ids(store.list(Query())) == [1]


def test_pruning_keeps_what_began_before_and_ended_after(store: HistoryStore) -> None:
    keep(store, ended(execution(1), finished=HOUR + 500))
    assert store.prune(HOUR + 400) == 0
    assert store.prune(HOUR + 501) == 1


def test_pruning_copes_with_many(store: HistoryStore) -> None:
    store.write([], [ended(execution(number)) for number in range(1203)])
    assert store.prune(HOUR + 10_000) == 1203
    assert store.list(Query()).records == []


# --- dead hosts -----------------------------------------------------------------------------------


def test_what_a_dead_host_left_running_becomes_interrupted(store: HistoryStore) -> None:
    keep(
        store,
        execution(1, host="dead"),
        execution(2, host="dead"),
        ended(execution(3, host="dead")),
        execution(4, host="alive"),
    )
    assert store.running_hosts() == ["alive", "dead"]
    assert store.mark_interrupted("dead") == 2
    assert store.mark_interrupted("dead") == 0
    assert ids(store.list(Query(statuses=(Status.INTERRUPTED,)))) == [2, 1]
    assert ids(store.list(Query(statuses=(Status.RUNNING,)))) == [4]
    record = store.get("01X000001")
    assert record is not None
    assert json.loads(record.error or "")["code"] == "interrupted"
    assert record.input == '{"number":1}'
    assert store.running_hosts() == ["alive"]
    assert store.prune(HOUR + 100) == 3


def test_durable_executions_outlive_their_hosts(store: HistoryStore) -> None:
    keep(store, execution(1, host="dead", durable=True), execution(2, host="dead"))
    store.write([], [execution(3, host="gone", durable=True, status=Status.WAITING)])
    assert store.running_hosts() == ["dead"]
    assert store.mark_interrupted("dead") == 1
    assert store.mark_interrupted("gone") == 0
    assert store.running_hosts() == []
    assert ids(store.list(Query(statuses=(Status.INTERRUPTED,)))) == [2]
    assert ids(store.list(Query(statuses=(Status.RUNNING, Status.WAITING)))) == [3, 1]


# --- metrics --------------------------------------------------------------------------------------


def test_metrics_count_each_end_once_in_its_hour(store: HistoryStore) -> None:
    for seconds, status in ((0.1, Status.SUCCESS), (0.2, Status.ERROR), (0.3, Status.TIMEOUT)):
        number = int(seconds * 10)
        end = ended(execution(number), status=status, finished=HOUR + number + seconds)
        keep(store, end)
        store.write([], [end])
    keep(
        store,
        ended(execution(10, workflow="/B")),
        ended(execution(11), finished=HOUR + 3600.0),
        execution(12),
    )
    rows = store.metrics()
    assert [(row.workflow, row.hour - HOUR, row.count) for row in rows] == [
        ("/A", 0, 3),
        ("/B", 0, 1),
        ("/A", 3600, 1),
    ]
    assert (rows[0].success, rows[0].error) == (1, 2)
    assert rows[0].total == pytest.approx(0.6)
    assert rows[0].sketch.quantile(0.5) == pytest.approx(0.2, rel=0.011)
    assert rows[0].sketch.quantile(1.0) == pytest.approx(0.3, rel=0.011)


def test_metrics_count_ends_alone(store: HistoryStore) -> None:
    start = execution(1, durable=True)
    store.write([start], [])
    for status in (Status.WAITING, Status.RUNNING, Status.QUEUED, Status.WAITING):
        store.write([], [replace(start, status=status)])
        assert store.metrics() == []
    store.write([], [ended(start, status=Status.ERROR)])
    store.write([], [ended(start, status=Status.ERROR)])
    assert [(row.count, row.error) for row in store.metrics()] == [(1, 1)]
    store.write([], [replace(start, status=Status.RUNNING)])  # somebody tries it again
    store.write([], [ended(start)])
    assert [(row.count, row.success, row.error) for row in store.metrics()] == [(2, 1, 1)]


def test_metrics_can_be_narrowed(store: HistoryStore) -> None:
    for hour in range(3):
        keep(store, ended(execution(hour * 3600)), ended(execution(hour * 3600 + 1, workflow="/B")))
    found = store.metrics(workflow="/B", since=HOUR + 1, until=HOUR + 7200)
    assert [(row.workflow, row.hour) for row in found] == [("/B", HOUR + 3600)]


def test_interrupted_executions_count_as_errors_without_a_duration(store: HistoryStore) -> None:
    keep(store, execution(1, host="dead"), ended(execution(2)))
    store.mark_interrupted("dead")
    (row,) = store.metrics()
    assert (row.count, row.success, row.error, row.sketch.count) == (2, 1, 1, 1)


def test_metrics_outlive_the_executions(store: HistoryStore) -> None:
    keep(store, ended(execution(1)))
    store.prune(HOUR + 100)
    assert sum(row.count for row in store.metrics()) == 1


def test_several_processes_may_count_in_the_same_hour(
    open_store: Callable[[], HistoryStore],
) -> None:
    def work(base: int) -> None:
        store = open_store()
        for number in range(base, base + 15):
            start = execution(number, workflow=f"/{number % 3}", host=store.host)
            keep(store, ended(start))

    threads = [threading.Thread(target=work, args=(base,)) for base in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = {row.workflow: row.sketch.count for row in open_store().metrics()}
    assert counts == {"/0": 15, "/1": 15, "/2": 15}


# --- all at once ----------------------------------------------------------------------------------


def test_ends_of_one_batch_share_their_hour(store: HistoryStore) -> None:
    batch = [ended(execution(number, workflow=f"/{number % 2}")) for number in range(100)]
    store.write([], batch)
    store.write([], [ended(execution(number, workflow="/0")) for number in range(100, 110)])
    assert [(row.workflow, row.count) for row in store.metrics()] == [("/0", 60), ("/1", 50)]
