from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.durable.sqlite import SqliteRuns
from nodegx.runtime.durable.state import Entry, Kind, RunState
from nodegx.runtime.durable.store import Append, Finish
from nodegx.runtime.durable.writer import RunWriter
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.history.store import StoreUnavailable


class Watched:
    """A store whose calls are counted, held up, and made to fail."""

    def __init__(self, store: SqliteRuns) -> None:
        self.store = store
        self.batches: list[int] = []
        self.free = threading.Event()
        self.free.set()
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def create(self, runs: Sequence[RunState]) -> list[bool]:
        return self.store.create(runs)

    def change(self, changes: Sequence[Any]) -> list[bool]:
        self.free.wait(30)
        self.batches.append(len(changes))
        if self.error is not None:
            raise self.error
        if any(change.id == "bad" for change in changes):
            raise ValueError("bad")
        return self.store.change(changes)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Watched]:
    runs = SqliteRuns(tmp_path / "runs.sqlite3")
    yield Watched(runs)
    runs.close()


@pytest.fixture
def writer(store: Watched) -> Iterator[RunWriter]:
    made = RunWriter(store)
    yield made
    made.close()


def state(id: str, owner: str) -> RunState:
    return RunState(id, "/w", "r", "start", "trigger.manual", "{}", 1.0, owner=owner, fence=1)


def append(id: str, key: str = "a", fence: int = 1) -> Append:
    return Append(id, fence, [Entry(key, Kind.RESULT, "1", 1)])


async def test_what_comes_while_it_writes_is_written_together(
    store: Watched, writer: RunWriter
) -> None:
    for number in range(20):
        assert await writer.create(state(f"x{number}", store.host))
    store.free.clear()
    first = asyncio.ensure_future(writer.change(append("x0")))
    await asyncio.sleep(0.05)
    others = [asyncio.ensure_future(writer.change(append(f"x{n}"))) for n in range(1, 20)]
    await asyncio.sleep(0.05)
    store.free.set()
    assert await asyncio.gather(first, *others) == [True] * 20
    assert store.batches == [1, 19]


async def test_each_is_told_of_its_own_outcome(store: Watched, writer: RunWriter) -> None:
    assert await writer.create(state("a", store.host))
    assert not await writer.create(state("a", store.host))
    results = await asyncio.gather(
        writer.change(append("a")), writer.change(append("a", fence=2)), writer.change(append("b"))
    )
    assert results == [True, False, False]
    assert await writer.change(Finish("a", 1))
    assert await writer.do(store.load, "a") is None


async def test_a_bad_one_is_lost_alone(store: Watched, writer: RunWriter) -> None:
    await writer.create(state("a", store.host))
    store.free.clear()
    held = asyncio.ensure_future(writer.change(append("a", "first")))
    await asyncio.sleep(0.05)
    good = asyncio.ensure_future(writer.change(append("a", "second")))
    bad = asyncio.ensure_future(writer.change(append("bad")))
    await asyncio.sleep(0.05)
    store.free.set()
    assert await held
    assert await good
    with pytest.raises(ValueError, match="bad"):
        await bad


async def test_an_absent_store_is_told_to_all(store: Watched, writer: RunWriter) -> None:
    await writer.create(state("a", store.host))
    store.error = StoreUnavailable("away")
    results = await asyncio.gather(
        writer.change(append("a")), writer.change(append("a")), return_exceptions=True
    )
    assert [type(result) for result in results] == [StoreUnavailable] * 2
    store.error = None
    assert await writer.change(append("a"))


async def test_nothing_is_taken_after_the_end(writer: RunWriter) -> None:
    writer.close()
    with pytest.raises(NodegxError, match="closed"):
        await writer.change(append("a"))
