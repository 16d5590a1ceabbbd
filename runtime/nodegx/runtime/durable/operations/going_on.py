"""Going on now: an execution that waits is told not to, or is given the answer it waits for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from nodegx.runtime.durable.state import Entry, RunState, RunStatus, Wait
from nodegx.runtime.durable.store import Kept
from nodegx.runtime.durable.tokens import answer_key

from .operator import STATE, Operator, Outcome, Refusal
from .starting import PLAIN

ACTION = "resume"
ANSWER = answer_key("")
TIMED = frozenset({"time", "retry", "condition", "yield"})
"""Kinds of waits that end by themselves, and so may end early."""

_PARTS = ("body", "query", "headers", "action")


class Given(NamedTuple):
    """An answer in place of the request that a wait wants: a JSON object with `body` or `action`
    and no key but `body`, `query`, `headers` and `action`; anything else is the body."""

    data: Any

    @property
    def value(self) -> dict[str, Any]:
        """What the wait gets."""
        given: Mapping[str, Any] = {"body": self.data}
        if isinstance(self.data, Mapping):
            data = cast("Mapping[str, Any]", self.data)
            if data.keys() <= set(_PARTS) and not data.keys().isdisjoint(("body", "action")):
                given = data
        defaults: dict[str, Any] = {"body": None, "query": {}, "headers": {}, "action": None}
        return {**defaults, **given}


def step_of(wait: Wait) -> str:
    """The step that waits; empty where the whole workflow waits for its next attempt."""
    return wait.key.partition("!")[0]


def go_on(
    operator: Operator, id: str, *, step: str | None = None, answer: Given | None = None
) -> Outcome:
    """Lets a waiting execution go on now.

    Args:
        operator: who does it, and where.
        id: the waiting execution.
        step: the step whose wait ends; None means all that end by themselves, or the only one
            that wants an answer.
        answer: what the wait for a request gets.

    Raises:
        Refusal: it does not wait, or not for that.
    """
    kept = operator.unfinished(id, "go on now")
    if kept.state.status is not RunStatus.WAITING:
        raise Refusal(STATE, f"It is {kept.state.status}, not waiting")
    waits = [wait for wait in kept.state.waits if step in (None, step_of(wait))]
    if step is not None and not waits:
        known = ", ".join(f"`{step_of(wait)}`" for wait in kept.state.waits) or "nothing"
        raise Refusal(STATE, f"It does not wait at `{step}`; it waits at {known}")
    if answer is not None:
        return _answer(operator, kept.state, waits, answer)
    return _end_waits(operator, kept, waits)


def _answer(operator: Operator, state: RunState, waits: Sequence[Wait], answer: Given) -> Outcome:
    wanting = [wait for wait in waits if wait.kind == "webhook"]
    if len(wanting) != 1:
        names = ", ".join(f"`{step_of(wait)}`" for wait in wanting)
        reason = f"Several waits want an answer: {names}; name the step" if wanting else _why(waits)
        raise Refusal(STATE, reason)
    wait = wanting[0]
    entry = operator.entry(ACTION, answered=step_of(wait))
    with operator.claimed(state, entry) as claimed:
        if not operator.runs.answer(state.id, wait.key, PLAIN.encode(answer.value)):
            raise Refusal(STATE, f"The wait at `{step_of(wait)}` has its answer already")
        operator.history.write([], [operator.noted(claimed)])
        operator.write(operator.suspension(claimed))
    operator.wake(state)
    return Outcome(state.id, ACTION, state.id, RunStatus.WAITING.value)


def _end_waits(operator: Operator, kept: Kept, waits: Sequence[Wait]) -> Outcome:
    state, now = kept.state, operator.clock()
    ending = {wait.key for wait in waits if wait.kind in TIMED}
    if waits and not ending:
        raise Refusal(STATE, _why(waits))
    entries = {entry.key: entry for entry in kept.entries}
    changed = [_over(wait, entries, now) for wait in waits if wait.key in ending]
    after = tuple(wait._replace(due=now) if wait.key in ending else wait for wait in state.waits)
    entry = operator.entry(ACTION, now=True, steps=[step_of(w) for w in waits if w.key in ending])
    with operator.claimed(state, entry) as claimed:
        operator.history.write([], [operator.noted(claimed)])
        change = operator.suspension(
            claimed, waits=after, entries=[each for each in changed if each is not None], due=now
        )
        operator.write(change)
    operator.wake(state)
    return Outcome(state.id, ACTION, state.id, RunStatus.WAITING.value)


def _over(wait: Wait, entries: Mapping[str, Entry], now: float) -> Entry | None:
    """The entry that tells when a wait is over, changed to now."""
    key = f"{step_of(wait)}!wait"
    if wait.kind == "retry":
        key = wait.key.removesuffix(ANSWER)
    entry = entries.get(key)
    if entry is None:
        return None
    if wait.kind != "condition":
        return replace(entry, value=repr(now))
    attempt, _, end = json.loads(entry.value)
    return replace(entry, value=PLAIN.encode([attempt, now, end]))


_REASONS = {
    "webhook": "a request, so it needs the answer that it is to go on with",
    "call": "the end of another execution; operate on that one",
}


def _why(waits: Sequence[Wait]) -> str:
    """Why these waits cannot be ended, or answered."""
    reasons = [
        f"`{step_of(wait)}` waits for {_REASONS.get(wait.kind, 'a time, and takes no answer')}"
        for wait in waits
    ]
    return "; ".join(reasons) or "It waits for nothing that could be answered"
