"""Executions that wait or have failed, put into the stores of a project for tests of commands."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from nodegx.runtime.durable.state import RunState, RunStatus, Wait
from nodegx.runtime.durable.store import RunStore
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import HistoryStore
from nodegx.runtime.history.stores import open_history

from tests.support.built import manual, simple, write_workflow

PAY, APPROVE = "/#__cloud__/Pay", "/#__cloud__/Approve"


def run_state(number: int, status: RunStatus, **changes: Any) -> RunState:
    code = "http.status" if number % 2 else "timeout"
    error = {"message": f"the service is down ({number})", "code": code, "category": "retriable"}
    fields: dict[str, Any] = {
        "workflow": PAY,
        "durable": False,
        "error": json.dumps(error) if status is RunStatus.FAILED else None,
        "started": time.time() - 3600 * (10 - number),
        "failures": int(status is RunStatus.FAILED),
        "secret": "s3cr3t",
        **changes,
    }
    return RunState(
        f"01K{number:04}ABCDEFGHJKMNPQRSTV",
        fields.pop("workflow"),
        "rev1",
        "start",
        "trigger.manual",
        '{"id":"A-1"}',
        status=status,
        **fields,
    )


class Kept:
    """The stores of the project, to put executions into and to look at them."""

    def __init__(self, project: Path) -> None:
        self._folder = project / ".nodegx"

    def history(self) -> closing[HistoryStore]:
        return closing(open_history(self._folder / "history.sqlite3"))

    def runs(self) -> closing[RunStore]:
        return closing(open_runs(self._folder / "runs.sqlite3"))

    def add(self, *states: RunState) -> list[str]:
        """Keeps executions, and the records that their hosts would have written."""
        with self.runs() as runs, self.history() as history:
            assert all(runs.create(states))
            history.write([], [_record(state) for state in states])
        return [state.id for state in states]

    def state(self, id: str) -> RunState | None:
        with self.runs() as runs:
            kept = runs.load(id)
        return None if kept is None else kept.state

    def record(self, id: str) -> ExecutionRecord:
        with self.history() as history:
            record = history.get(id)
        assert record is not None
        return record

    def audit(self, id: str) -> list[dict[str, Any]]:
        return json.loads(self.record(id).audit or "[]")


def _record(state: RunState) -> ExecutionRecord:
    failed = state.status is RunStatus.FAILED
    return ExecutionRecord(
        state.id,
        state.workflow,
        state.trigger,
        Status.ERROR if failed else Status(state.status.value),
        state.started,
        finished=state.started + 1 if failed else None,
        revision=state.revision,
        input='{"id": "A-1"}',
        error=state.error,
        durable=state.durable,
    )


def kept_in(project: Path) -> Kept:
    """The stores of a project with two compiled workflows, one of which is durable."""
    write_workflow(project / "build", PAY, simple(PAY, "    pass"), [manual()], revision="rev2")
    approve = simple(APPROVE, "    pass", options=", durable=True")
    write_workflow(project / "build", APPROVE, approve, [manual()], revision="rev2", durable=True)
    return Kept(project)


WAITS = (
    Wait("approve!answer", "webhook", None, {"step": "approve", "webhook": {"method": "POST"}}),
)


def failed(*numbers: int, **changes: Any) -> list[RunState]:
    return [run_state(number, RunStatus.FAILED, **changes) for number in numbers]


def waiting(number: int, waits: tuple[Wait, ...] = WAITS, **changes: Any) -> RunState:
    fields: dict[str, Any] = {"workflow": APPROVE, "durable": True, "waits": waits, **changes}
    return run_state(number, RunStatus.WAITING, **fields)
