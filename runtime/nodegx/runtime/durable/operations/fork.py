"""Fork: a new execution that begins with what another one has done up to a step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches

from nodegx.runtime.durable.poison import KEY as PASSES
from nodegx.runtime.durable.state import Entry, Kind, RunState, RunStatus
from nodegx.runtime.durable.store import Append
from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.history.recorder import MAX_STEPS

from . import faithful
from .operator import CODE, INPUT, STATE, Operator, Outcome, Refusal
from .retry import note
from .starting import PLAIN, Edited, Origin, anew, announce, input_of

ACTION = "fork"
_OUTCOMES = frozenset({Kind.RESULT, Kind.FAILURE})
UNFINISHED = "unfinished"
"""The revision of a new execution whose journal is not complete."""


def fork(operator: Operator, id: str, step: str, *, edited: Edited | None = None) -> Outcome:
    """Starts a new execution on the current revision that has done already what the original had
    done before `step`, and goes on from there.

    Waits, calls and attempts that had not ended by then begin anew; so do drawn resume URLs, as
    they belong to one execution. Links that were sent lead to the original.

    Args:
        operator: who does it, and where.
        id: the original; it may be in any state, and is not changed.
        step: the first step to be done anew: its id with the iteration, such as `price[3]`, or
            the node's id for the first of its steps.
        edited: an input in place of the original one.

    Raises:
        Refusal: there is no such step, the current revision is not durable, or what the original
            had done is not known as it was.
        InputError: the edited input does not fit.
    """
    origin = Origin.of(operator, id)
    target = operator.current(origin.workflow)
    if not target.durable:
        raise Refusal(
            CODE, f"{target.workflow} is not durable, so it can only start anew: retry it"
        )
    if origin.kept is not None and origin.kept.state.durable:
        entries = before(step, origin.kept.entries)
    else:
        entries = _from_history(step, origin.record)
    text = input_of(origin, target, edited)
    changed = None if edited is None else True
    new = anew(operator, origin, target, text, action=ACTION, of=id, step=step, edited=changed)
    new = replace(new, parent=None, depth=0, status=RunStatus.WAITING, due=operator.clock())
    ended = origin.record if origin.kept is None else None
    if ended is not None:
        note(ended, operator.entry(ACTION, execution=new.id, step=step, edited=changed))
    announce(operator, new, [ended] if ended is not None else [])
    _keep(operator, new, entries)
    operator.wake(new)
    return Outcome(id, ACTION, new.id, new.status.value)


def _keep(operator: Operator, new: RunState, entries: Sequence[Entry]) -> None:
    """Keeps a new execution with its journal. Until that is complete it has a revision that no
    host has: one that did without the journal would do again what has been done."""
    runs = operator.runs
    draft = replace(new, status=RunStatus.RUNNING, owner=runs.host, fence=1, due=None)
    try:
        runs.create([replace(draft, revision=UNFINISHED)])
        operator.write(Append(draft.id, draft.fence, entries))
        operator.replace(replace(draft, status=RunStatus.WAITING, owner=None, due=new.due))
    except BaseException:
        with contextlib.suppress(StoreUnavailable):
            runs.delete([new.id])
            operator.history.delete([new.id])
        raise


def before(step: str, entries: Sequence[Entry]) -> list[Entry]:
    """The journal as it was before a step ended, without what had not ended by then. Inputs of
    steps may be different now, so their hashes are gone.

    Raises:
        Refusal: the journal has nothing of that step.
    """
    ordered = sorted(entries, key=lambda entry: entry.number)
    name = _found(step, ordered)
    mine = [entry for entry in ordered if entry.number and _step(entry.key) == name]
    ended = [entry.number for entry in mine if entry.kind in _OUTCOMES]
    cut = min(ended or [entry.number for entry in mine])
    kept = {entry.key for entry in ordered if entry.kind in _OUTCOMES and entry.number < cut}
    return [
        replace(entry, digest="")
        for entry in ordered
        if entry.number < cut and _belongs(entry, name, kept)
    ]


def _belongs(entry: Entry, step: str, ended: set[str]) -> bool:
    """Whether an entry stays: outcomes, winners of races, what was drawn; and of waits, attempts
    and calls, those of steps that have ended."""
    if "!resumeUrl" in entry.key or entry.key == PASSES or _step(entry.key) == step:
        return False
    if entry.kind in _OUTCOMES or entry.kind is Kind.WINNER:
        return True
    if entry.kind is Kind.DRAW and not entry.key.endswith("!child"):
        return True
    owner = _step(entry.key)
    return owner in ended or (entry.kind is Kind.ATTEMPT and owner == "")


def _step(key: str) -> str:
    """The step that an entry belongs to."""
    return key.partition("!")[0]


def _found(step: str, entries: Iterable[Entry]) -> str:
    """The step that is meant: that of this very id, or else the first one of a node.

    Raises:
        Refusal: there is none.
    """
    names: dict[str, None] = {}
    for entry in entries:
        if entry.kind in _OUTCOMES or entry.kind in (Kind.WAIT, Kind.ATTEMPT):
            names.setdefault(_step(entry.key))
    if step in names:
        return step
    first = next((name for name in names if name.partition("[")[0].partition("#")[0] == step), None)
    if first is None:
        close = get_close_matches(step, names, n=3) or list(names)[:12]
        known = ", ".join(f"`{name}`" for name in close) or "none"
        raise Refusal(STATE, f"It has no step `{step}`; steps it has: {known}")
    return first


# --- from the history ----------------------------------------------------------------------------


def _from_history(step: str, record: ExecutionRecord | None) -> list[Entry]:
    """A journal made of the steps that the history has. Races are decided anew, and whatever the
    workflow draws is drawn anew.

    Raises:
        Refusal: not all of them are there as they were.
    """
    steps = [] if record is None else [each for each in record.steps if faithful.is_step(each)]
    if record is None or not steps:
        raise Refusal(INPUT, "The history has no steps of it, so there is nothing to begin with")
    if len(record.steps) >= MAX_STEPS:
        raise Refusal(INPUT, f"The history has no more than {MAX_STEPS:,} steps, and so not all")
    steps.sort(key=lambda each: each.started + each.duration)
    drafts = [_draft(number, each) for number, each in enumerate(steps, start=1)]
    chosen = {entry.key for entry in before(step, drafts)}
    return [
        _entry(draft, each)
        for draft, each in zip(drafts, steps, strict=True)
        if draft.key in chosen and each.status in (Status.SUCCESS, Status.ERROR)
    ]


def _draft(number: int, step: StepRecord) -> Entry:
    kind = Kind.RESULT if step.status is Status.SUCCESS else Kind.FAILURE
    return Entry(
        step.id,
        kind,
        "",
        number,
        started=step.started,
        duration=step.duration,
        attempts=step.attempts,
    )


def _entry(draft: Entry, step: StepRecord) -> Entry:
    outcome = faithful.result if step.status is Status.SUCCESS else faithful.failure
    try:
        return replace(draft, value=PLAIN.encode(outcome(step)))
    except faithful.Unfaithful as reason:
        raise Refusal(
            INPUT,
            f"What its step `{step.id}` came to cannot be used again, because {reason}; begin at"
            " that step or before it, or retry it",
        ) from None
