"""Which response of a run answers its caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.scope import SAME, Tie
from tests.support.trace import Event, Parallel, Step, steps


def settle_answers(trace: Sequence[Event]) -> tuple[Any, Any] | None:
    """Marks every response but the first as skipped and returns the first one's status and body."""
    responses = [step for step in steps(trace) if step.type == "cloud.response"]
    responses = [step for step in responses if step.status == "success"]
    if not responses:
        return None
    first = min(responses, key=lambda step: step.at)
    for step in responses:
        if step is first:
            continue
        if abs(step.at - first.at) < SAME and _side_by_side(trace, first, step):
            raise Tie
        step.status, step.port, step.input = "skipped", None, None
    return first.input.get("status", 200), first.input.get("body")


def _side_by_side(trace: Sequence[Event], one: Step, other: Step) -> bool:
    for event in trace:
        if not isinstance(event, Parallel):
            continue
        holding = [
            branch
            for branch in event.branches
            if any(step is one or step is other for step in steps(branch))
        ]
        if len(holding) == 2:
            return True
        if holding and _side_by_side(holding[0], one, other):
            return True
    return False
