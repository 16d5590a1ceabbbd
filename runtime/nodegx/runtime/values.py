"""Small immutable values that the host, the handler and the nodes hand to one another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Trigger(NamedTuple):
    """What started an execution.

    `node` is the trigger node's id, `type` its type, `value` what expressions read from it: a
    NamedTuple where the trigger has named ports, plain JSON where its value is one whole port.
    """

    node: str
    type: str
    value: Any


class Reply(NamedTuple):
    """An answer to the caller, as `cloud.response` gave it. `body` is not yet encoded: text,
    bytes, None, or JSON data. A header whose value is a list is sent several times."""

    status: int = 200
    headers: Mapping[str, str | list[str]] = {}
    body: Any = None


class ForEachResult(NamedTuple):
    """Outcome of a `logic.forEach`: one result per iteration in the order of the items, None where
    it failed, and one object with `index`, `message`, `code` … per failed iteration."""

    results: list[Any]
    errors: list[dict[str, Any]]


class ExecutionInfo(NamedTuple):
    """What expressions read as `execution`. `started` is an ISO 8601 time in UTC; `attempt`
    counts from 1."""

    id: str
    workflow: str
    started: str
    attempt: int


def iso_time(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC with milliseconds: `2026-11-23T09:00:00.000Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"
