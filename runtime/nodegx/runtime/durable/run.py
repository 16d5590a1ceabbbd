"""The object a durable handler talks to: every step ends in the journal, and is found there when
the handler runs again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from functools import wraps
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, TypeVar

from nodegx.runtime.arguments import named_arguments
from nodegx.runtime.errors import ErrorInfo, NodegxError
from nodegx.runtime.failure import Failure
from nodegx.runtime.ids import new_id
from nodegx.runtime.node import Node, Retry
from nodegx.runtime.run import Run, check_depth, make_reply
from nodegx.runtime.steps import settled

from . import race
from .journal import START, place
from .outcome import outcome_of_call
from .state import Entry, Kind, Wait
from .suspension import Suspended
from .tokens import answer_key, resume_path

if TYPE_CHECKING:
    from typing import Self

    from nodegx.runtime.history.recorder import Recorder

    from .execution import DurableExecution

T = TypeVar("T")

USER_CODE = "code."
"""Types of nodes that run code which may change what it is given."""

INSIDE = "data."
"""Types of nodes that show nothing to the outside."""

_step: ContextVar[str] = ContextVar("step")
"""Key of the step that this branch is in."""


_inside: ContextVar[bool] = ContextVar("inside", default=False)
"""Whether this branch is in the call of a step, whose outcome is journalled as a whole."""


class DurableRun(Run):
    """A `Run` with a journal."""

    __slots__ = ()

    _owner: DurableExecution

    def __init__(self, owner: DurableExecution, recorder: Recorder | None, attempt: int) -> None:
        super().__init__(owner, recorder, attempt)
        self.vars, self.env = owner.surroundings
        place.set(START if attempt == 1 else f"{START}#{attempt}")

    def _scope(self, node: Node, suffix: str) -> Self:
        scope = super()._scope(node, suffix)
        place.set(f"{node.id}{scope.suffix}")
        return scope

    # --- steps ---------------------------------------------------------------------------------

    async def step(self, node: Node, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Runs one action node, or finds what it did before; see `Steps.step`.

        Raises:
            Exception: whatever the last attempt raised.
            Suspended: the execution leaves this process.
            Mismatch: the journal has something else here.
        """
        owner = self._owner
        key = owner.occurrence(f"{node.id}{self._suffix}")
        await owner.parking.gate(key)
        digest = owner.codec.digest(named_arguments(fn, args, kwargs))
        found = owner.journal.recall(key, digest)
        if found is not None:
            return self._repeated(node, found, fn, args, kwargs)
        owner.at(None)
        if race.is_retraced():
            self._left(node, fn, args, kwargs)
        try:
            await owner.parking.catch_up()
        except asyncio.CancelledError:
            self._left(node, fn, args, kwargs)  # at once, it would have begun before that
        if owner.rehearses:
            owner.parking.suspended = True
            raise Suspended
        if not node.type.startswith(INSIDE):
            await owner.journal.flush()  # it may show others what was drawn
        if node.type.startswith(USER_CODE):
            args, kwargs = owner.codec.copy(args), owner.codec.copy(kwargs)
        entry = Entry(key, Kind.RESULT, "", 0, digest, place.get(), self._begun(key))
        owner.at(entry.started)
        ago = time() - entry.started
        begin = perf_counter() - ago
        _step.set(key)
        try:
            result = await self._recorded_step(
                node, self._kept(fn, entry), args, kwargs, self._next_attempt(key), ago
            )
        except Exception as error:
            info = owner.describe(error)
            entry.kind, entry.value = Kind.FAILURE, owner.codec.encode(info)
            entry.attempts = info.attempts
            await self._ended(entry, perf_counter() - begin)
            raise
        await self._ended(entry, perf_counter() - begin)
        return result

    def _begun(self, key: str) -> float:
        """When a step began: one that waits may have done so in another process."""
        find = self._owner.journal.find
        entry = find(f"{key}!wait") or find(f"{key}!child") or find(f"{key}!1")
        return time() if entry is None else entry.started

    async def _ended(self, entry: Entry, duration: float) -> None:
        self._owner.at(None)
        if race.is_lost():  # what it did since then must not count when the handler runs again
            raise asyncio.CancelledError
        entry.duration = duration
        await self._owner.journal.keep(entry)
        place.set(entry.key)

    def _kept(self, fn: Callable[..., Any], entry: Entry) -> Callable[..., Awaitable[Any]]:
        """`fn`, whose result is encoded and given back as it will be next time."""
        codec = self._owner.codec

        @wraps(fn)
        async def kept(*args: Any, **kwargs: Any) -> Any:
            _inside.set(True)
            try:
                result = await settled(fn(*args, **kwargs))
            finally:
                _inside.set(False)
            entry.value = codec.encode(result)
            return codec.decode(entry.value)

        return kept

    def _repeated(
        self,
        node: Node,
        entry: Entry,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """The outcome that the journal has of a step, on record as it was."""
        owner, recorder = self._owner, self._recorder
        place.set(entry.key)
        owner.at(entry.started)
        record = None
        if recorder is not None:
            record = recorder.begin(node, self._suffix, fn, args, kwargs)
        owner.at(entry.started + entry.duration)
        value = owner.codec.decode(entry.value)
        if entry.kind is Kind.RESULT:
            if record is not None and recorder is not None:
                recorder.end(record, entry.duration, value, entry.attempts)
            return value
        info: ErrorInfo = value
        error = NodegxError(
            info.message,
            code=info.code,
            retriable=info.category == "retriable",
            details=info.details,
        )
        failure = Failure.mark(error, owner.id, info.node, info.attempts)
        failure.info, failure.recorded = info, True
        if record is not None and recorder is not None:
            recorder.fail(record, entry.duration, info, entry.attempts)
        raise error

    def _left(
        self, node: Node, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Shows the step at which a branch was cancelled, and cancels it there again."""
        cancelled = asyncio.CancelledError()
        if self._recorder is not None:
            record = self._recorder.begin(node, self._suffix, fn, args, kwargs)
            self._recorder.abort(record, 0.0, 1, cancelled)
        raise cancelled

    async def _block(self, node: Node, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """A block is no step of its own: its body's steps are."""
        before = place.get()
        try:
            return await self._recorded_step(node, fn, args, kwargs)
        finally:
            place.set(f"{before}~")

    # --- attempts ------------------------------------------------------------------------------

    def _next_attempt(self, key: str) -> int:
        """The attempt that a step goes on with."""
        attempt = 1
        while self._owner.journal.find(f"{key}!{attempt}") is not None:
            attempt += 1
        return attempt

    async def _until_attempt(self, node: Node, attempt: int) -> None:
        key = f"{node.id}{self._suffix}"
        entry = self._owner.journal.find(f"{key}!{attempt - 1}")
        if entry is not None:
            await self._owner.parking.park(self._pause(key, attempt - 1, entry))

    async def _wait_for_retry(
        self, node: Node, policy: Retry | None, attempt: int, error: Exception
    ) -> bool:
        owner, key = self._owner, f"{node.id}{self._suffix}"
        if policy is None:
            return False
        entry = owner.journal.find(f"{key}!{attempt}")
        if entry is None:
            from nodegx.runtime.retry import next_delay

            delay = next_delay(policy, attempt, error)
            if delay is None:
                return False
            owner.log_retry(node.id, attempt, policy.attempts, delay, error)
            entry = Entry(f"{key}!{attempt}", Kind.ATTEMPT, repr(time() + delay), started=time())
            await owner.journal.keep(entry)
        await owner.parking.park(self._pause(key, attempt, entry))
        return True

    def _pause(self, key: str, attempt: int, entry: Entry) -> Wait:
        spec = {"step": key, "attempt": attempt + 1}
        return Wait(answer_key(entry.key), "retry", float(entry.value), spec)

    # --- concurrency ---------------------------------------------------------------------------

    async def all(self, *branches: Node | Coroutine[Any, Any, Any]) -> bool:
        """Runs branches concurrently until each has ended; see `Run.all`."""
        node, coroutines = _apart(branches)
        before = place.get()
        with self._owner.parking.fork(len(coroutines)) as fork:
            placed = [_placed(each, f"{before}/{at}") for at, each in enumerate(coroutines)]
            try:
                return await super().all(*node, *fork.all(placed))
            finally:
                place.set(f"{before}~")

    async def any(self, *branches: Node | Coroutine[Any, Any, Any]) -> bool:
        """Runs branches concurrently until the first one arrives; see `Run.any`. Which one that
        was is in the journal, so that it is the same one when the handler runs again."""
        node, coroutines = _apart(branches)
        before = place.get()
        key = f"{node[0].id if node else before}{self._suffix}!winner"
        placed = [_placed(each, f"{before}/{at}") for at, each in enumerate(coroutines)]
        found = self._owner.journal.find(key)
        if found is None:
            placed = race.racing(placed, lambda number: self._won(key, number))
        else:
            winner = placed.pop(int(found.value))
            for loser in placed:
                await race.retrace(loser)
            placed = [winner]
        with self._owner.parking.fork(len(placed), first_wins=True) as fork:
            try:
                return await super().any(*node, *fork.all(placed))
            finally:
                place.set(f"{before}~")

    async def _won(self, key: str, branch: int) -> None:
        await self._owner.journal.keep(Entry(key, Kind.WINNER, str(branch), started=time()))

    async def _each(
        self, elements: Sequence[T], body: Callable[[T, int], Awaitable[None]], concurrency: int
    ) -> None:
        from nodegx.runtime import flow

        workers = max(1, min(concurrency, len(elements)))
        with self._owner.parking.fork(workers) as fork:
            await flow.each(elements, body, concurrency, fork.run)

    # --- answers, waits, calls -----------------------------------------------------------------

    async def respond(
        self,
        node: Node,
        *,
        status: Any = 200,
        headers: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> None:
        """Answers the caller; see `Run.respond`."""
        owner = self._owner
        if owner.journal.find(f"{node.id}{self._suffix}") is None and not race.is_retraced():
            await owner.parking.catch_up()  # another branch may have answered
        first = not owner.replied
        await super().respond(node, status=status, headers=headers, body=body)
        if first:
            owner.replied_with(make_reply(status, headers, body))

    async def _wait_for_time(self, seconds: Any = None, until: Any = None) -> None:
        from . import waits

        await waits.for_time(self._owner, _step.get(), lambda: self._delay(seconds, until))

    async def _wait_for_request(
        self,
        webhook: Mapping[str, Any],
        on_timeout: str,
        timeout: Any = None,  # noqa: ASYNC109
    ) -> Any:
        from . import waits

        return await waits.for_request(self._owner, _step.get(), webhook, timeout, on_timeout)

    async def _wait_for_condition(
        self,
        condition: Callable[[Any, int], Any],
        poll: Mapping[str, Any] | None,
        on_timeout: str,
        timeout: Any = None,  # noqa: ASYNC109
    ) -> Any:
        from . import waits

        return await waits.for_condition(
            self._owner, _step.get(), condition, poll, timeout, on_timeout
        )

    def resume_url(self, node: Node) -> str:
        """The URL that ends the wait `node` in this execution, or in this iteration."""
        owner = self._owner
        path = resume_path(owner.id, f"{node.id}{self._suffix}", owner.state.secret)
        return self._drawn("resumeUrl", lambda: f"{owner.host.url}{path}")

    async def call(self, node: Node, workflow: str, input: Any = None, wait: bool = True) -> Any:
        """Runs another workflow; see `Run.call`. The execution waits for its end as for anything
        else, and calls it once, however often the handler runs."""

        async def call(workflow: str, input: Any, wait: bool = True) -> Any:
            from . import waits

            owner, step = self._owner, _step.get()
            depth = owner.depth + 1
            check_depth(workflow, depth)
            child = await self._child(step)
            outcome = None
            if (
                owner.early(answer_key(step)) is None
            ):  # else it has ended, and nothing of it is left
                outcome = await owner.host.call_once(
                    workflow,
                    input,
                    id=child,
                    parent=owner.id,
                    step=answer_key(step) if wait else None,
                    depth=depth,
                )
            if not wait:
                return {"execution": child}
            if outcome is None:
                outcome = await waits.for_execution(owner, step, child)
            return outcome_of_call(workflow, outcome)

        return await self.step(node, call, workflow, input, **({} if wait else {"wait": False}))

    async def _child(self, step: str) -> str:
        """The id of the execution that a step calls, on record before it is."""
        entry = self._owner.journal.find(f"{step}!child")
        if entry is None:
            entry = Entry(f"{step}!child", Kind.DRAW, new_id(), started=time())
            await self._owner.journal.keep(entry)
        return entry.value

    # --- what is different each time -----------------------------------------------------------

    def now(self) -> str:
        """The time at which this was first asked, as ISO 8601 text in UTC."""
        return self._drawn("now", super().now)

    def uuid(self) -> str:
        """A random UUID, the same one when the handler runs again."""
        return self._drawn("uuid", super().uuid)

    def random(self) -> float:
        """A random number from 0 to below 1, the same one when the handler runs again."""
        return self._drawn("random", super().random)

    def _drawn(self, what: str, draw: Callable[[], T]) -> T:
        if _inside.get():
            return draw()
        owner = self._owner
        line = sys._getframe(2).f_lineno  # pyright: ignore[reportPrivateUsage]
        node = owner.workflow.source.node_at(line) or ""
        key = owner.occurrence(f"{node}{self._suffix}!{what}")
        found = owner.journal.find(key)
        if found is not None:
            return owner.codec.decode(found.value)
        value = draw()
        owner.journal.hold_back(Entry(key, Kind.DRAW, owner.codec.encode(value), started=time()))
        return value


def _apart(
    branches: Sequence[Node | Coroutine[Any, Any, Any]],
) -> tuple[list[Node], list[Coroutine[Any, Any, Any]]]:
    """The merge node, if there is one, and the branches."""
    nodes = [each for each in branches if isinstance(each, Node)]
    return nodes, [each for each in branches if not isinstance(each, Node)]


async def _placed(branch: Coroutine[Any, Any, Any], start: str) -> Any:
    """A branch that begins at a place of its own."""
    place.set(start)
    return await branch
