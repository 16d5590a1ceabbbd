from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.store import Query, StoreUnavailable
from nodegx.runtime.history.writer import HistoryWriter
from nodegx.runtime.logs import Log

pytestmark = pytest.mark.filterwarnings("error")


class Shelf(SqliteStore):
    """A store whose writing can be watched, slowed down and broken."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.batches: list[tuple[int, int]] = []
        self.synced: list[bool] = []
        self.pause = 0.0
        self.go = threading.Event()
        self.go.set()
        self.broken: set[str] = set()
        self.offline = False

    def write(
        self,
        started: Sequence[ExecutionRecord],
        finished: Sequence[ExecutionRecord],
        *,
        synced: bool = False,
    ) -> None:
        time.sleep(self.pause)
        self.go.wait(60)
        if self.offline:
            raise StoreUnavailable("offline")
        if self.broken & {record.id for record in (*started, *finished)}:
            raise ValueError("a bad record")
        self.batches.append((len(started), len(finished)))
        self.synced.append(synced)
        super().write(started, finished, synced=synced)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = Shelf(tmp_path / "h.sqlite3")
    yield store
    store.close()


def start(number: int) -> ExecutionRecord:
    return ExecutionRecord(f"{number:06}", "/A", "t", Status.RUNNING, float(number))


def end(record: ExecutionRecord) -> ExecutionRecord:
    record.status, record.finished = Status.SUCCESS, record.started + 1
    return record


async def test_a_start_is_in_the_store_when_the_call_returns(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    record = start(1)
    await writer.started(record)
    assert shelf.get(record.id) == record
    assert record.host == shelf.host
    await writer.finished(end(record))
    await writer.flush()
    assert shelf.get(record.id) == record
    writer.close()


async def test_concurrent_starts_share_a_commit(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    shelf.pause = 0.01
    await asyncio.gather(*(writer.started(start(number)) for number in range(50)))
    assert len(shelf.batches) <= 3
    assert sum(count for count, _ in shelf.batches) == 50
    writer.close()


async def test_ends_are_buffered_until_there_are_too_many(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf, max_pending=10)
    shelf.go.clear()
    for number in range(10):
        await writer.finished(end(start(number)))
    more = asyncio.gather(*(writer.finished(end(start(number))) for number in range(10, 40)))
    await asyncio.sleep(0.05)
    assert not more.done()
    assert shelf.batches == []
    shelf.go.set()
    await more
    await writer.flush()
    assert len(shelf.list(Query(), limit=100).records) == 40
    writer.close()


async def test_closing_writes_what_is_left_and_then_refuses(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    shelf.pause = 0.01
    for number in range(20):
        await writer.finished(end(start(number)))
    writer.close()
    writer.close()
    assert len(shelf.list(Query(), limit=100).records) == 20
    for call in (writer.started(start(1)), writer.finished(start(1)), writer.flush()):
        with pytest.raises(NodegxError, match="closed"):
            await call


async def test_a_bad_record_is_lost_alone(shelf: Shelf) -> None:
    lines = io.StringIO()
    writer = HistoryWriter(shelf, log=Log("error", lines))
    shelf.pause = 0.01
    shelf.broken = {"000003", "000014"}
    outcomes = await asyncio.gather(
        *(writer.started(start(number)) for number in range(8)),
        *(writer.finished(end(start(number))) for number in range(10, 18)),
        return_exceptions=True,
    )
    writer.close()
    failed = [index for index, outcome in enumerate(outcomes) if outcome is not None]
    assert failed == [3]
    assert "bad record" in str(outcomes[3])
    kept = {record.id for record in shelf.list(Query(), limit=100).records}
    assert len(kept) == 14
    assert [json.loads(line)["execution"] for line in lines.getvalue().splitlines()] == ["000014"]


async def test_ends_outlast_a_store_that_is_away_for_a_while(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf, retry_delay=0.01)
    shelf.offline = True
    await writer.finished(end(start(1)))
    with pytest.raises(StoreUnavailable):
        await writer.started(start(2))
    await writer.finished(end(start(3)))
    with pytest.raises(StoreUnavailable):
        await writer.flush()
    await asyncio.sleep(0.03)
    shelf.offline = False
    await asyncio.sleep(0.05)
    assert {record.id for record in shelf.list(Query()).records} == {"000001", "000003"}
    writer.close()


async def test_what_cannot_be_written_at_the_close_is_reported(shelf: Shelf) -> None:
    lines = io.StringIO()
    writer = HistoryWriter(shelf, log=Log("error", lines), retry_delay=0.01)
    shelf.offline = True
    await writer.finished(end(start(1)))
    writer.close()
    assert json.loads(lines.getvalue())["execution"] == "000001"


async def test_a_start_may_be_given_up(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    shelf.pause = 0.02
    task = asyncio.ensure_future(writer.started(start(1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await writer.flush()
    writer.close()


def test_several_event_loops_may_share_a_writer(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)

    async def work(base: int) -> None:
        for number in range(base, base + 20):
            record = start(number)
            await writer.started(record)
            await writer.finished(end(record))

    threads = [threading.Thread(target=asyncio.run, args=(work(base),)) for base in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert len(shelf.list(Query(statuses=(Status.SUCCESS,)), limit=100).records) == 60


def test_a_loop_that_is_gone_does_not_stop_the_writer(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    shelf.pause = 0.05

    async def leave() -> None:
        task = asyncio.ensure_future(writer.started(start(1)))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    asyncio.run(writer.started(start(2)))
    writer.close()
    assert {record.id for record in shelf.list(Query()).records} == {"000001", "000002"}


# --- what must be safe ----------------------------------------------------------------------------


def waiting(number: int) -> ExecutionRecord:
    record = start(number)
    record.status, record.durable = Status.WAITING, True
    return record


async def test_what_is_kept_is_safe_when_the_call_returns(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    record = waiting(1)
    await writer.kept(record)
    assert shelf.get(record.id) == record
    assert record.host == shelf.host
    await writer.finished(end(start(2)))
    await writer.flush()
    assert shelf.synced == [True, False]
    writer.close()


async def test_concurrent_calls_share_a_commit(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    shelf.pause = 0.01
    await asyncio.gather(*(writer.kept(waiting(number)) for number in range(50)))
    assert len(shelf.batches) <= 3
    writer.close()


async def test_it_comes_after_what_was_taken_before(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    shelf.pause = 0.01
    for number in range(20):
        await writer.finished(waiting(number))
        record = end(waiting(number))
        await writer.kept(record)
        assert shelf.get(record.id) == record
    writer.close()


async def test_what_cannot_be_kept_is_not_written_later(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf, retry_delay=0.01)
    shelf.offline = True
    await writer.finished(end(start(1)))
    with pytest.raises(StoreUnavailable):
        await writer.kept(waiting(2))
    shelf.offline = False
    await writer.flush()
    assert [record.id for record in shelf.list(Query()).records] == ["000001"]
    await writer.kept(waiting(2))
    assert len(shelf.list(Query()).records) == 2
    writer.close()
    with pytest.raises(NodegxError, match="closed"):
        await writer.kept(waiting(3))


async def test_a_bad_record_is_refused_alone(shelf: Shelf) -> None:
    lines = io.StringIO()
    writer = HistoryWriter(shelf, log=Log("error", lines))
    shelf.pause = 0.01
    shelf.broken = {"000003", "000012", "000025"}
    outcomes = await asyncio.gather(
        *(writer.started(start(number)) for number in range(6)),
        *(writer.kept(waiting(number)) for number in range(10, 16)),
        *(writer.finished(end(start(number))) for number in range(20, 26)),
        return_exceptions=True,
    )
    writer.close()
    failed = [index for index, outcome in enumerate(outcomes) if outcome is not None]
    assert failed == [3, 8]
    assert all("bad record" in str(outcomes[index]) for index in failed)
    assert [json.loads(line)["execution"] for line in lines.getvalue().splitlines()] == ["000025"]
    assert len(shelf.list(Query(), limit=100).records) == 15


async def test_closing_writes_what_is_to_be_kept(shelf: Shelf) -> None:
    writer = HistoryWriter(shelf)
    shelf.pause = 0.02
    task = asyncio.ensure_future(writer.kept(waiting(1)))
    await asyncio.sleep(0)
    await asyncio.to_thread(writer.close)
    await task
    assert len(shelf.list(Query()).records) == 1
