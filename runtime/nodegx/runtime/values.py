"""Small immutable values that the host, the handler and the nodes hand to one another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

MAX_TEXT = 10_000_000
"""Characters of JSON text that a value may be written as."""
_SCALARS = (int, float, type(None))
_QUICK = 100_000
"""Values that are looked at before it counts that some may be the same one again."""


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


class WaitResult(NamedTuple):
    """How a `logic.wait` ended.

    `port` is `done`, or `timeout` where the wait was given up. Of a wait for a webhook, `body`,
    `query` and `headers` are those of the request that ended it, `action` the form's button that
    was pressed. Of a wait for a condition, `response` is the last answer that was polled. What
    does not belong to the wait is None.
    """

    port: str = "done"
    body: Any = None
    query: Any = None
    headers: Any = None
    action: str | None = None
    response: Any = None


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


def weight(value: Any, before: int = 0) -> int:
    """About how many characters a value has as JSON text; possibly less than it is, if above
    `MAX_TEXT`.

    A value that holds another one many times is small in memory and may be huge as text; one that
    holds itself has no end. So this is asked before a value is written.

    Args:
        value: JSON data.
        before: the weight of what goes into the same text.
    """
    stack: list[Any] = [value]
    weight = before
    for _ in range(_QUICK):
        if not stack:
            return weight
        item = stack.pop()
        weight += 1
        if isinstance(item, str):
            weight += len(item)
        elif isinstance(item, _SCALARS):
            continue
        elif isinstance(item, dict):
            held = cast("dict[Any, Any]", item)
            stack.extend(held)
            stack.extend(held.values())
        elif isinstance(item, list | tuple | set | frozenset):
            stack.extend(cast("list[Any]", item))
        if weight + len(stack) > MAX_TEXT:
            return weight + len(stack)
    from .shared_weight import shared_weight

    return before + shared_weight(value)
