"""Unfinished and failed executions, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nodegx.runtime.durable.operations.failures import error_of
from nodegx.runtime.durable.operations.shown import journal_data, wait_data
from nodegx.runtime.durable.state import RunState, RunStatus, Wait
from nodegx.runtime.durable.store import Kept
from nodegx.runtime.history.record import ExecutionRecord

from .executions import error_lines, loads
from .output import clean, duration, json_line_text, plural, state_text, style
from .projects import short_name
from .when import age, due, local

ENTRIES = 8
"""Entries of a journal that are shown."""

HEADINGS = ("id", "workflow", "status", "age", "due", "what")

WORDS = {
    "time": "a time",
    "retry": "its next attempt",
    "condition": "a condition",
    "webhook": "a request",
    "call": "an execution",
    "yield": "its turn",
}
"""What executions wait for, by the kind of the wait."""


def row(state: RunState) -> tuple[str, ...]:
    """An execution as a line of a list."""
    text = _what(state)
    return (
        state.id,
        clean(short_name(state.workflow)),
        state_text(state.status.value),
        age(state.started),
        due(state.due),
        clean(text if len(text) <= 60 else text[:59] + "…"),
    )


def _what(state: RunState) -> str:
    if state.status is RunStatus.FAILED:
        return str(error_of(state).get("message") or "")
    if state.status is RunStatus.WAITING:
        return ", ".join(f"{_step(wait)}: {_wait(wait)}" for wait in state.waits)
    return f"to be cancelled: {state.cancel}" if state.cancel else ""


def page(kept: Kept) -> Iterator[str]:
    """An unfinished or failed execution: how it stands, what it waits for, what it has done."""
    state = kept.state
    yield f"{style(clean(state.workflow), bold=True)}  {state_text(state.status.value)}"
    facts = [
        ("execution", state.id),
        ("started", f"{local(state.started, milliseconds=True)}  ({age(state.started)} ago)"),
        ("trigger", state.trigger),
        ("revision", state.revision[:12]),
        ("called by", state.parent),
        ("host", state.owner),
        ("durable", "yes" if state.durable else "no"),
        ("failures", str(state.failures) if state.failures else None),
        ("cancel", state.cancel),
    ]
    for name, value in facts:
        if value:
            yield f"  {style(name.ljust(10), dim=True)} {clean(value)}"
    if state.waits:
        yield ""
        yield from _waits(state.waits)
    if kept.entries:
        yield ""
        yield from _journal(kept)
    if state.error:
        yield ""
        yield from error_lines(state.error)


def _waits(waits: Sequence[Wait]) -> Iterator[str]:
    width = max(len(_step(wait)) for wait in waits)
    for wait in waits:
        end = due(wait.due)
        limit = f"  {style(end, dim=True)}" if end else ""
        yield f"  ◦ {clean(_step(wait)).ljust(width)}  waits for {clean(_wait(wait))}{limit}"


def _wait(wait: Wait) -> str:
    data = wait_data(wait)
    if wait.kind == "webhook":
        form = f" by the form {data['form']!r}" if data.get("form") else ""
        return f"a {data.get('method', 'POST')} request{form}"
    if wait.kind == "call":
        return f"execution {data.get('execution')}"
    if wait.kind == "retry":
        return f"attempt {data.get('attempt')}"
    return WORDS.get(wait.kind, wait.kind)


def _step(wait: Wait) -> str:
    return wait_data(wait)["step"] or "(workflow)"


def _journal(kept: Kept) -> Iterator[str]:
    data = journal_data(kept.entries)
    steps = plural(data["steps"], "step")
    yield f"  {style('journal', dim=True)}  {steps}, {len(kept.entries):,} entries; the latest:"
    for entry in data["latest"][-ENTRIES:]:
        took = duration(entry["duration"]) if entry["duration"] else ""
        kind = style(entry["kind"].ljust(8), dim=True)
        yield f"    {entry['number']:>4}  {kind} {clean(entry['key'])}  {took}".rstrip()


def advice(state: RunState) -> Iterator[str]:
    """What can be done next."""
    command = f"nodegx executions {{}} {state.id}"
    if state.status is RunStatus.FAILED:
        does = "resume" if state.durable else "retry"
        others = "; `retry` starts it anew" if state.durable else ""
        yield f"\n  {style('hint:', 'cyan')} {command.format(does)}{others}; `discard` resolves it"
    elif any(wait.kind == "webhook" for wait in state.waits):
        yield (
            f"\n  {style('hint:', 'cyan')} whoever was sent its link ends the wait, or: "
            f"{command.format('resume')} --answer FILE"
        )
    elif state.status is RunStatus.WAITING and state.waits:
        yield f"\n  {style('hint:', 'cyan')} {command.format('resume')} --now ends the wait"


def audit_lines(
    record: ExecutionRecord | None, audit: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What people did to an execution, the first first.

    Args:
        record: what the history has of it.
        audit: what the store of unfinished executions has; None there is in the history alone.
    """
    entries: list[Any] = list(loads(record.audit) or []) if record is not None else []
    entries += [entry for entry in audit if entry not in entries]
    if entries:
        yield ""
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        facts: dict[str, Any] = dict(entry)  # pyright: ignore[reportUnknownArgumentType]
        at, by = facts.pop("at", ""), facts.pop("by", "")
        action = clean(str(facts.pop("action", "")))
        details = "  ".join(
            f"{clean(str(name))}={json_line_text(value)}" for name, value in facts.items()
        )
        when = style(clean(str(at)), dim=True)
        yield f"  {when}  {clean(str(by))}  {style(action, bold=True)}  {details}".rstrip()
