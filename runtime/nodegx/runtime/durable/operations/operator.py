"""Who operates on which stores, and what all operations have in common: they are refused with a
reason, taken by one operator at a time, and noted down."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import time
from typing import Any, NamedTuple, cast

from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Change, Kept, RunStore, Suspend
from nodegx.runtime.errors import FatalError, StoreUnavailable
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import HistoryStore
from nodegx.runtime.values import iso_time

from .target import Replay, Target, Targets

UNKNOWN = "execution.unknown"
STATE = "execution.state"
BUSY = "execution.busy"
INPUT = "execution.input"
CODE = "execution.code"

TAKEN_AWAY = "Somebody else has taken it meanwhile; look at it again"


class Refusal(FatalError):
    """An operation cannot be done, and has changed nothing.

    `code` is `execution.unknown` (there is none of that id), `.state` (it is not in a state for
    it), `.busy` (somebody else has it), `.input` (what it began with is not known) or `.code` (the
    workflow's code does not fit). The message says what can be done instead.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


class Outcome(NamedTuple):
    """What an operation has done.

    `execution` is the one that goes on: a new one after a retry, otherwise `id` itself. `state` is
    how that stands now; `note` what else there is to know.
    """

    id: str
    action: str
    execution: str
    state: str
    note: str = ""


def _ignore(_: RunState) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Operator:
    """What operations work with.

    Args:
        history: where executions are recorded.
        runs: where those are that have not ended, or have failed.
        who: the name under which operations are noted down.
        target: finds revisions of workflows.
        replay: compares a journal with a revision; None where that cannot be done.
        wake: told of each execution that may go on now, for hosts that do not look by themselves.
        clock: seconds since the epoch.
    """

    history: HistoryStore
    runs: RunStore
    who: str
    target: Targets
    replay: Replay | None = None
    wake: Callable[[RunState], None] = _ignore
    clock: Callable[[], float] = field(default=time)

    def entry(self, action: str, **details: Any) -> dict[str, object]:
        """What is noted down of an action; see `audit_entry`."""
        return audit_entry(self.who, self.clock(), action, **details)

    def current(self, workflow: str) -> Target:
        """The current revision of a workflow.

        Raises:
            Refusal: it is gone.
        """
        target = self.target(workflow, None)
        if target is None:
            raise Refusal(CODE, f"The workflow {workflow} is not there any more")
        return target

    def unfinished(self, id: str, verb: str) -> Kept:
        """An execution that has not ended, or has failed, with its journal.

        Args:
            id: its id.
            verb: what is to be done to it, such as `be resumed`.

        Raises:
            Refusal: there is none of that id, or it is over.
        """
        kept = self.runs.load(id)
        if kept is not None:
            return kept
        record = self.recorded(id)
        if record.status.ended:
            raise Refusal(STATE, f"It has ended ({record.status}), so it cannot {verb}")
        raise Refusal(
            STATE,
            f"It is {record.status} inside a process and not durable, so it cannot {verb} from here",
        )

    def recorded(self, id: str) -> ExecutionRecord:
        """What the history has of an execution.

        Raises:
            Refusal: nothing.
        """
        record = self.history.get(id)
        if record is None:
            raise Refusal(UNKNOWN, f"There is no execution {id}")
        return record

    @contextlib.contextmanager
    def claimed(self, state: RunState, entry: dict[str, object]) -> Generator[RunState]:
        """Has an execution for the time of a `with`, which must let go of it at its end. If an
        exception leaves the block, the execution is given back as it was.

        Args:
            state: how it stood when the operation was decided.
            entry: what to note down.

        Raises:
            Refusal: somebody else has it, or it stands otherwise by now.
        """
        claimed = self.runs.claim_one(state.id, statuses=[state.status], audit=entry)
        if claimed is None:
            raise Refusal(BUSY, "Somebody else has it now, or it has moved on; look at it again")
        try:
            if claimed.fence != state.fence + 1:
                raise Refusal(BUSY, "It has moved on meanwhile; look at it again")
            yield claimed
        except BaseException:
            with contextlib.suppress(StoreUnavailable):
                self._give_back(claimed, state)
            raise

    def _give_back(self, claimed: RunState, before: RunState) -> None:
        if before.status is RunStatus.WAITING:
            self.runs.change([self.suspension(claimed)])
            return
        kept = replace(claimed, status=before.status, owner=None, due=before.due)
        self.runs.update(kept)

    def write(self, change: Change) -> None:
        """Makes a change to an execution that was claimed.

        Raises:
            Refusal: it was taken away, because this operator took too long.
        """
        if not self.runs.change([change])[0]:
            raise Refusal(BUSY, TAKEN_AWAY)

    def replace(self, state: RunState, *, drop: Sequence[str] = ()) -> None:
        """Replaces an execution that was claimed, and drops entries of its journal by key.

        Raises:
            Refusal: as `write`.
        """
        if not self.runs.update(state, drop=drop):
            raise Refusal(BUSY, TAKEN_AWAY)

    def suspension(self, state: RunState, **changes: Any) -> Suspend:
        """The change that lets an execution wait as before. An answer that has come since it was
        taken makes it due, which `update` would not."""
        change = Suspend(state.id, state.fence, state.waits, (), state.replied, state.due)
        return change._replace(**changes)

    def noted(self, state: RunState) -> ExecutionRecord:
        """The record of an execution, with what was noted down of it so far. To be changed as
        needed, and written."""
        record = self.history.get(state.id) or bare_record(state)
        record.audit = merged_audit(record.audit, state.audit)
        return record


def audit_entry(by: str, at: float, action: str, **details: Any) -> dict[str, object]:
    """What is noted down of an action; details that are None are left out.

    Args:
        by: who did it.
        at: when, in seconds since the epoch.
        action: what.
        details: what else there is to know; never secrets.
    """
    given = {name: value for name, value in details.items() if value is not None}
    return {"at": iso_time(at), "by": by, "action": action, **given}


def bare_record(state: RunState) -> ExecutionRecord:
    """A record without data, for an execution that the history does not have."""
    failed = state.status is RunStatus.FAILED or state.error is not None
    return ExecutionRecord(
        state.id,
        state.workflow,
        state.trigger,
        Status.ERROR if failed else Status(state.status.value),
        state.started,
        finished=state.updated if failed else None,
        parent=state.parent,
        revision=state.revision,
        error=state.error,
        durable=state.durable,
    )


def audit_of(record: ExecutionRecord) -> list[dict[str, Any]]:
    """What was noted down of an execution."""
    try:
        found = json.loads(record.audit or "[]")
    except ValueError:
        return []
    return cast("list[dict[str, Any]]", found) if isinstance(found, list) else []


def merged_audit(text: str | None, entries: tuple[Mapping[str, Any], ...]) -> str | None:
    """JSON text of the entries of a record, and those of `entries` that it does not have."""
    try:
        known: list[Mapping[str, Any]] = json.loads(text or "[]")
    except ValueError:
        known = []
    merged = [*known, *(entry for entry in entries if entry not in known)]
    return json.dumps(merged) if merged else None
