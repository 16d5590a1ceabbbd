"""How a durable execution waits: for a time, a request, a condition, another execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time
from typing import TYPE_CHECKING, Any

from nodegx.runtime.clock import duration
from nodegx.runtime.values import WaitResult
from nodegx.runtime.waiting import Poll, timed_out

from .state import Entry, Kind, Wait
from .tokens import answer_key

if TYPE_CHECKING:
    from .execution import DurableExecution


async def for_time(execution: DurableExecution, step: str, delay: Callable[[], float]) -> None:
    """Waits as long as `delay` says when the wait begins."""
    entry = _begin(execution, step, lambda: time() + delay())
    await execution.parking.park(Wait(answer_key(step), "time", _number(entry)))


async def for_request(
    execution: DurableExecution,
    step: str,
    webhook: Mapping[str, Any],
    timeout: Any,  # noqa: ASYNC109 (the end of a wait may be a year away)
    on_timeout: str,
) -> WaitResult:
    """Waits for a request to the step's resume URL."""
    limit = None if timeout is None else duration(timeout)
    key = answer_key(step)
    text = execution.early(key)
    if text is None:
        entry = _begin(execution, step, lambda: None if limit is None else time() + limit)
        spec = {"step": step, "webhook": dict(webhook)}
        text = await execution.parking.park(Wait(key, "webhook", _number(entry), spec))
    if text is None:
        if on_timeout == "branch":
            return WaitResult("timeout")
        raise timed_out("An answer", limit)
    return WaitResult("done", **execution.codec.decode(text))


async def for_condition(
    execution: DurableExecution,
    step: str,
    condition: Callable[[Any, int], Any],
    poll: Mapping[str, Any] | None,
    timeout: Any,  # noqa: ASYNC109 (the end of a wait may be a year away)
    on_timeout: str,
) -> WaitResult:
    """Asks until a condition holds."""
    asking = Poll(poll)
    limit = None if timeout is None else duration(timeout)
    entry = execution.journal.find(f"{step}!wait")
    end = None if limit is None else time() + limit
    attempt, due, response = 1, None, None
    if entry is not None:
        attempt, due, end = execution.codec.decode(entry.value)
    while True:
        if due is not None:
            await execution.parking.park(Wait(answer_key(step), "condition", due, {"step": step}))
        answered, response = await asking.ask(execution)
        if answered and condition(response, attempt):
            return WaitResult("done", response=response)
        if end is not None and time() >= end:
            if on_timeout == "branch":
                return WaitResult("timeout", response=response)
            raise timed_out("What it waits for", limit)
        due = time() + asking.interval(attempt)
        due = due if end is None else min(due, end)
        attempt += 1
        value = execution.codec.encode([attempt, due, end])
        execution.journal.hold_back(Entry(f"{step}!wait", Kind.WAIT, value, started=time()))


async def for_execution(execution: DurableExecution, step: str, child: str) -> Any:
    """Waits for the end of an execution that this one has called. Returns its outcome."""
    key = answer_key(step)
    text = execution.early(key)
    if text is None:
        text = await execution.parking.park(Wait(key, "call", None, {"execution": child}))
    return execution.codec.decode(text)


def _begin(execution: DurableExecution, step: str, end: Callable[[], float | None]) -> Entry:
    """The entry that tells when a wait is over, the same one when the handler runs again."""
    key = f"{step}!wait"
    entry = execution.journal.find(key)
    if entry is None:
        entry = Entry(key, Kind.WAIT, repr(end()), started=time())
        execution.journal.hold_back(entry)
    return entry


def _number(entry: Entry) -> float | None:
    return None if entry.value == "None" else float(entry.value)
