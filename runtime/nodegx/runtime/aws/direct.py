"""Direct invocations: `workflow.call`, the workflow for failures, the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodegx.runtime.errors import FatalError, NodegxError
from nodegx.runtime.history.plain import plain
from nodegx.runtime.triggers.given import trigger_value
from nodegx.runtime.triggers.reply import ReplyError, to_json

if TYPE_CHECKING:
    from .adapter import Adapter


async def called(adapter: Adapter, input: Any, call: Mapping[str, Any]) -> dict[str, Any]:
    """Runs a workflow from one of its triggers.

    Args:
        adapter: the trigger.
        input: JSON, read as `nodegx run` reads it.
        call: who called: `parent` and `depth`, and the id that the `execution` shall have.

    Returns:
        `status`, `output` (the answer's body), `error` and `execution`.
    """
    try:
        value = trigger_value(adapter.type, adapter.config, input)
    except NodegxError as error:
        return _refused(error)
    options: dict[str, Any] = {
        "id": call.get("execution"),
        "parent": call.get("parent"),
        "depth": int(call.get("depth", 0)),
    }
    keys = adapter.host.idempotency
    if keys is None or adapter.node not in adapter.workflow.keys:
        execution = await adapter.run(value, **options)
    else:
        try:
            execution = await keys.run(adapter, value, options)
            await execution.finish()
        except FatalError as error:
            return _refused(error)
    answer, failure = execution.answer, execution.failure
    return {
        "status": execution.record.status.value,
        "output": None if answer is None else _json(answer.body),
        "error": None if failure is None else _json(failure._asdict()),
        "execution": execution.id,
    }


def _refused(error: NodegxError) -> dict[str, Any]:
    """How a call ends that starts nothing."""
    category = "retriable" if error.retriable else "fatal"
    info = {"message": error.message, "code": error.code, "category": category}
    refused = {**info, "details": error.details}
    return {"status": "error", "output": None, "error": refused, "execution": None}


def _json(value: Any) -> Any:
    """What a workflow computed, as JSON data; what it cannot be becomes text."""
    try:
        return json.loads(to_json(value))
    except ReplyError:
        return plain(value)
