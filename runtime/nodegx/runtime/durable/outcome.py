"""How executions ended, as those see it that called them: `status`, `output`, `error` and
`execution`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodegx.runtime.errors import ErrorInfo, NodegxError
from nodegx.runtime.history.record import Status

if TYPE_CHECKING:
    from nodegx.runtime.local import Called


def outcome_of(execution: Called) -> dict[str, Any]:
    """How an execution ended."""
    record, failure, answer = execution.record, execution.failure, execution.answer
    return {
        "status": record.status.value,
        "output": None if answer is None else answer.body,
        "error": None if failure is None else failure._asdict(),
        "execution": execution.id,
    }


def ended_without_answer(execution: str, status: Status, error: ErrorInfo) -> dict[str, Any]:
    """The outcome of an execution that somebody else has ended.

    Args:
        execution: its id.
        status: how.
        error: why.
    """
    return {
        "status": status.value,
        "output": None,
        "error": error._asdict(),
        "execution": execution,
    }


def outcome_of_call(workflow: str, outcome: Mapping[str, Any]) -> Any:
    """What a call returns, of how the called execution ended.

    Raises:
        NodegxError: code `call.failed`; it failed.
    """
    if outcome["status"] == "success":
        return outcome["output"]
    info: Mapping[str, Any] = outcome["error"] or {}
    raise NodegxError(
        f"{workflow} failed: {info.get('message') or outcome['status']}",
        code="call.failed",
        retriable=info.get("category") == "retriable",
        details={"execution": outcome["execution"], "code": info.get("code")},
    )
