"""Executions and entries of journals as rows of SQL tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .state import Entry, Kind, RunState, RunStatus, Wait

RUN = (
    "id, workflow, revision, trigger_node, trigger_type, started, status, durable, secret, parent,"
    " parent_step, depth, owner, fence, due, replied, failures, updated, cancel, waits, audit,"
    " error, vars, input"
)
"""The columns of an execution."""

GIVEN = RUN.replace(" updated,", "")
"""Those of them that are not the store's own."""

ENTRY = "run, key, kind, number, digest, place, started, duration, attempts, value"
"""The columns of an entry."""

_dump = json.JSONEncoder(separators=(",", ":")).encode


def run_row(state: RunState) -> tuple[Any, ...]:
    """What is `GIVEN` of an execution as a row."""
    return (
        state.id,
        state.workflow,
        state.revision,
        state.trigger,
        state.trigger_type,
        state.started,
        state.status.value,
        int(state.durable),
        state.secret,
        state.parent,
        state.parent_step,
        state.depth,
        state.owner,
        state.fence,
        state.due,
        int(state.replied),
        state.failures,
        state.cancel,
        dump(state.waits),
        dump(state.audit),
        state.error,
        state.vars,
        state.input,
    )


def run_state(row: Sequence[Any]) -> RunState:
    """The execution of a row."""
    return RunState(
        id=row[0],
        workflow=row[1],
        revision=row[2],
        trigger=row[3],
        trigger_type=row[4],
        started=row[5],
        status=RunStatus(row[6]),
        durable=bool(row[7]),
        secret=row[8],
        parent=row[9],
        parent_step=row[10],
        depth=row[11],
        owner=row[12],
        fence=row[13],
        due=row[14],
        replied=bool(row[15]),
        failures=row[16],
        updated=row[17],
        cancel=row[18],
        waits=tuple([Wait(*each) for each in json.loads(row[19])]),
        audit=tuple(json.loads(row[20])),
        error=row[21],
        vars=row[22],
        input=row[23],
    )


def entry_row(run: str, entry: Entry) -> tuple[Any, ...]:
    """An entry of an execution's journal as a row."""
    return (
        run,
        entry.key,
        entry.kind.value,
        entry.number,
        entry.digest,
        entry.after,
        entry.started,
        entry.duration,
        entry.attempts,
        entry.value,
    )


def entry_of(row: Sequence[Any]) -> Entry:
    """The entry of a row."""
    return Entry(
        key=row[1],
        kind=Kind(row[2]),
        number=row[3],
        digest=row[4],
        after=row[5],
        started=row[6],
        duration=row[7],
        attempts=row[8],
        value=row[9],
    )


def dump(items: Sequence[Any]) -> str:
    """Waits, or what people did, as JSON text."""
    return _dump(items) if items else "[]"
