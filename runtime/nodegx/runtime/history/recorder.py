"""Collects the steps of one execution while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time
from typing import Any

from nodegx.runtime.arguments import named_arguments
from nodegx.runtime.errors import ErrorInfo
from nodegx.runtime.node import Node

from .record import Status, StepRecord
from .text import Capture

MAX_STEPS = 10_000  # later steps of an execution leave a record only if they fail
MAX_TEXT = 64 * 1024 * 1024  # bytes of captured text after which steps are recorded without data

OnStep = Callable[[StepRecord, str], None]

_WAIT = "logic.wait"  # the one type of its family that runs as a step and has outputs to choose

# The signal a node sends when it has ended, where that is not `done`.
_PORTS: Mapping[str, str] = {"logic.forEach": "completed"}


class Recorder:
    """The record of an execution's steps.

    Args:
        capture: makes text of values.
        data: whether inputs, outputs and details of errors are recorded at all.
        on_step: is told of every step: (record, `"start"` or `"end"`).
        clock: tells when steps begin, in seconds since the epoch.

    Attributes:
        steps: the records, in the order in which the steps began.
        dropped: how many further steps left no record.
    """

    __slots__ = ("_capture", "_data", "_now", "_on_step", "_room", "_unseen", "dropped", "steps")

    def __init__(
        self,
        capture: Capture,
        *,
        data: bool = True,
        on_step: OnStep | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        self.steps: list[StepRecord] = []
        self.dropped = 0
        self._capture = capture
        self._data = data
        self._on_step = on_step
        self._now = clock
        self._room = MAX_TEXT if data else 0
        self._unseen: set[int] = set()

    def begin(
        self,
        node: Node,
        suffix: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> StepRecord:
        """A step starts: a call of `fn` with those arguments."""
        step = StepRecord(node.id + suffix, node.id, node.type, self._now(), 0.0, Status.RUNNING)
        if self._room > 0:
            step.input = self._text(named_arguments(fn, args, kwargs))
        self._add(step)
        return step

    def end(self, step: StepRecord, duration: float, output: Any, attempts: int) -> None:
        """A step has succeeded."""
        step.status = Status.SUCCESS
        step.duration = duration
        step.attempts = attempts
        step.port = _PORTS.get(step.type, "done")
        if self._room > 0 and output is not None:
            step.output = self._text(output)
        if self._unseen:
            self._unseen.discard(id(step))
        if self._on_step is not None:
            self._on_step(step, "end")

    def fail(self, step: StepRecord, duration: float, info: ErrorInfo, attempts: int) -> None:
        """A step has failed for good."""
        step.status = Status.ERROR
        step.duration = duration
        step.attempts = attempts
        step.error = self.error_text(info)
        if self.dropped:
            self._keep(step)
        if self._on_step is not None:
            self._on_step(step, "end")

    def abort(self, step: StepRecord, duration: float, attempts: int, error: BaseException) -> None:
        """A step was cancelled, or the whole execution was left inside it. An error that leaves
        it in another state than cancelled has that as `status`."""
        step.status = getattr(error, "status", Status.CANCELLED)
        step.duration = duration
        step.attempts = attempts
        self._unseen.discard(id(step))
        if self._on_step is not None:
            self._on_step(step, "end")

    def point(
        self,
        node: Node,
        suffix: str,
        port: str | None,
        *,
        input: Any = None,
        output: Any = None,
        status: Status = Status.SUCCESS,
    ) -> None:
        """A node that takes no time has sent `port`."""
        step = StepRecord(node.id + suffix, node.id, node.type, self._now(), 0.0, status)
        step.port = port
        if self._room > 0:
            if input is not None:
                step.input = self._text(input)
            if output is not None:
                step.output = self._text(output)
        self._ended(step)

    def route(self, node: Node, suffix: str, port: str) -> None:
        """A node has chosen `port`: the one that just ran as a step, or one of its own."""
        decides = node.type.startswith("logic.") and node.type != _WAIT
        step = None if decides else self.find(node.id + suffix)
        if step is None:
            self.point(node, suffix, port)
        else:
            step.port = port

    def skip(self, node: Node, suffix: str) -> None:
        """A node was reached and had nothing to do."""
        step = StepRecord(node.id + suffix, node.id, node.type, self._now(), 0.0, Status.SKIPPED)
        self._ended(step)

    def failed(self, node: str, type: str, suffix: str, info: ErrorInfo) -> StepRecord:
        """A node has failed before its step began. Returns its record."""
        step = StepRecord(node + suffix, node, type, self._now(), 0.0, Status.ERROR)
        step.error = self.error_text(info)
        self._ended(step)
        return step

    def handled(self, node: Node, suffix: str, info: ErrorInfo) -> None:
        """The workflow goes on at the `failure` signal of a node."""
        step = self.find(node.id + suffix)
        if step is None or step.status != Status.ERROR:
            step = self.failed(node.id, node.type, suffix, info)
        step.port = "failure"

    def find(self, id: str) -> StepRecord | None:
        """The latest record of that id."""
        return next((step for step in reversed(self.steps) if step.id == id), None)

    def error_text(self, info: ErrorInfo) -> str:
        """An error as JSON text; with its details only where data is recorded."""
        return self._capture.text(info if self._data else info._replace(details=None))

    def rescrub(self) -> None:
        """Takes secrets out of what was recorded before they became known."""
        scrub = self._capture.scrub
        for step in self.steps:
            if step.input is not None:
                step.input = scrub(step.input)
            if step.output is not None:
                step.output = scrub(step.output)
            if step.error is not None:
                step.error = scrub(step.error)

    def _text(self, value: Any) -> str:
        text = self._capture.text(value)
        self._room -= len(text)
        return text

    def _add(self, step: StepRecord) -> None:
        if len(self.steps) < MAX_STEPS:
            self.steps.append(step)
        else:
            self.dropped += 1
            self._unseen.add(id(step))
        if self._on_step is not None:
            self._on_step(step, "start")

    def _keep(self, step: StepRecord) -> None:
        """Adds a failed step that came too late for the list, within reason."""
        if id(step) in self._unseen and len(self.steps) < 2 * MAX_STEPS:
            self._unseen.discard(id(step))
            self.steps.append(step)
            self.dropped -= 1

    def _ended(self, step: StepRecord) -> None:
        self._add(step)
        if step.status == Status.ERROR:
            self._keep(step)
        self._unseen.discard(id(step))
        if self._on_step is not None:
            self._on_step(step, "end")
