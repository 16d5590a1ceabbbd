"""The host of executions inside a server."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.store import StoreUnavailable
from nodegx.runtime.host import HistorySink
from nodegx.runtime.ids import new_id
from nodegx.runtime.local import result_of
from nodegx.runtime.logs import Log
from nodegx.runtime.run import MAX_CALL_DEPTH
from nodegx.runtime.triggers.events import Event
from nodegx.runtime.triggers.inputs import coerce
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.triggers.reply import Response
from nodegx.runtime.triggers.request import CloudRequest, Incoming, WebhookRequest
from nodegx.runtime.triggers.route import Route
from nodegx.runtime.triggers.timetable import Tick
from nodegx.runtime.triggers.webhook import Answered
from nodegx.runtime.values import MAX_TEXT, Trigger, weight

from .registry import RESERVED, Registry
from .scheduler import Schedule
from .workflows import MANUAL, LoadedWorkflow

if TYPE_CHECKING:
    from nodegx.runtime.idempotency.starts import Repeat

    from .durable import DurableRuns
    from .idempotency import Idempotency

log = logging.getLogger("nodegx.server")

RETRY_AFTER = "1"  # seconds, for callers that meet a full queue


class ServerHost:
    """Starts executions, keeps track of those under way and lets them reach one another.

    Args:
        registry: the workflows; exchanged by a reload.
        vars: the project's variables.
        env: environment variables that workflows may read.
        secrets: secrets by name.
        history: where executions are recorded.
        queue: executions of one workflow that may wait for its concurrency limit.
        url: how the world reaches this server, without a slash at its end.
        log: where executions write their log lines.

    Attributes:
        durable: goes on with executions that outlive this process; None where none does.
        idempotency: tells repeats; None while no trigger asks for it.
        active: the executions under way, by id.
        stopping: whether nothing more is started from outside.
    """

    durable: DurableRuns | None = None
    idempotency: Idempotency | None = None

    def __init__(
        self,
        registry: Registry,
        *,
        vars: Mapping[str, Any],
        env: Mapping[str, str],
        secrets: Mapping[str, str],
        history: HistorySink | None,
        queue: int,
        url: str = "",
        log: Log | None = None,
    ) -> None:
        self.registry = registry
        self.vars = vars
        self.env = env
        self.secrets = secrets
        self.history = history
        self.active: dict[str, Execution] = {}
        self.stopping = False
        self._starting: dict[Execution, asyncio.Task[Any] | None] = {}
        self.url = url
        self.log = log
        self._queue = queue
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    # --- starting ------------------------------------------------------------------------------

    async def start(
        self,
        loaded: LoadedWorkflow,
        trigger: Trigger,
        *,
        id: str | None = None,
        parent: str | None = None,
        parent_step: str | None = None,
        depth: int = 0,
    ) -> Execution:
        """Starts a workflow; it is on record when this returns.

        Args:
            loaded: the workflow.
            trigger: what starts it.
            id: the execution's id; None makes a new one.
            parent: the execution that called it.
            parent_step: the step of `parent` that waits for its end.
            depth: how deep calls are nested.
        """
        workflow = loaded.workflow
        if workflow.settings.durable and self.durable is not None:
            execution = self.durable.begin(
                workflow, trigger, id=id, parent=parent, parent_step=parent_step, depth=depth
            )
            try:
                return await self.run(execution)
            except BaseException:
                self.durable.forget(execution)
                raise
        return await self.run(
            Execution(workflow, trigger, self, id=id, parent=parent, depth=depth, log=self.log)
        )

    async def run(self, execution: Execution) -> Execution:
        """Sets an execution going and keeps track of it."""
        self._idle.clear()
        self._starting[execution] = asyncio.current_task()
        try:
            await execution.start()
            self.active[execution.id] = execution
            execution.when_finished(self._ended)
        finally:
            del self._starting[execution]
            self.rest()
        return execution

    def _ended(self, execution: Execution) -> None:
        self.active.pop(execution.id, None)
        if self.durable is not None:
            self.durable.ended(execution)
        self.rest()

    def rest(self) -> None:
        """Notes whether anything is under way."""
        durable = self.durable is not None and self.durable.busy
        if self.active or self._starting or durable:
            self._idle.clear()
        else:
            self._idle.set()

    def known(self) -> set[str]:
        """Ids of the executions that are under way, or about to be."""
        return {*self.active, *(execution.id for execution in self._starting)}

    def full(self, loaded: LoadedWorkflow) -> bool:
        """Whether so many executions wait for the workflow that further ones are refused."""
        gate = loaded.workflow.gate
        return gate.limit is not None and (
            gate.active >= gate.limit and gate.waiting >= self._queue
        )

    async def start_request(
        self,
        registry: Registry,
        route: Route,
        request: WebhookRequest | CloudRequest,
        id: str | None = None,
    ) -> Execution:
        """Starts the workflow of a route of `registry`, which may have been exchanged meanwhile, as
        the execution `id` if one is given.

        Raises:
            Problem: 503; the server is stopping, or too many executions are waiting.
        """
        loaded = registry.workflows[route.workflow]
        if self.stopping:
            raise _unavailable("The server is stopping.")
        if self.full(loaded):
            raise _unavailable("The workflow is overloaded.")
        try:
            return await self.start(loaded, Trigger(route.node, route.type, request), id=id)
        except StoreUnavailable:
            raise _unavailable("The execution history cannot be written.") from None
        except asyncio.CancelledError:
            if self.stopping:  # it waited for its turn in vain
                raise _unavailable("The server is stopping.") from None
            raise

    async def answer_once(
        self,
        registry: Registry,
        route: Route,
        incoming: Incoming,
        request: WebhookRequest | CloudRequest,
        begin: Callable[[str], Awaitable[Response]],
    ) -> Answered:
        """Answers a request to a route that tells repeats; see `Requests.answer`.

        Raises:
            Problem: it is refused; 501 where keys cannot be remembered.
        """
        if self.idempotency is None:
            raise Problem(501, "This server cannot tell repeated requests from others.")
        workflow = registry.workflows[route.workflow].workflow
        return await self.idempotency.requests.answer(workflow, route, incoming, request, begin)

    async def start_manual(
        self,
        loaded: LoadedWorkflow,
        payload: Any,
        *,
        id: str | None = None,
        parent: str | None = None,
        parent_step: str | None = None,
        depth: int = 0,
    ) -> Execution | Repeat:
        """Starts a workflow by its `trigger.manual`, or finds the execution that was started with
        the same idempotency key.

        Raises:
            FatalError: it has none, or (as `InputError`) the input does not fit.
            RetriableError: too many executions are waiting.
        """
        trigger = loaded.manual
        if trigger is None:
            message = f"{loaded.name} has no {MANUAL}, so it cannot be called"
            raise FatalError(message, code="call.trigger")
        value = coerce(trigger.config.get("inputs") or (), payload)
        given = Trigger(trigger.node, trigger.type, value)
        origin: dict[str, Any] = {"parent": parent, "parent_step": parent_step, "depth": depth}

        async def begin(id: str | None) -> Execution:
            if self.full(loaded):
                raise RetriableError(f"{loaded.name} is overloaded", code="overloaded")
            return await self.start(loaded, given, id=id, **origin)

        if self.idempotency is not None and trigger.node in loaded.workflow.keys:
            return await self.idempotency.call(loaded, given, begin, id=id)
        return await begin(id)

    def fire(self, schedule: Schedule, scheduled: datetime, now: datetime) -> None:
        """Starts a workflow whose time has come."""
        loaded = self.registry.workflows.get(schedule.workflow)
        if loaded is None or self.stopping:
            return
        tick = Tick(now.isoformat(), scheduled.isoformat())
        trigger = Trigger(schedule.node, "trigger.schedule", tick)
        if self.durable is not None:
            moment = scheduled.timestamp()
            self._background(self.durable.fire(loaded.workflow, trigger, schedule.key, moment))
            return
        if self.full(loaded):
            log.warning("%s is overloaded: a scheduled start was left out", loaded.name)
            return
        self._background(self.start(loaded, trigger))

    def _background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._settled)
        return task

    def _settled(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a workflow could not be started: %s", error)

    # --- what executions ask for ---------------------------------------------------------------

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        """Runs another workflow.

        Raises:
            FatalError: there is none of that name, it cannot be called, or the input does not fit.
            NodegxError: code `call.failed`; it failed.
        """
        loaded, value = self.callee(workflow, payload)
        execution = await self.start_manual(loaded, value, parent=parent, depth=depth)
        if not wait:
            return {"execution": execution.id}
        return await result_of(execution)

    def callee(self, workflow: str, payload: Any) -> tuple[LoadedWorkflow, Any]:
        """The workflow that is called, and its input: a copy that shares nothing.

        Raises:
            FatalError: there is none of that name, or the input is no JSON.
        """
        loaded = self.registry.workflows.get(workflow)
        if loaded is None:
            raise FatalError(f"There is no workflow {workflow} to call", code="call.unknown")
        return loaded, isolated(payload, "The input of a call")

    async def emit(self, event: str, payload: Any, *, source: str, depth: int) -> str:
        """Starts every workflow that waits for the event, and returns the event's id once they
        are on record (or wait for their turn).

        Raises:
            FatalError: code `emit.depth`, where events lead to one another without end; or the
                payload is no JSON.
            RetriableError: code `overloaded`; nothing was started.
        """
        if depth > MAX_CALL_DEPTH:
            message = f"Events may lead to one another {MAX_CALL_DEPTH} times; {event} is one more"
            raise FatalError(message, code="emit.depth")
        identifier = new_id()
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        data = isolated(payload, "The data of an event")
        subscribers = self.registry.subscribers(Event(event, data, identifier, time, source))
        for entry in subscribers:
            if self.full(entry.workflow):
                raise RetriableError(f"{entry.workflow.name} is overloaded", code="overloaded")
        started: list[asyncio.Task[Any]] = []
        for entry in subscribers:
            copy = isolated(payload, "The data of an event")  # each may change its own
            value = Event(event, copy, identifier, time, source)
            trigger = Trigger(entry.node, "trigger.event", value)
            gate = entry.workflow.workflow.gate
            # An execution that waits for its turn may wait for this very one to end.
            queued = gate.limit is not None and gate.active >= gate.limit
            begin = partial(
                self._begin,
                entry.workflow,
                trigger,
                queued=queued,
                parent=source or None,
                depth=depth,
            )
            if self.idempotency is not None and entry.node in entry.workflow.workflow.keys:
                work = self.idempotency.accept(entry.workflow, trigger, begin)
            elif queued and self.durable is not None:
                await begin()
                continue
            else:
                work = begin()
            task = self._background(work)
            if not queued or self.durable is not None:
                started.append(task)
        if started:
            await asyncio.wait(started)
        return identifier

    async def _begin(
        self,
        loaded: LoadedWorkflow,
        trigger: Trigger,
        id: str | None = None,
        *,
        queued: bool,
        parent: str | None,
        depth: int,
    ) -> Execution | None:
        """Starts a workflow for an event, or has that done when it is its turn: a crash must not
        lose the event meanwhile."""
        if queued and self.durable is not None:
            await self.durable.enqueue(loaded.workflow, trigger, id=id, parent=parent, depth=depth)
            return None
        return await self.start(loaded, trigger, id=id, parent=parent, depth=depth)

    def links(self, execution: str) -> Mapping[str, str]:
        """Where people look at an execution, and the command that shows it."""
        return {
            "execution": f"{self.url}{RESERVED}/executions/{execution}",
            "command": f"nodegx executions show {execution}",
        }

    async def idle(self) -> None:
        """Waits until nothing is under way."""
        await self._idle.wait()

    # --- the end -------------------------------------------------------------------------------

    async def drain(self, seconds: float) -> None:
        """Starts nothing more from outside and waits for what is under way; after `seconds`
        leaves what is durable to its next host, and cancels the rest. Everything is on record when
        this returns."""
        self.stopping = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("cancelling %d executions", len(self.active))
            await self.cancel_all()

    async def cancel_all(self, reason: str = "The server was stopped") -> None:
        """Cancels what is under way, or leaves it to its next host, and waits until it has
        ended."""
        self.stopping = True
        cancelled: set[Execution] = set()
        while self.active or self._starting:
            for execution in list(self.active.values()):
                if self.durable is None or not self.durable.release(execution):
                    execution.cancel(reason)
            for starting, task in list(self._starting.items()):
                if task is not None and starting not in cancelled:
                    cancelled.add(starting)
                    task.cancel()
            await asyncio.sleep(0.01)


def _unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"retry-after": RETRY_AFTER})


def isolated(value: Any, name: str) -> Any:
    """A copy of JSON data that shares nothing with the original.

    Raises:
        FatalError: code `json`; it is no JSON, or has more than `MAX_TEXT` characters.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if weight(value) > MAX_TEXT:
        raise FatalError(f"{name} would have more than {MAX_TEXT:,} characters", code="json")
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError) as exc:
        raise FatalError(f"{name} must be JSON: {exc}", code="json") from None
