"""What is watched of each workflow, and when somebody is told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .plan import EventTrigger, FileTrigger, Function, ScheduleTrigger

DAY = 86_400
WEEK = 7 * DAY
"""Seconds that CloudWatch looks back at most."""
SLACK = 600
"""Seconds a start may be late."""
SLOW = 0.8
"""Share of a function's timeout that one in twenty runs may take before it counts as slow."""

FAILED = '{ $.message = "execution ended: error" || $.message = "execution ended: timeout" }'
"""Which lines of a function's log tell of a failed execution."""
RAN = (
    '{ $.message = "execution ended: success" || $.message = "execution ended: error"'
    ' || $.message = "execution ended: timeout" || $.message = "execution waits" }'
)
"""Which lines tell that an execution has got somewhere."""

Source = Literal["function", "log", "dead-letters"]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm of a workflow.

    Args:
        kind: what it is about; part of its name.
        description: what it means, for whoever is told.
        source: whose metric it is: Lambda's own, one counted from the log, a queue's.
        metric: name of the metric.
        statistic: `Sum`, `Maximum`, or a percentile such as `p95`.
        period: seconds of one value.
        periods: how many values must all be out of bounds.
        threshold: the bound.
        below: whether values below the bound are wrong, not those at or above it.
        pattern: for metrics counted from the log, which of its lines count.
        fifo: for dead letters, which of the queues.
    """

    kind: str
    description: str
    source: Source = "function"
    metric: str
    statistic: str
    period: int = 300
    periods: int = 1
    threshold: float
    below: bool = False
    pattern: str = ""
    fifo: bool = False


def alarms(function: Function) -> tuple[Alarm, ...]:
    """The alarms of a workflow."""
    return tuple(_alarms(function))


def _alarms(function: Function) -> Iterator[Alarm]:
    name = function.workflow
    if function.is_woken or not all(
        isinstance(t, ScheduleTrigger | EventTrigger | FileTrigger) for t in function.triggers
    ):
        yield Alarm(
            kind="failures",
            description=f"{name} failed; whoever started it was told so.",
            source="log",
            metric="Failures",
            statistic="Sum",
            threshold=1,
            pattern=FAILED,
        )
    yield Alarm(
        kind="errors",
        description=f"{name} failed, was stopped or could not be started.",
        metric="Errors",
        statistic="Sum",
        threshold=1,
    )
    yield Alarm(
        kind="throttles",
        description=f"{name} was called more often than its concurrency allows.",
        metric="Throttles",
        statistic="Sum",
        threshold=1,
    )
    yield Alarm(
        kind="duration",
        description=f"{name} comes close to its time limit of {function.timeout} s.",
        metric="Duration",
        statistic="p95",
        periods=3,
        threshold=round(function.timeout * 1000 * SLOW),
    )
    for fifo in function.dead_letters:
        yield Alarm(
            kind="dead-letters-fifo" if fifo else "dead-letters",
            description=f"{name} was given up on something: see its dead letters.",
            source="dead-letters",
            metric="ApproximateNumberOfMessagesVisible",
            statistic="Maximum",
            threshold=1,
            fifo=fifo,
        )
    window = silence(function)
    if window is not None:
        period, periods = window
        is_woken = function.is_woken  # by sweeps, which are invocations, too
        yield Alarm(
            kind="did-not-run",
            description=f"{name} has not run when its schedule asked for it.",
            source="log" if is_woken else "function",
            metric="Runs" if is_woken else "Invocations",
            pattern=RAN if is_woken else "",
            statistic="Sum",
            period=period,
            periods=periods,
            threshold=1,
            below=True,
        )


def silence(function: Function) -> tuple[int, int] | None:
    """How long a scheduled workflow may be silent, as seconds of a period and a number of them;
    None if nothing is scheduled, or so seldom that CloudWatch cannot look back far enough."""
    pauses = [t.pause for t in function.triggers if isinstance(t, ScheduleTrigger)]
    if not pauses:
        return None
    window = min(pauses) + SLACK
    period = 60 if window <= DAY / 24 else 300 if window <= DAY else 3600
    periods = math.ceil(window / period) + 1
    return (period, periods) if period * periods <= (WEEK if period >= 3600 else DAY) else None
