"""The object a compiled handler talks to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from time import time
from typing import Any, TypeVar, cast

from .errors import ErrorInfo, FatalError, RunStopped
from .failure import Failure
from .history.record import Status
from .node import Node, Retry
from .steps import Steps
from .values import ForEachResult, Reply, iso_time

T = TypeVar("T")

MAX_CALL_DEPTH = 16


class Run(Steps):
    """One execution of a workflow, as its handler sees it. Bodies of loops get a `Run` of their
    own whose steps carry the iteration."""

    __slots__ = ()

    def caught(self, node: Node, error: Exception) -> ErrorInfo:
        """Notes that the workflow handles a failure of `node`, and tells what it was. Whatever
        failed before the node's step began, such as one of its parameters, is recorded too."""
        info = self._owner.describe(error, None if node.type == "logic.try" else node)
        recorder = self._recorder
        if recorder is not None:
            if node.type == "logic.try":
                self._owner.record_origin(error, self._suffix)
                recorder.point(node, self._suffix, "catch", output=info)
            else:
                Failure.mark(error, self._owner.id, node.id, 1).recorded = True
                recorder.handled(node, self._suffix, info)
        return info

    # --- decisions -----------------------------------------------------------------------------

    def branch(self, node: Node, condition: Any) -> bool:
        """Whether a condition holds; records which way the workflow went."""
        holds = bool(condition)
        if self._recorder is not None:
            self._recorder.point(node, self._suffix, "true" if holds else "false")
        return holds

    def match(self, node: Node, value: Any, cases: Mapping[str, Any]) -> str:
        """Name of the first case whose value equals `value` as JSON does (1 is not true), or
        `default`."""
        name = "default"
        for case, expected in cases.items():
            if expected == value and isinstance(expected, bool) == isinstance(value, bool):
                name = case
                break
        if self._recorder is not None:
            self._recorder.point(node, self._suffix, name, input={"value": value})
        return name

    def switch(self, node: Node, case: str) -> str:
        """Records which way the workflow goes at `node`, and returns it. A node that has run as a
        step gets the port in its record."""
        if self._recorder is not None:
            self._recorder.route(node, self._suffix, case)
        return case

    def started_by(self, node: Node) -> bool:
        """Whether that trigger started this execution."""
        return self._owner.trigger.node == node.id

    def stop(
        self, node: Node, message: str | None = None, status: str = "success"
    ) -> RunStopped | FatalError:
        """What to raise to end the execution here.

        Args:
            node: the stop node.
            message: why, for the history; with status `error` also the failure's message.
            status: `success`, or `error` for a failure that an enclosing try may catch.
        """
        message = None if message is None else str(message)
        failed = status == "error"
        if self._recorder is not None:
            ended = Status.ERROR if failed else Status.SUCCESS
            self._recorder.point(node, self._suffix, None, input={"message": message}, status=ended)
        if not failed:
            return RunStopped(message)
        error = FatalError(message or "The workflow was stopped", code="stopped")
        Failure.mark(error, self._owner.id, node.id, 1).recorded = True
        return error

    # --- blocks --------------------------------------------------------------------------------

    async def for_each(
        self,
        node: Node,
        items: Any,
        body: Callable[[Run, Any, int], Awaitable[Any]],
        *,
        concurrency: Any = 1,
        batch_size: Any = None,
        on_item_error: str = "fail",
    ) -> ForEachResult:
        """Runs `body(run, item, index)` for every item.

        Args:
            node: the loop's node.
            items: a list; None counts as empty.
            body: gets a `Run` of its own, the item (or a list of `batch_size` items) and the
                number of the iteration from 0.
            concurrency: iterations that run at the same time.
            batch_size: items per iteration; None hands over one item, not in a list.
            on_item_error: `fail` cancels the other iterations and propagates the error;
                `continue` notes it and goes on.

        Raises:
            FatalError: code `forEach.items`; `items` is no list.
        """
        results: list[Any] = []
        errors: list[dict[str, Any]] = []

        async def run_body(item: Any, index: int) -> None:
            scope = self._scope(node, f"[{index}]")
            try:
                results[index] = await body(scope, item, index)
            except Exception as error:
                info = self._owner.record_origin(error, scope._suffix)
                if on_item_error != "continue":
                    raise
                errors.append({"index": index, **info._asdict()})

        async def iterate(items: Any, **_: Any) -> ForEachResult:
            from . import flow

            elements = flow.elements(items, batch_size)
            results[:] = [None] * len(elements)
            errors.clear()
            await self._each(elements, run_body, flow.count(concurrency, "concurrency"))
            errors.sort(key=lambda error: error["index"])
            return ForEachResult(results, errors)

        options: dict[str, Any] = {}
        if concurrency != 1:
            options["concurrency"] = concurrency
        if batch_size is not None:
            options["batch_size"] = batch_size
        return await self._block(node, iterate, items, **options)

    async def _each(
        self, elements: Sequence[T], body: Callable[[T, int], Awaitable[None]], concurrency: int
    ) -> None:
        """Runs the iterations of a loop."""
        from . import flow

        await flow.each(elements, body, concurrency)

    async def retry(self, node: Node, body: Callable[[Run], Awaitable[T]], policy: Retry) -> T:
        """Runs `body(run)` until it succeeds or the policy gives up; then its last error
        propagates."""

        async def attempts() -> T:
            attempt = 1
            while True:
                scope = self if attempt == 1 else self._scope(node, f"#{attempt}")
                try:
                    return await body(scope)
                except Exception as error:
                    self._owner.record_origin(error, scope._suffix)
                    if not await self._wait_for_retry(node, policy, attempt, error):
                        raise
                    attempt += 1

        return await self._block(node, attempts)

    async def all(self, *branches: Node | Coroutine[Any, Any, Any]) -> bool:
        """Runs branches concurrently until each has ended. The first error cancels the others.

        Args:
            branches: optionally the merge node, then the branches' coroutines.

        Returns:
            Whether at least one branch arrived; one that stops short of the merge returns False.
        """
        from .flow import join_all

        return await self._merge(join_all, branches)

    async def any(self, *branches: Node | Coroutine[Any, Any, Any]) -> bool:
        """Runs branches concurrently until the first one arrives, and cancels the others. If all
        fail, the last error propagates. Arguments and result are those of `all`."""

        def failed(error: Exception) -> None:
            self._owner.record_origin(error, self._suffix)

        from .flow import join_any

        return await self._merge(lambda parts: join_any(parts, failed), branches)

    async def _merge(
        self,
        join: Callable[[Sequence[Coroutine[Any, Any, Any]]], Awaitable[bool]],
        branches: Sequence[Node | Coroutine[Any, Any, Any]],
    ) -> bool:
        node: Node | None = None
        coroutines: list[Coroutine[Any, Any, Any]] = []
        for branch in branches:
            if isinstance(branch, Node):
                node = branch
            else:
                coroutines.append(branch)
        if self._owner.halted:
            for coroutine in coroutines:
                coroutine.close()
            raise asyncio.CancelledError
        arrived = await join(coroutines)
        if arrived and node is not None and self._recorder is not None:
            self._recorder.point(node, self._suffix, "done")
        return arrived

    # --- the outside world ---------------------------------------------------------------------

    async def respond(
        self,
        node: Node,
        *,
        status: Any = 200,
        headers: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> None:
        """Answers the caller; the workflow goes on. Only the first answer counts.

        Raises:
            FatalError: code `response.status`; the status is no number from 100 to 599.
        """
        if self._owner.replied:
            self._owner.log("warning", "the caller has been answered already", node=node.id)
            if self._recorder is not None:
                self._recorder.skip(node, self._suffix)
            return

        options: dict[str, Any] = {} if headers is None else {"headers": headers}
        await self.step(node, self._reply, status=status, body=body, **options)

    def _reply(
        self, *, status: Any, headers: Mapping[str, Any] | None = None, body: Any = None
    ) -> None:
        self._owner.reply(make_reply(status, headers, body))

    async def wait(
        self,
        node: Node,
        *,
        seconds: Any = None,
        until: Any = None,
        webhook: Mapping[str, Any] | None = None,
        condition: Callable[[Any, int], Any] | None = None,
        poll: Mapping[str, Any] | None = None,
        timeout: Any = None,  # noqa: ASYNC109 (the end of a wait may be a year away)
        on_timeout: str = "fail",
    ) -> Any:
        """Pauses for a duration, until a point in time, for a request, or for a condition.

        Args:
            node: the wait's node.
            seconds: how long: seconds, or text such as `5s`.
            until: ISO 8601 text, a datetime, or seconds since the epoch; a time that has passed
                does not wait.
            webhook: what the request must be like: `method`, `auth`, `form`.
            condition: gets the response to the poll, and how often it was asked; true ends the
                wait.
            poll: what is asked, and how often; see `waiting.Poll`.
            timeout: the longest wait for a request or a condition, as `seconds`.
            on_timeout: `fail` raises when that is over; `branch` returns a result with the port
                `timeout`.

        Returns:
            A `WaitResult` of a wait for a request or a condition; None of one for a time.

        Raises:
            FatalError: code `time.duration` or `time.format`; the argument is nothing of that kind.
                Code `wait.unsupported`; requests cannot reach this process.
            RetriableError: code `wait.timeout`.
        """
        if webhook is not None:
            return await self.step(
                node, self._wait_for_request, webhook, on_timeout, **_given(timeout=timeout)
            )
        if condition is not None:
            return await self.step(
                node,
                self._wait_for_condition,
                condition,
                poll,
                on_timeout,
                **_given(timeout=timeout),
            )
        if seconds is None:
            return await self.step(node, self._wait_for_time, until=until)
        return await self.step(node, self._wait_for_time, seconds)

    async def _wait_for_time(self, seconds: Any = None, until: Any = None) -> None:
        await asyncio.sleep(self._delay(seconds, until))

    def _delay(self, seconds: Any, until: Any) -> float:
        from . import clock

        if seconds is None:
            return clock.seconds_until(until, self._owner.workflow.settings.timezone)
        return clock.duration(seconds)

    async def _wait_for_request(
        self,
        webhook: Mapping[str, Any],
        on_timeout: str,
        timeout: Any = None,  # noqa: ASYNC109
    ) -> Any:
        raise FatalError(
            "No request can reach this process; a server or a function can wait for one",
            code="wait.unsupported",
        )

    async def _wait_for_condition(
        self,
        condition: Callable[[Any, int], Any],
        poll: Mapping[str, Any] | None,
        on_timeout: str,
        timeout: Any = None,  # noqa: ASYNC109
    ) -> Any:
        from .clock import duration
        from .values import WaitResult
        from .waiting import Poll, timed_out

        asking = Poll(poll)
        limit = None if timeout is None else duration(timeout)
        end = None if limit is None else time() + limit
        attempt = 1
        while True:
            answered, response = await asking.ask(self._owner)
            if answered and condition(response, attempt):
                return WaitResult("done", response=response)
            pause = asking.interval(attempt)
            if end is not None:
                left = end - time()
                if left <= 0:
                    if on_timeout == "branch":
                        return WaitResult("timeout", response=response)
                    raise timed_out("What it waits for", limit)
                pause = min(pause, left)
            await asyncio.sleep(pause)
            attempt += 1

    def resume_url(self, node: Node) -> str:
        """The URL that ends the wait `node` in this execution.

        Raises:
            FatalError: code `wait.unsupported`; requests cannot reach this process.
        """
        del node
        raise FatalError(
            "No request can reach this process, so it has no resume URLs", code="wait.unsupported"
        )

    async def call(self, node: Node, workflow: str, input: Any = None, wait: bool = True) -> Any:
        """Runs another workflow and returns its answer; with `wait` False only starts it and
        returns `{"execution": id}`.

        Raises:
            FatalError: code `call.depth`; workflows call one another without end.
        """

        async def call(workflow: str, input: Any, wait: bool = True) -> Any:
            depth = self._owner.depth + 1
            check_depth(workflow, depth)
            return await self._owner.host.call(
                workflow, input, parent=self._owner.id, depth=depth, wait=wait
            )

        return await self.step(node, call, workflow, input, **({} if wait else {"wait": False}))

    async def emit(self, node: Node, event: str, data: Any = None) -> str:
        """Publishes an internal event and returns its id."""

        async def emit(event: str, data: Any) -> str:
            owner = self._owner
            return await owner.host.emit(event, data, source=self._owner.id, depth=owner.depth + 1)

        return await self.step(node, emit, event, data)

    def now(self) -> str:
        """The present as ISO 8601 text in UTC."""
        return iso_time(time())

    def uuid(self) -> str:
        """A new random UUID."""
        import uuid

        return str(uuid.uuid4())

    def random(self) -> float:
        """A random number from 0 to below 1."""
        return random.random()  # noqa: S311 - for samples and jitter; uuid() is for secrets


def check_depth(workflow: str, depth: int) -> None:
    """Refuses calls that are nested too deeply.

    Raises:
        FatalError: code `call.depth`.
    """
    if depth > MAX_CALL_DEPTH:
        raise FatalError(
            f"Workflows may call one another {MAX_CALL_DEPTH} levels deep;"
            f" {workflow} would be one more",
            code="call.depth",
        )


def _given(**options: Any) -> dict[str, Any]:
    """The options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def make_reply(status: Any, headers: Mapping[str, Any] | None, body: Any) -> Reply:
    """A checked `Reply`."""
    try:
        code = int(status)
    except (TypeError, ValueError):
        code = 0
    if not 100 <= code <= 599:
        raise FatalError(
            f"The status of a response must be a number from 100 to 599, not {status!r}",
            code="response.status",
        )
    as_object = getattr(body, "_asdict", None)
    if isinstance(body, tuple) and as_object is not None:
        body = as_object()
    return Reply(code, dict(_headers(headers)) if headers else {}, body)


def _headers(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Headers as text; a list stays one, and what is None is left out."""
    for name, value in given.items():
        if isinstance(value, (list, tuple)):
            yield str(name), [str(each) for each in cast("Sequence[Any]", value)]
        elif value is not None:
            yield str(name), str(value)
