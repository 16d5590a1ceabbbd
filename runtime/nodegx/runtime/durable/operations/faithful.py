"""Values from the history, for when nothing else has them any more.

The history shows values: it leaves out what is secret, cuts off what is long, and names what has
no JSON form. Whatever may have been changed that way is refused, because an execution must not go
on with something else than it had.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.history.record import ExecutionRecord, StepRecord
from nodegx.runtime.history.redact import MARKER

from .target import TriggerPort

TRIGGER_TYPES: Mapping[str, str | None] = {
    "trigger.webhook": "nodegx.runtime.triggers.request:WebhookRequest",
    "cloud.request": "nodegx.runtime.triggers.request:CloudRequest",
    "trigger.event": "nodegx.runtime.triggers.events:Event",
    "trigger.schedule": "nodegx.runtime.triggers.timetable:Tick",
    "trigger.queue": "nodegx.runtime.triggers.records:QueueMessage",
    "trigger.file": "nodegx.runtime.triggers.records:FileEvent",
    "trigger.record": "nodegx.runtime.triggers.records:RecordChange",
    "trigger.manual": None,
}
"""The types of triggers' values; None is JSON as it is."""

RESULT_TYPES: Mapping[str, str | None] = {
    "http.request": "nodegx.runtime.nodes.http_response:Response",
    "logic.wait": "nodegx.runtime.values:WaitResult",
    "code.python": None,
    "cloud.response": None,
    "workflow.call": None,
    "workflow.emit": None,
    "data.json": None,
    "data.set": None,
    "data.transform": None,
}
"""The types of steps' results, likewise. A node that is missing here cannot be skipped in a new
execution; those that hold other nodes are not steps of the journal."""

CODE_RESULT = "nodegx.runtime.nodes.python:CodeResult"

_MARKS = {
    "$truncated": "it was too long to be recorded as a whole",
    "$bytes": "there are bytes in it",
    "$error": "there is an error in it",
}
_NAMED = re.compile(
    r"NaN|-?Infinity|<(?:more|cycle|too deep|unreadable|function \S+|integer of \d+ bits|(?:[A-Za-z_]\w*\.)+\w+)>"
)


class Unfaithful(ValueError):
    """The history does not have a value as it was. The message completes "because …"."""


def trigger_value(port: TriggerPort, text: str | None) -> Any:
    """The value that a trigger had, of the input that the history has.

    Raises:
        Unfaithful: it was not recorded, or not as it was.
    """
    if port.type not in TRIGGER_TYPES:
        raise Unfaithful(f"values of {port.type} cannot be made again")
    return _rebuilt(TRIGGER_TYPES[port.type], _data(text))


def result(step: StepRecord) -> Any:
    """The result of a step that has succeeded.

    Raises:
        Unfaithful: it was not recorded, or not as it was.
    """
    if step.type not in RESULT_TYPES:
        raise Unfaithful(f"results of {step.type} cannot be made again")
    if step.output is None:
        if step.input is None:
            raise Unfaithful("it was not recorded")
        return None  # the result was nothing
    value = _data(step.output)
    if step.type == "code.python":
        return _code_result(step, value)
    return _rebuilt(RESULT_TYPES[step.type], value)


def failure(step: StepRecord) -> ErrorInfo:
    """The failure of a step, as the workflow saw it.

    Raises:
        Unfaithful: it was not recorded, or not as it was.
    """
    if step.input is None:
        raise Unfaithful("its details were not recorded")
    return _rebuilt("nodegx.runtime.errors:ErrorInfo", _data(step.error))


def output(record: ExecutionRecord) -> Any:
    """The body that an execution has answered with; None if it did not answer.

    Raises:
        Unfaithful: it was not recorded, or not as it was.
    """
    if record.output is None and record.input is not None:
        return None
    value = _data(record.output)
    return cast("dict[str, Any]", value).get("body") if isinstance(value, dict) else None


def is_step(step: StepRecord) -> bool:
    """Whether a record is that of a step with a result of its own, not of a decision or of a node
    that holds others."""
    return step.type == "logic.wait" or not step.type.startswith("logic.")


def _code_result(step: StepRecord, value: Any) -> Any:
    """Code with several outputs returns the one it chose with its value; which looks the same as
    an object with these two keys."""
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    if fields.keys() != {"port", "value"} or fields["port"] != step.port:
        return fields
    if step.port == "done":
        raise Unfaithful("it may be the choice of an output, or an object that looks like one")
    return _rebuilt(CODE_RESULT, fields)


def _data(text: str | None) -> Any:
    if text is None:
        raise Unfaithful("it was not recorded")
    try:
        value = json.loads(text)
    except ValueError:
        raise Unfaithful("it was not recorded as a whole") from None
    _check(value)
    return value


def _check(value: Any) -> None:
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if MARKER in item:
                raise Unfaithful("parts of it are secret, and so were not recorded")
            if _NAMED.fullmatch(item):
                raise Unfaithful(f"{item} in it has no JSON form")
        elif isinstance(item, dict):
            held = cast("dict[str, Any]", item)
            for key, reason in _MARKS.items():
                if key in held:
                    raise Unfaithful(reason)
            stack += [*held, *held.values()]
        elif isinstance(item, list):
            stack += cast("list[Any]", item)


def _rebuilt(name: str | None, value: Any) -> Any:
    if name is None or value is None:
        return value
    module, _, attribute = name.partition(":")
    kind: Any = getattr(import_module(module), attribute)
    if not isinstance(value, dict) or set(cast("dict[str, Any]", value)) != set(kind._fields):
        raise Unfaithful("it was recorded by another version of this software")
    return kind(**value)
