from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.errors import NodegxError, StoreUnavailable
from nodegx.runtime.idempotency import writer as writers
from nodegx.runtime.idempotency.sqlite import SqliteKeys
from nodegx.runtime.idempotency.store import Claim, Held, Release, Settlement
from nodegx.runtime.idempotency.writer import KeyCalls, KeyWriter

from tests.support.until import until


class Watched(SqliteKeys):
    """Notes how many claims came at a time, and what was done besides. Waits, once it has one, for
    `go`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.batches: list[int] = []
        self.beats = 0
        self.pruned = 0
        self.go = threading.Event()
        self.go.set()

    def claim(self, claims: Sequence[Claim], *, now: float) -> list[Held | None]:
        self.batches.append(len(claims))
        self.go.wait(30)
        if any(each.key == "bad" for each in claims):
            raise ValueError("bad")
        return super().claim(claims, now=now)

    def beat(self) -> None:
        self.beats += 1

    def prune(self, now: float) -> int:
        self.pruned += 1
        return super().prune(now)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Watched]:
    store = Watched(tmp_path / "keys.sqlite3")
    yield store
    store.close()


@pytest.fixture
def keys(store: Watched) -> Iterator[KeyWriter]:
    keys = KeyWriter(store)
    yield keys
    keys.close()


def claim(execution: str, key: str = "k") -> Claim:
    return Claim(key, execution, "", 4e9)


@pytest.mark.parametrize("kind", [KeyCalls, KeyWriter])
async def test_a_key_goes_through_its_life(store: Watched, kind: Any) -> None:
    keys = KeyWriter(store) if kind is KeyWriter else KeyCalls(store, asyncio.to_thread)
    assert await keys.claim(claim("a")) is None
    assert await keys.find("k") == Held("a", "", done=False)
    assert await keys.release(Release("k", "a"))
    assert await keys.find("k") is None
    assert await keys.claim(claim("b")) is None
    assert await keys.settle(Settlement("k", "b", b"ok"))
    assert await keys.claim(claim("c")) == Held("b", "", True, b"ok")
    if isinstance(keys, KeyWriter):
        keys.close()


async def test_what_comes_meanwhile_is_done_together(store: Watched, keys: KeyWriter) -> None:
    store.go.clear()
    first = asyncio.create_task(keys.claim(claim("a", "k0")))
    await until(lambda: store.batches)
    more = [asyncio.create_task(keys.claim(claim("b", f"k{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    store.go.set()
    assert await first is None
    answers = await asyncio.gather(*more)
    assert answers == [Held("a", "", done=False)] + [None] * 19
    assert store.batches == [1, 20]


async def test_what_is_bad_fails_alone(store: Watched, keys: KeyWriter) -> None:
    store.go.clear()
    sent = [asyncio.create_task(keys.claim(claim("a", "first")))]
    await until(lambda: store.batches)
    sent += [asyncio.create_task(keys.claim(claim("b", key))) for key in ("x", "bad", "y")]
    await asyncio.sleep(0)
    store.go.set()
    answers = await asyncio.gather(*sent, return_exceptions=True)
    assert answers[:2] == [None, None]
    assert isinstance(answers[2], ValueError)
    assert answers[3] is None


async def test_failures_reach_everybody(
    store: Watched, keys: KeyWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    for work in (keys.claim(claim("a")), keys.find("k")):
        with pytest.raises(StoreUnavailable):
            await work


async def test_closing_does_what_is_left(store: Watched) -> None:
    keys = KeyWriter(store)
    await keys.claim(claim("a"))
    settled = asyncio.ensure_future(keys.settle(Settlement("k", "a", b"ok")))
    await asyncio.sleep(0)
    await asyncio.to_thread(keys.close)
    keys.close()
    assert await settled
    with pytest.raises(NodegxError, match="closed"):
        await keys.find("k")


async def test_the_process_shows_that_it_lives_while_it_has_keys(store: Watched) -> None:
    store.lease = 0.05
    keys = KeyWriter(store)
    await keys.find("k")
    assert store.beats == 0
    await keys.claim(claim("a"))
    await until(lambda: store.beats > 3)
    await keys.release(Release("k", "a"))
    await keys.find("k")
    before = store.beats
    await asyncio.sleep(0.2)
    assert store.beats == before
    keys.close()


async def test_old_keys_are_removed_now_and_then(
    store: Watched, keys: KeyWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keys.find("k")
    assert store.pruned == 0
    monkeypatch.setattr(writers, "PRUNING", 0.0)
    await keys.find("k")
    await until(lambda: store.pruned)
