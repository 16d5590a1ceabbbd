"""The life of one run of a workflow: start, answer, failure, record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from . import logs
from .errors import ErrorInfo, RunStopped
from .failure import Failure
from .history.record import ExecutionRecord, Status
from .history.recorder import OnStep, Recorder
from .history.redact import has_hint, redact_text
from .history.text import Capture
from .ids import new_id
from .node import Node
from .run import Run
from .secrets import Secrets
from .values import Reply, Trigger
from .workflow import Workflow

if TYPE_CHECKING:
    from .host import HistorySink, Host

GRACE = 5.0  # seconds that a cancelled handler has for its cleanup, such as `finally` parts
LEAST_GRACE = 0.1  # the same once the host's deadline has come


class Execution:
    """One run of a workflow.

    `start` returns once the execution is on record; from then on `response` can be awaited for
    the answer to the caller and `finish` for the end, in any order or not at all.

    Args:
        workflow: what to run.
        trigger: what started it.
        host: the surroundings.
        id: its id; None makes a new one.
        parent: id of the execution that called this one.
        depth: how deep calls are nested.
        deadline: when the host wants it over, in seconds since the epoch, if that comes before the
            workflow's own time limit; it ends with the status `timeout` then.
        capture: replaces the workflow's own history setting of that name.
        on_step: is told of every step as it starts and ends.
        log: where log lines go.

    Attributes:
        record: what the history will keep; complete once `finish` has returned.
        response: the first answer a `cloud.response` gave; at the latest at the end None, or an
            answer of status 500, 503 or 504 if the run failed, was cancelled or took too long.
        answer: the answer that was given, or None.
        failure: why it failed, was cancelled or took too long; None otherwise.
        halted: True once the handler has used up the time for its cleanup.
        unrecorded: whether its start is not on record yet: it has to be before anything happens
            that a crash could leave behind.
    """

    unrecorded = False
    _clock = staticmethod(time)

    def __init__(
        self,
        workflow: Workflow,
        trigger: Trigger,
        host: Host,
        *,
        id: str | None = None,
        parent: str | None = None,
        depth: int = 0,
        deadline: float | None = None,
        capture: str | None = None,
        on_step: OnStep | None = None,
        log: logs.Log | None = None,
    ) -> None:
        self.id = id or new_id()
        self.workflow = workflow
        self.trigger = trigger
        self.host = host
        self.depth = depth
        self.deadline = deadline
        self.halted = False
        self.secrets = Secrets(host.secrets)
        self.record = ExecutionRecord(
            self.id,
            workflow.name,
            trigger.node,
            Status.RUNNING,
            time(),
            parent=parent,
            revision=workflow.revision,
        )
        self.response: asyncio.Future[Reply | None]
        self._log = log or logs.default
        self._mode = capture or workflow.settings.capture
        self._history = host.history if self._mode != "off" else None
        self._recorder: Recorder | None = None
        self._capture: Capture | None = None
        if self._history is not None or on_step is not None:
            settings = workflow.settings
            self._capture = Capture(self.secrets.values_read, settings.redact, settings.max_bytes)
            data = self._mode in ("full", "errors")
            self._recorder = Recorder(self._capture, data=data, on_step=on_step, clock=self._clock)
        self._begun = 0.0
        self._alive = False
        self._task: asyncio.Task[None] | None = None
        self.answer: Reply | None = None
        self.failure: ErrorInfo | None = None
        self._verdict: tuple[Status, ErrorInfo] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # --- for the host --------------------------------------------------------------------------

    async def start(self) -> None:
        """Waits for the workflow's concurrency limit, puts the start on record and sets the
        handler going.

        Raises:
            Exception: whatever keeps the history from being written.
        """
        gate = self.workflow.gate
        await gate.enter()
        try:
            record = self.record
            record.started, self._begun = time(), perf_counter()
            if self._capture is not None and self._mode in ("full", "errors"):
                record.input = self._capture.text(self.trigger.value)
            if self._history is not None:
                try:
                    await self._record_start(self._history)
                except asyncio.CancelledError:
                    record.status, record.finished = Status.CANCELLED, time()
                    await self._history.finished(record)
                    raise
        except BaseException:
            gate.leave()
            raise
        loop = asyncio.get_running_loop()
        self.response = loop.create_future()
        self._task = loop.create_task(self._live(), name=self.id)

    async def finish(self) -> ExecutionRecord:
        """Waits for the end. Cancelling this call does not cancel the execution.

        Raises:
            RuntimeError: `start` has not returned.
        """
        if self._task is None:
            raise RuntimeError("The execution has not been started")
        if not self._task.done():
            await _ended(self._task)
        if self._task.cancelled():  # with its event loop, before it could do anything
            self.record.status = Status.CANCELLED
            self._answer(Status.CANCELLED)
        else:
            self._task.result()
        return self.record

    def when_finished(self, callback: Callable[[Execution], None]) -> None:
        """Has `callback` called with this execution once it is over and on record. A host that
        tracks many executions is spared a task for each of them.

        Raises:
            RuntimeError: `start` has not returned.
        """
        if self._task is None:
            raise RuntimeError("The execution has not been started")
        self._task.add_done_callback(lambda _: callback(self))

    def cancel(self, reason: str = "The execution was cancelled") -> None:
        """Ends the execution early. Its handler gets a few seconds for what it has to clean up."""
        info = ErrorInfo(reason, "cancelled", "fatal", None, 1, None)
        self._end(Status.CANCELLED, info)

    # --- for the run ---------------------------------------------------------------------------

    @property
    def replied(self) -> bool:
        """Whether the caller has an answer."""
        return self.answer is not None

    async def put_on_record(self) -> None:
        """Puts the start on record, if it is `unrecorded`."""

    def reply(self, reply: Reply) -> None:
        """Answers the caller; only the first answer counts."""
        if self.answer is None:
            self.answer = reply
            if not self.response.done():
                self.response.set_result(reply)

    def describe(self, error: BaseException, node: Node | None = None) -> ErrorInfo:
        """What a workflow sees of an error, without secrets.

        Args:
            error: any error that came out of the handler.
            node: the node to blame if no step raised it; None finds it by the handler's lines.
        """
        source = self.workflow.source
        failure = Failure.of(error, self.id)
        if failure is None:
            name = node.id if node is not None else source.node_of(error)
            failure = Failure.mark(error, self.id, name, 1)
        if failure.info is None:
            from .messages import error_info

            info = error_info(error, source, node=failure.node, attempts=failure.attempts)
            secrets = self.secrets.values_read
            if secrets:
                from .history.plain import plain

                details = None if info.details is None else secrets.scrub_tree(plain(info.details))
                info = info._replace(message=secrets.scrub(info.message), details=details)
            failure.info = info
        return failure.info

    def record_origin(self, error: BaseException, suffix: str) -> ErrorInfo:
        """Describes an error, and records the failure of its node if it failed before its step
        began."""
        info = self.describe(error)
        failure = Failure.of(error, self.id)
        if failure is not None and not failure.recorded and self._recorder is not None:
            failure.recorded = True
            if failure.node is not None:
                kind = self.workflow.node_type(failure.node)
                self._recorder.failed(failure.node, kind, suffix, info)
        return info

    def log(self, level: logs.Level, message: str, **fields: Any) -> None:
        """Writes a log line about this execution, without secrets."""
        if not self._log.wants(level):
            return
        secrets = self.secrets.values_read
        message = secrets.scrub(message)
        if has_hint(message):
            message = redact_text(message)
        self._log.write(level, message, execution=self.id, workflow=self.workflow.name, **fields)

    # --- the run itself ------------------------------------------------------------------------

    async def _live(self) -> None:
        limit = self._time_limit()
        if limit is not None:
            self._timer = asyncio.get_running_loop().call_later(limit, self._expire, limit)
        fatal: BaseException | None = None
        self._alive = True
        try:
            status, info = self._verdict or await self._attempts()
        except BaseException as error:
            shutdown = ErrorInfo("The host shut down", "cancelled", "fatal", None, 1, None)
            status, info = self._verdict or (Status.CANCELLED, shutdown)
            fatal = None if isinstance(error, asyncio.CancelledError) else error
        self.workflow.gate.leave()
        if self._timer is not None:
            self._timer.cancel()
        self.halted = True
        self._answer(status)
        self._complete(status, info, perf_counter() - self._begun)
        await self._report(status, info)
        if fatal is not None:
            raise fatal

    async def _attempts(self) -> tuple[Status, ErrorInfo | None]:
        """Runs the handler, again if the workflow's retry policy says so."""
        policy = self.workflow.settings.retry
        attempt = 1
        while True:
            run = self._run(attempt)
            try:
                await self.workflow.handler(run)
                return self._verdict or (Status.SUCCESS, None)
            except RunStopped as stopped:
                if stopped.message:
                    self.log("info", f"stopped: {stopped.message}")
                return self._verdict or (Status.SUCCESS, None)
            except Exception as error:
                info = self.record_origin(error, run.suffix)
                if self._verdict is not None:
                    return self._verdict
                delay = None
                if policy is not None and not self.replied:
                    from .retry import next_delay

                    delay = next_delay(policy, attempt, error)
                if policy is None or delay is None:
                    self._log_failure(error, info)
                    return Status.ERROR, info
                self.log_retry(info.node, attempt, policy.attempts, delay, error)
                await self._pause(attempt, delay)
                attempt += 1

    def _run(self, attempt: int) -> Run:
        """What the handler of an attempt talks to."""
        return Run(self, self._recorder, attempt)

    async def _pause(self, attempt: int, delay: float) -> None:
        """Waits before the workflow's next attempt."""
        del attempt
        await asyncio.sleep(delay)

    def _time_limit(self) -> float | None:
        """Seconds that the handler has: the workflow's own, or what is left until the deadline."""
        limit = self.workflow.settings.timeout
        if self.deadline is None:
            return limit
        left = max(0.0, self.deadline - time())
        return left if limit is None else min(limit, left)

    def _grace(self) -> float:
        """Seconds that a handler has for its cleanup: less where the deadline does not allow it."""
        if self.deadline is None:
            return GRACE
        return min(GRACE, max(LEAST_GRACE, self.deadline - time()))

    def _expire(self, seconds: float) -> None:
        message = f"The execution took longer than {seconds:.4g} s"
        self._end(Status.TIMEOUT, ErrorInfo(message, "timeout", "retriable", None, 1, None))

    def _end(self, status: Status, info: ErrorInfo) -> None:
        if self._task is None or self.halted or self._verdict is not None:
            return
        self._verdict = (status, info)
        if not self._alive:  # cancelled now, the task would not even reach its cleanup
            return
        self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._task.get_loop().call_later(self._grace(), self._halt)

    def _halt(self) -> None:
        """Cancels a handler again that is still at it after its grace."""
        self.halted = True
        if self._task is not None:
            self._task.cancel()
            self._timer = self._task.get_loop().call_later(self._grace(), self._halt)

    def _answer(self, status: Status) -> None:
        if self.response.done():
            return
        problem = None if status is Status.SUCCESS else _PROBLEMS.get(status)
        if problem is None:
            self.response.set_result(None)
            return
        code, title = problem
        body = {"type": "about:blank", "title": title, "status": code, "executionId": self.id}
        self.response.set_result(Reply(code, {"content-type": "application/problem+json"}, body))

    def _complete(self, status: Status, info: ErrorInfo | None, duration: float) -> None:
        record = self.record
        record.status = status
        record.finished = record.started + duration
        self.failure = info
        recorder, capture = self._recorder, self._capture
        if recorder is None or capture is None:
            return
        record.steps = recorder.steps
        if info is not None:
            record.error = recorder.error_text(info)
        if self._mode in ("full", "errors") and self.answer is not None:
            record.output = capture.text(self.answer)
        if self.secrets.values_read:
            recorder.rescrub()
            record.input = capture.scrub(record.input) if record.input is not None else None
        if self._mode == "errors" and status == Status.SUCCESS:
            record.input = record.output = None
            record.steps = []
        if recorder.dropped:
            self.log("warning", f"{recorder.dropped} steps are not in the history")

    async def _report(self, status: Status, info: ErrorInfo | None) -> None:
        """Writes the history and calls the workflow for failures."""
        level: logs.Level = "info" if status is Status.SUCCESS else "warning"
        if self._log.wants(level):
            took = (self.record.finished or 0.0) - self.record.started
            self.log(level, f"execution ended: {status}", duration=round(took, 6))
        if self._history is not None:
            try:
                await self._record_end(self._history)
            except asyncio.CancelledError:
                await self._record_end(self._history)  # cancelled while it waited; once only
            except Exception as error:
                if self.unrecorded:
                    raise
                self.log("error", f"the history was not written: {error}")
        if info is not None and status in (Status.ERROR, Status.TIMEOUT):
            await self._call_on_error(info)

    async def _record_start(self, history: HistorySink) -> None:
        """Keeps the start, or raises whatever prevents that."""
        await history.started(self.record)

    async def _record_end(self, history: HistorySink) -> None:
        """Keeps the end."""
        await history.finished(self.record)

    async def _call_on_error(self, info: ErrorInfo) -> None:
        if self.workflow.settings.on_error is None:
            return
        from .on_error import Failed, call_on_error

        failed = Failed(self.id, self.workflow, info, self.trigger.value, self.depth)
        try:
            await call_on_error(failed, self.host)
        except Exception as error:
            self.log("error", f"the workflow for failures was not started: {error}")

    # --- logs ----------------------------------------------------------------------------------

    def log_retry(
        self, node: str | None, attempt: int, attempts: int, delay: float, error: Exception
    ) -> None:
        """Notes that something failed and will be tried again."""
        if self._log.wants("warning"):
            from .messages import error_info

            reason = error_info(error, self.workflow.source, node=node, attempts=attempt).message
            message = f"attempt {attempt} of {attempts} failed, next in {delay:.3g} s: {reason}"
            self.log("warning", message, node=node)

    def _log_failure(self, error: BaseException, info: ErrorInfo) -> None:
        if self._log.wants("error"):
            trace = [self._clean(line) for line in self.workflow.source.explain(error)]
            self.log("error", info.message, node=info.node, code=info.code, trace=trace or None)

    def _clean(self, text: str) -> str:
        return redact_text(self.secrets.values_read.scrub(text))


_PROBLEMS = {
    Status.ERROR: (500, "The workflow failed"),
    Status.TIMEOUT: (504, "The workflow took too long"),
    Status.CANCELLED: (503, "The execution was cancelled"),
}


async def _ended(task: asyncio.Task[Any]) -> None:
    """Waits for a task without cancelling it, at a third of what `asyncio.wait` takes."""
    waiter = task.get_loop().create_future()

    def wake(_: asyncio.Task[Any]) -> None:
        if not waiter.done():
            waiter.set_result(None)

    task.add_done_callback(wake)
    try:
        await waiter
    finally:
        task.remove_done_callback(wake)
