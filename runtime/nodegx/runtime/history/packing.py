"""The steps of an execution as one compressed block of JSON lines, its input and output as another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from nodegx.runtime.deflate import deflate, inflate

from .record import ExecutionRecord, Status, StepRecord

_BETWEEN = "\0"  # which no JSON text has
_quote = json.encoder.encode_basestring_ascii


def step_json(step: StepRecord) -> str:
    """One step as a JSON object. What was captured as JSON text is part of it as it is."""
    return (
        f'{{"id":{_quote(step.id)},"node":{_quote(step.node)},"type":{_quote(step.type)}'
        f',"started":{step.started!r},"duration":{step.duration!r},"status":"{step.status.value}"'
        f',"attempts":{step.attempts},"port":{_quote(step.port) if step.port is not None else "null"}'
        f',"input":{step.input or "null"},"output":{step.output or "null"}'
        f',"error":{step.error or "null"}}}'
    )


def pack(steps: Sequence[StepRecord]) -> bytes | None:
    """Steps as compressed JSON lines; None where there are none."""
    if not steps:
        return None
    return deflate("\n".join(map(step_json, steps)).encode("ascii"))


def unpack(data: bytes | None) -> list[StepRecord]:
    """The steps that `pack` wrote."""
    if data is None:
        return []
    return [_step(json.loads(line)) for line in inflate(data).decode("ascii").split("\n")]


def pack_data(input: str | None, output: str | None) -> bytes | None:
    """Input and output, JSON texts, as one compressed block; None where there are none."""
    if input is None and output is None:
        return None
    return deflate(f"{input or ''}{_BETWEEN}{output or ''}".encode())


def unpack_data(data: bytes | None) -> tuple[str | None, str | None]:
    """The input and output that `pack_data` wrote."""
    if data is None:
        return None, None
    input, _, output = inflate(data).decode().partition(_BETWEEN)
    return input or None, output or None


def execution_json(record: ExecutionRecord) -> str:
    """An execution with its steps as one JSON object."""
    head: dict[str, Any] = {
        "id": record.id,
        "workflow": record.workflow,
        "trigger": record.trigger,
        "status": record.status.value,
        "started": record.started,
        "finished": record.finished,
        "parent": record.parent,
        "revision": record.revision,
        "host": record.host,
        "durable": record.durable,
    }
    steps: Iterable[str] = map(step_json, record.steps)
    return (
        f"{json.dumps(head)[:-1]}"
        f', "input": {record.input or "null"}, "output": {record.output or "null"}'
        f', "error": {record.error or "null"}, "audit": {record.audit or "null"}, "steps": [{", ".join(steps)}]}}'
    )


def _step(data: dict[str, Any]) -> StepRecord:
    return StepRecord(
        id=data["id"],
        node=data["node"],
        type=data["type"],
        started=data["started"],
        duration=data["duration"],
        status=Status(data["status"]),
        attempts=data["attempts"],
        port=data["port"],
        input=_text(data["input"]),
        output=_text(data["output"]),
        error=_text(data["error"]),
    )


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))
