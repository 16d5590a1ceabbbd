"""What is kept of an execution that is not over: its state, its waits, its journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class RunStatus(StrEnum):
    """Where an unfinished execution stands.

    A host claims what is queued, what waits and is due, and what runs on a host that has died.
    What has failed stays until somebody retries, resumes or discards it: the dead letters.
    """

    QUEUED = "queued"  # accepted; no host has it yet
    RUNNING = "running"  # a host has it
    WAITING = "waiting"  # suspended until `due`, or an answer
    FAILED = "failed"  # a dead letter


class Kind(StrEnum):
    """What an entry of the journal tells."""

    RESULT = "result"  # a step has returned `value`
    FAILURE = "failure"  # a step has failed for good; `value` is the error
    ATTEMPT = "attempt"  # a step has failed and will be tried again; `value` is when
    WAIT = "wait"  # a wait has begun; `value` is the `Wait`
    ANSWER = "answer"  # somebody has answered a wait; `value` is what they sent
    DRAW = "draw"  # the time, an id or a random number that the handler has drawn
    WINNER = "winner"  # which branch of a merge `any` arrived first


@dataclass(slots=True)
class Entry:
    """One entry of a journal.

    `key` tells it from all others of the execution: a step's id, with a suffix for what is no
    step's outcome. `number` gives the order in which they were written, from 1; answers have 0.
    `digest` is a hash of the step's input, `after` the place in the flow that it began at. `value`
    is text of `codec`. `started` is in seconds since the epoch, `duration` in seconds.
    """

    key: str
    kind: Kind
    value: str
    number: int = 0
    digest: str = ""
    after: str = ""
    started: float = 0.0
    duration: float = 0.0
    attempts: int = 1


class Wait(NamedTuple):
    """What a suspended step waits for. `due` is when it goes on at the latest, in seconds since
    the epoch; None waits for an answer however long it takes. `kind` is `time`, `webhook`,
    `condition`, `call` or `retry`; `spec` is what somebody has to know who wants to answer it."""

    key: str
    kind: str
    due: float | None = None
    spec: dict[str, Any] | None = None


@dataclass(slots=True)
class RunState:
    """An execution that is not over, or has failed.

    Args:
        id: the execution's id.
        workflow: full name.
        revision: of the code that started it, which is the code that goes on with it.
        trigger: id of the trigger node; `trigger_type` is its type.
        input: the trigger's value as text of `codec`: complete, nothing redacted but secrets.
        started: when it was accepted, in seconds since the epoch.
        status: where it stands.
        durable: whether it has a journal to resume from; otherwise it can only start anew.
        secret: random text of which the tokens of its resume URLs are made.
        vars: the project's variables and environment it began with, as text of `codec`.
        parent: the execution that called it; `parent_step` the step there that waits for its end.
        depth: how deep calls are nested.
        owner: the host that has it, or None.
        fence: goes up with each change of owner; whoever writes names it, and is refused if it
            has changed.
        due: when it wants to go on, in seconds since the epoch; None if only an answer helps.
        waits: what it waits for.
        replied: whether its caller has been answered.
        failures: how often it was given up; goes up with each end in `FAILED`.
        error: why it has failed, an `ErrorInfo` as JSON text.
        cancel: why somebody wants it cancelled, or None.
        audit: what people did to it: JSON objects with `at`, `by`, `action` and more.
        updated: when this last changed, in seconds since the epoch.
    """

    id: str
    workflow: str
    revision: str
    trigger: str
    trigger_type: str
    input: str
    started: float
    status: RunStatus = RunStatus.QUEUED
    durable: bool = True
    secret: str = ""
    vars: str | None = None
    parent: str | None = None
    parent_step: str | None = None
    depth: int = 0
    owner: str | None = None
    fence: int = 0
    due: float | None = None
    waits: tuple[Wait, ...] = ()
    replied: bool = False
    failures: int = 0
    error: str | None = None
    cancel: str | None = None
    audit: tuple[dict[str, Any], ...] = field(default_factory=tuple)
    updated: float = 0.0
