from __future__ import annotations

from pathlib import Path

import pytest
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Fail
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.idempotency.fate import Fate, fate_of, fates

FATES = {
    Status.SUCCESS: Fate.DONE,
    Status.ERROR: Fate.DEAD,
    Status.TIMEOUT: Fate.DEAD,
    Status.CANCELLED: Fate.DEAD,
    Status.INTERRUPTED: Fate.DEAD,
    Status.RUNNING: Fate.DEAD,
}


@pytest.mark.parametrize("status", FATES)
async def test_the_history_knows_what_has_succeeded(tmp_path: Path, status: Status) -> None:
    history = SqliteStore(tmp_path / "history.sqlite3")
    history.write([ExecutionRecord("x", "/A", "start", Status.RUNNING, 1.0)], [])
    if status.ended:
        history.write([], [ExecutionRecord("x", "/A", "start", status, 1.0, 2.0)])
    assert await fates(history)("x") is FATES[status]
    history.close()


@pytest.mark.parametrize("status", RunStatus)
async def test_unfinished_executions_go_on_unless_they_were_given_up(
    tmp_path: Path, status: RunStatus
) -> None:
    runs = open_runs(tmp_path / "runs.sqlite3")
    owner = runs.host if status in (RunStatus.RUNNING, RunStatus.FAILED) else None
    begun = RunStatus.RUNNING if status is RunStatus.FAILED else status
    state = RunState("x", "/A", "r", "start", "trigger.manual", "1", 1.0, begun, owner=owner)
    runs.create([state])
    if status is RunStatus.FAILED:
        assert runs.change([Fail("x", state.fence, "{}")]) == [True]
    expected = Fate.DEAD if status is RunStatus.FAILED else Fate.GOES_ON
    assert await fates(None, runs)("x") is expected
    runs.close()


async def test_what_nobody_knows_is_dead(tmp_path: Path) -> None:
    history, runs = SqliteStore(tmp_path / "h.sqlite3"), open_runs(tmp_path / "r.sqlite3")
    for find in (fates(None), fates(history), fates(history, runs)):
        assert await find("x") is Fate.DEAD
    history.close()
    runs.close()


def test_statuses_tell_fates() -> None:
    goes_on = {"queued", "running", "waiting"}
    for status in (*RunStatus, *Status, None):
        expected = Fate.GOES_ON if status in goes_on else Fate.DEAD
        assert fate_of(status) is (Fate.DONE if status == "success" else expected)
