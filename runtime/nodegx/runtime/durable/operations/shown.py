"""Unfinished executions as JSON data, for people and programs: without values, which may be
secret, and without what would end a wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from nodegx.runtime.durable.state import Entry, Kind, RunState, Wait
from nodegx.runtime.durable.store import Kept
from nodegx.runtime.values import iso_time

from .bulk import Result
from .failures import error_of
from .going_on import step_of
from .operator import Outcome

LATEST = 20
"""Entries of a journal that are shown."""


def run_data(state: RunState) -> dict[str, Any]:
    """An unfinished or failed execution as it stands in a list: times in ISO 8601."""
    return {
        "id": state.id,
        "workflow": state.workflow,
        "status": state.status.value,
        "durable": state.durable,
        "revision": state.revision,
        "trigger": state.trigger,
        "started": iso_time(state.started),
        "updated": iso_time(state.updated) if state.updated else None,
        "due": None if state.due is None else iso_time(state.due),
        "waits": [wait_data(wait) for wait in state.waits],
        "parent": state.parent,
        "host": state.owner,
        "failures": state.failures,
        "error": error_of(state) or None,
        "cancel": state.cancel,
    }


def run_detail(kept: Kept) -> dict[str, Any]:
    """An unfinished or failed execution with a summary of its journal, and what people did to
    it."""
    return {
        **run_data(kept.state),
        "audit": list(kept.state.audit),
        "journal": journal_data(kept.entries),
    }


def wait_data(wait: Wait) -> dict[str, Any]:
    """What an execution waits for: the step, until when at the latest, and for what."""
    spec = wait.spec or {}
    data: dict[str, Any] = {
        "step": step_of(wait),
        "kind": wait.kind,
        "due": None if wait.due is None else iso_time(wait.due),
    }
    for name in ("execution", "attempt"):
        if name in spec:
            data[name] = spec[name]
    webhook = spec.get("webhook")
    if isinstance(webhook, Mapping):
        request = cast("Mapping[str, Any]", webhook)
        data["method"] = request.get("method") or "POST"
        form = request.get("form")
        if isinstance(form, Mapping):
            data["form"] = cast("Mapping[str, Any]", form).get("title") or ""
    return data


def journal_data(entries: Sequence[Entry]) -> dict[str, Any]:
    """How much a journal has of what, and its latest entries without their values."""
    kinds = Counter(entry.kind.value for entry in entries)
    numbered = sorted((entry for entry in entries if entry.number), key=lambda each: each.number)
    return {
        "entries": len(entries),
        "steps": kinds[Kind.RESULT.value] + kinds[Kind.FAILURE.value],
        "kinds": dict(sorted(kinds.items())),
        "latest": [_entry_data(entry) for entry in numbered[-LATEST:]],
    }


def _entry_data(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "key": entry.key,
        "kind": entry.kind.value,
        "started": iso_time(entry.started) if entry.started else None,
        "duration": round(entry.duration, 6),
        "attempts": entry.attempts,
    }


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """What an operation has done."""
    return {
        "id": outcome.id,
        "action": outcome.action,
        "executionId": outcome.execution,
        "status": outcome.state,
        "note": outcome.note or None,
    }


def result_data(result: Result) -> dict[str, Any]:
    """What came of an operation on one of many executions."""
    if result.outcome is not None:
        return outcome_data(result.outcome)
    assert result.error is not None
    return {"id": result.id, "error": result.error.message, "code": result.error.code}
