"""Recorded executions as JSON data for callers."""

from __future__ import annotations

import json
from typing import Any

from nodegx.runtime.history.record import ExecutionRecord, StepRecord
from nodegx.runtime.values import iso_time


def summary(record: ExecutionRecord) -> dict[str, Any]:
    """An execution as it stands in a list: times in ISO 8601, `duration` in seconds."""
    finished = record.finished
    return {
        "id": record.id,
        "workflow": record.workflow,
        "trigger": record.trigger,
        "status": record.status,
        "started": iso_time(record.started),
        "finished": None if finished is None else iso_time(finished),
        "duration": None if finished is None else round(finished - record.started, 6),
        "parent": record.parent,
        "revision": record.revision,
        "durable": record.durable,
        "error": _data(record.error),
    }


def detail(record: ExecutionRecord) -> dict[str, Any]:
    """An execution with its data and steps."""
    return {
        **summary(record),
        "host": record.host,
        "input": _data(record.input),
        "output": _data(record.output),
        "audit": _data(record.audit) or [],
        "steps": [step_data(step) for step in record.steps],
    }


def step_data(step: StepRecord) -> dict[str, Any]:
    """A step with its data."""
    return {
        "id": step.id,
        "node": step.node,
        "type": step.type,
        "status": step.status,
        "started": iso_time(step.started),
        "duration": round(step.duration, 6),
        "attempts": step.attempts,
        "port": step.port,
        "input": _data(step.input),
        "output": _data(step.output),
        "error": _data(step.error),
    }


def _data(text: str | None) -> Any:
    """JSON text as data; text that was truncated is no JSON any more and stays text."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
