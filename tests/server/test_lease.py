from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nodegx.runtime.durable.sqlite import SqliteRuns
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Finish
from nodegx.runtime.durable.writer import RunWriter
from nodegx.runtime.errors import StoreUnavailable
from nodegx.server.lease import Lease

from tests.support.faulty_runs import FaultyRuns
from tests.support.until import until

pytestmark = pytest.mark.slow

SECONDS = 0.5


class Host:
    """A host of a store that may be away."""

    def __init__(self, path: Path) -> None:
        self.store = FaultyRuns(SqliteRuns(path))
        self.writer = RunWriter(self.store, lambda: self.lease.holds)
        self.lost = 0
        self.renewals = 0
        self.lease = Lease(self.writer, SECONDS, self._lose, self._renewed)

    def _lose(self) -> None:
        self.lost += 1

    async def _renewed(self) -> None:
        self.renewals += 1

    async def close(self) -> None:
        await self.lease.stop()
        self.writer.close()
        self.store.close()

    def run(self, id: str = "01") -> RunState:
        return RunState(
            id,
            "/w",
            "r",
            "start",
            "trigger.manual",
            "{}",
            0.0,
            status=RunStatus.RUNNING,
            owner=self.store.host,
            fence=1,
        )


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    made = Host(tmp_path / "runs.sqlite3")
    await made.lease.start()
    yield made
    await made.close()


async def test_it_is_renewed_in_time(host: Host) -> None:
    name = host.store.host
    await until(lambda: host.renewals > 3)
    assert host.lease.holds
    assert host.store.host == name
    assert not host.lost


async def test_once_it_is_over_nothing_is_written_any_more(host: Host) -> None:
    await host.writer.create(host.run())
    host.store.away = True
    await until(lambda: host.lost)
    assert not host.lease.holds
    host.store.away = False
    assert not await host.writer.change(Finish("01", 1))
    assert host.store.inner.load("01") is not None
    await until(lambda: host.lease.holds)
    assert host.lost == 1


async def test_afterwards_it_is_another_host_and_may_have_what_it_had(host: Host) -> None:
    await host.writer.create(host.run())
    old = host.store.host
    host.store.away = True
    await until(lambda: host.lost)
    host.store.away = False
    await until(lambda: host.lease.holds)
    assert host.store.host != old
    assert not await host.writer.change(Finish("01", 1))
    [claimed] = await host.writer.do(host.store.claim, 10, now=time.time())
    assert (claimed.id, claimed.fence) == ("01", 2)
    assert await host.writer.change(Finish("01", 2))


async def test_what_is_created_under_another_name_is_refused(host: Host) -> None:
    state = host.run()
    state.owner = "somebody"
    with pytest.raises(StoreUnavailable):
        await host.writer.create(state)


async def test_a_process_that_was_halted_does_nothing_before_it_knows(host: Host) -> None:
    await host.writer.create(host.run())
    time.sleep(2 * SECONDS)  # noqa: ASYNC251 - nothing runs meanwhile, as if it had been halted
    assert not host.lease.holds
    assert not await host.writer.change(Finish("01", 1))
    await until(lambda: host.lost)


async def test_it_holds_until_it_is_stopped(host: Host) -> None:
    await asyncio.sleep(2 * SECONDS)
    assert host.lease.holds
    await host.lease.stop()
    await asyncio.sleep(1.5 * SECONDS)
    assert not host.lease.holds
    assert not host.lost
