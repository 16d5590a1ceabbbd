"""Executions and their steps, for people and as JSON data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from nodegx.runtime.history.record import ExecutionRecord, StepRecord

from .output import COLORS, MARKS, clean, duration, pretty_json, state_text, style
from .when import local

BAR = 24
"""Columns of a timeline's bars."""
LINES = 24
"""Lines of a value that are shown before it is cut."""
PARTS = " ▏▎▍▌▋▊▉█"

HINTS = {
    "timeout": "give the node or the workflow a longer `timeout`, or find out why it is slow",
    "http.status": "the service refused: see details; wire `failure`, or accept the status under "
    "`successStatus`",
    "http.connection": "is the service running, and are host and port right?",
    "http.dns": "is the host's name right, and the network up?",
    "http.timeout": "give the node a longer `timeout`, or a `retry`",
    "http.tls": "the certificate was not accepted; `verifyTls` false turns the check off",
    "call.depth": "two workflows call each other without end",
    "input": "the trigger declares which inputs it takes: see `inputs` in the workflow",
}
"""What to do about errors, by their code."""


def loads(text: str | None) -> Any:
    """Recorded JSON text as data; text that is not JSON (cut off, say) stays text."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def elapsed(record: ExecutionRecord) -> float | None:
    """Seconds from start to end; None while it runs."""
    return None if record.finished is None else round(record.finished - record.started, 6)


def header(record: ExecutionRecord) -> Iterator[str]:
    """Who, what and when."""
    yield f"{style(clean(record.workflow), bold=True)}  {state_text(record.status.value)}"
    facts = [("execution", record.id), ("started", local(record.started, milliseconds=True))]
    if (seconds := elapsed(record)) is not None:
        facts.append(("took", duration(seconds)))
    facts.append(("trigger", record.trigger))
    if record.parent:
        facts.append(("called by", record.parent))
    if record.revision:
        facts.append(("revision", record.revision[:12]))
    for name, value in facts:
        yield f"  {style(name.ljust(10), dim=True)} {clean(value)}"


def timeline(record: ExecutionRecord) -> Iterator[str]:
    """One line for each step: what, when (as a bar) and how long."""
    if not record.steps:
        return
    first = min(record.started, *(step.started for step in record.steps))
    last = max(record.finished or 0.0, *(step.started + step.duration for step in record.steps))
    width = min(32, max(len(step.id) for step in record.steps))
    kinds = max(len(step.type) for step in record.steps)
    for step in record.steps:
        bar = bar_text(step.started - first, step.duration, last - first)
        color = COLORS.get(step.status.value)
        mark = style(MARKS.get(step.status.value, "?"), color)
        name = clean(step.id).ljust(width)
        yield (
            f"  {mark} {name}  {style(step.type.ljust(kinds), dim=True)}  "
            f"{style('│', dim=True)}{style(bar, color)}{style('│', dim=True)} "
            f"{duration(step.duration):>8}{_remarks(step)}"
        )


def bar_text(start: float, length: float, total: float) -> str:
    """A bar of `BAR` columns from `start` to `start + length` of `total`; never invisible."""
    if total <= 0:
        return "▏".ljust(BAR)
    begin = min(BAR - 1, int(start / total * BAR))
    eighths = max(1, round(length / total * BAR * 8))
    full, rest = divmod(eighths, 8)
    bar = "█" * full + (PARTS[rest] if rest else "")
    return (" " * begin + bar)[:BAR].ljust(BAR)


def _remarks(step: StepRecord) -> str:
    remarks = ""
    if step.port and step.port != "done":
        remarks += f"  → {clean(step.port)}"
    if step.attempts > 1:
        remarks += f"  {step.attempts} attempts"
    return style(remarks, "cyan") if remarks else ""


def live_line(step: StepRecord) -> str:
    """A finished step while a run goes on: mark, id, type, time, branch, attempts."""
    state = step.status.value
    mark = style(MARKS.get(state, "?"), COLORS.get(state))
    kind = style(step.type, dim=True)
    took = "" if step.type.startswith("logic.") and not step.duration else duration(step.duration)
    return f"{mark} {style(clean(step.id), bold=True)}  {kind}  {took}{_remarks(step)}".rstrip()


def value_lines(
    name: str, text: str | None, indent: str = "", *, limit: int | None = LINES
) -> Iterator[str]:
    """A recorded value under its name: on one line where it is short, else as indented JSON.

    Args:
        name: what the value is.
        text: JSON text as recorded; None prints nothing.
        indent: put before each line.
        limit: most lines shown; None shows all.
    """
    if text is None:
        return
    value = loads(text)
    short = clean(json.dumps(value, ensure_ascii=False))
    label = style(name, dim=True)
    if len(short) <= 88 - len(indent) - len(name):
        yield f"{indent}{label} {short}"
        return
    yield indent + style(name.rstrip(), dim=True)
    lines = pretty_json(value, 96 - len(indent)).splitlines()
    shown = lines if limit is None or len(lines) <= limit + 2 else lines[:limit]
    for each in shown:
        yield f"{indent}  {each if limit is None or len(each) <= 400 else each[:399] + '…'}"
    if len(shown) < len(lines):
        yield style(
            f"{indent}  … {len(lines) - len(shown)} more lines (--full shows them)", dim=True
        )


def error_lines(text: str | None, indent: str = "", *, limit: int | None = LINES) -> Iterator[str]:
    """A recorded error: message, code, node, details, and what to do about it."""
    if text is None:
        return
    error = loads(text)
    if not isinstance(error, dict):
        yield f"{indent}{style('error', 'red')} {clean(str(error))}"
        return
    fields = cast("dict[str, Any]", error)
    facts = [str(fields[key]) for key in ("code", "category") if fields.get(key)]
    if fields.get("node"):
        facts.append(f"node {fields['node']}")
    if (fields.get("attempts") or 1) > 1:
        facts.append(f"{fields['attempts']} attempts")
    suffix = style(f" ({clean(', '.join(facts))})", dim=True) if facts else ""
    yield f"{indent}{style('error', 'red')} {clean(str(fields.get('message', '')))}{suffix}"
    if fields.get("details") is not None:
        details = json.dumps(fields["details"], ensure_ascii=False)
        yield from value_lines("details", details, indent + "  ", limit=limit)
    hint = HINTS.get(str(fields.get("code")))
    if hint:
        yield f"{indent}  {style('hint:', 'cyan')} {hint}"


def step_lines(step: StepRecord, *, indent: str = "  ", limit: int | None = LINES) -> Iterator[str]:
    """What went into a step and what came out of it."""
    yield from value_lines("in ", step.input, indent, limit=limit)
    yield from value_lines("out", step.output, indent, limit=limit)
    yield from error_lines(step.error, indent, limit=limit)
