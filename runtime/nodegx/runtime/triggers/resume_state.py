"""Where the wait of a step stands, by what is kept of its execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodegx.runtime.durable.state import Wait
from nodegx.runtime.durable.store import Kept
from nodegx.runtime.durable.tokens import answer_key

from .resume import WaitState

WEBHOOK = "webhook"


def standing(
    kept: Kept, step: str, under_way: Mapping[str, Wait] | None = None
) -> tuple[WaitState, dict[str, Any] | None]:
    """Where a wait stands, and what ends it.

    Args:
        kept: the execution.
        step: the key of the step that waits.
        under_way: what an execution that runs in this process waits for, by key; None where it
            does not.
    """
    key = answer_key(step)
    written = {entry.key for entry in kept.entries}
    if key in written:
        return WaitState.ANSWERED, None
    if step in written:
        return WaitState.OVER, None
    waits = {wait.key: wait for wait in kept.state.waits} if under_way is None else under_way
    wait = waits.get(key)
    if wait is not None and wait.kind == WEBHOOK:
        return WaitState.WAITING, wait.spec
    return WaitState.EARLY, None
