"""What one execution leaves behind. Steps are captured as JSON text the moment they end, because
a workflow may change the values later."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """State of an execution or a step."""

    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"  # its process died
    SKIPPED = "skipped"
    WAITING = "waiting"  # suspended; it goes on later
    QUEUED = "queued"  # accepted, not begun

    @property
    def ended(self) -> bool:
        """Whether that is how something has ended; otherwise it begins or goes on some time."""
        return self not in GOING_ON


GOING_ON = (Status.RUNNING, Status.WAITING, Status.QUEUED)
"""The statuses of what has not ended."""


@dataclass(slots=True)
class StepRecord:
    """One node's run. `id` is the node's id, plus the iteration path inside loops
    (`price[3]`, `price[3][0]`). Times are seconds since the epoch; `duration` is in seconds and
    covers all attempts. `input`, `output` and `error` are JSON text or None. `port` is the signal
    the node sent."""

    id: str
    node: str
    type: str
    started: float
    duration: float
    status: Status
    attempts: int = 1
    port: str | None = None
    input: str | None = None
    output: str | None = None
    error: str | None = None


@dataclass(slots=True)
class ExecutionRecord:
    """One run of a workflow. `trigger` is the trigger node's id; `input` the trigger's value,
    `output` the answer and `error` an `ErrorInfo`, each as JSON text. One that is `durable` goes
    on when its process has died; `fence` goes up with each host that has had it; `audit` is a JSON
    list of what people did to it."""

    id: str
    workflow: str
    trigger: str
    status: Status
    started: float
    finished: float | None = None
    parent: str | None = None
    revision: str = ""
    input: str | None = None
    output: str | None = None
    error: str | None = None
    # `list` itself: calling the alias `list[StepRecord]` takes three times as long.
    steps: list[StepRecord] = field(default_factory=list)  # pyright: ignore[reportUnknownVariableType]
    host: str = ""
    durable: bool = False
    audit: str | None = None
    fence: int = 0
