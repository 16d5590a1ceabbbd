"""Requests over HTTP that come with a key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nodegx.runtime.errors import FatalError, StoreUnavailable
from nodegx.runtime.ids import new_id
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.triggers.reply import Response, encode, problem_response
from nodegx.runtime.triggers.webhook import Accepted, Answered

from . import keys
from .answers import pack_response, unpack_response
from .guard import Guard, Wanted
from .settings import Settings

if TYPE_CHECKING:
    from nodegx.runtime.triggers.request import CloudRequest, Incoming, WebhookRequest
    from nodegx.runtime.triggers.route import Route
    from nodegx.runtime.workflow import Workflow

    from .store import Held

REPLAYED = (b"idempotency-replayed", b"true")
RETRY_AFTER = "1"  # seconds

Begin = Callable[[str], Awaitable[Response]]
"""Runs the workflow as the execution of that id, and returns its answer."""


class Requests:
    """Answers requests, repeats with what the first was answered.

    Failures (statuses from 500 on) are not kept: whoever waits for the answer gets them too, but
    the next request runs the workflow again.

    Args:
        guard: who may start a workflow.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._under_way: dict[tuple[str, str], asyncio.Task[Answered]] = {}

    async def answer(
        self,
        workflow: Workflow,
        route: Route,
        incoming: Incoming,
        request: WebhookRequest | CloudRequest,
        begin: Begin,
    ) -> Answered:
        """The answer to a request, of its own execution or of an earlier one.

        Args:
            workflow: what to run.
            route: the trigger.
            incoming: the request as it came, without its credentials.
            request: the trigger's value.
            begin: runs the workflow.

        Raises:
            Problem: 400, there is no usable key; 409, another request with this key is under way,
                or its answer was not kept; 422, it was used for another request; 503, nobody knows.
        """
        settings = route.idempotency
        key = self._key(workflow, route, settings, incoming, request)
        if settings is None or key is None:
            execution = new_id()
            return Answered(await begin(execution), execution)
        wanted = Wanted(
            workflow, key, keys.fingerprint(incoming, request.body), settings, self._accepted
        )
        try:
            return await self._answer(wanted, begin)
        except StoreUnavailable:
            detail = "It cannot be found out whether this request came before."
            raise Problem(503, detail, headers={"retry-after": RETRY_AFTER}) from None

    def _key(
        self,
        workflow: Workflow,
        route: Route,
        settings: Settings | None,
        incoming: Incoming,
        request: WebhookRequest | CloudRequest,
    ) -> str | None:
        find = workflow.keys.get(route.node)
        if find is not None:
            try:
                key = keys.computed_key(find, request)
            except FatalError as error:
                raise Problem(400, f"{error.message}.") from None
            return keys.place(workflow.name, route.node, key)
        given = incoming.headers.get(keys.HEADER)
        if given is None:
            if settings is not None and settings.required:
                raise Problem(400, "The header Idempotency-Key is required.")
            return None
        # Clients choose these keys: one must not get at what another was answered.
        subject = incoming.subject
        return keys.place(workflow.name, route.node, subject, keys.header_key(given))

    async def _answer(self, wanted: Wanted, begin: Begin) -> Answered:
        if not wanted.settings.waits:
            return await asyncio.shield(self._guard.aside(self._first(wanted, begin)))
        place = wanted.key, wanted.fingerprint
        running = self._under_way.get(place)
        if running is None:
            # A task of its own: a caller that hangs up must not leave the key unsettled.
            running = self._guard.aside(self._first(wanted, begin))
            self._under_way[place] = running
            running.add_done_callback(lambda _: self._under_way.pop(place))
            return await asyncio.shield(running)
        try:
            async with asyncio.timeout(self._guard.patience(wanted.workflow)):
                response, execution = await asyncio.shield(running)
        except TimeoutError:
            raise _conflict(None) from None
        return Answered(_replayed(response), execution)

    async def _first(self, wanted: Wanted, begin: Begin) -> Answered:
        """The answer of the first of this process's requests with a key."""
        guard = self._guard
        execution, held = await guard.take(wanted)
        if held is not None and not held.done and wanted.settings.waits:
            _same(wanted, held)
            execution, held = await guard.wait(wanted, held)
        if held is not None:
            _same(wanted, held)
            return _repeated(held)
        try:
            response = await begin(execution)
        except Problem as problem:
            response = problem_response(problem)
        except BaseException:
            await guard.release(wanted.key, execution)
            raise
        if response.status < 500:
            await guard.settle(wanted.key, execution, pack_response(response, guard.limit))
        else:
            await guard.release(wanted.key, execution)
        return Answered(response, execution)

    def _accepted(self, execution: str) -> bytes | None:
        """The answer of an execution that goes on where its caller cannot be answered any more."""
        body = {"executionId": execution, "status": "running"}
        return pack_response(encode(Accepted(body=body)), self._guard.limit)


def _same(wanted: Wanted, held: Held) -> None:
    """
    Raises:
        Problem: 422; the key was used for another request.
    """
    if held.fingerprint != wanted.fingerprint:
        raise Problem(422, "This idempotency key was used for another request.")


def _repeated(held: Held) -> Answered:
    if not held.done:
        raise _conflict(held.execution)
    if held.answer is None:
        detail = "This request was carried out before; its answer was not kept."
        raise Problem(409, detail, executionId=held.execution)
    return Answered(_replayed(unpack_response(held.answer)), held.execution)


def _replayed(response: Response) -> Response:
    return response._replace(headers=[*response.headers, REPLAYED])


def _conflict(execution: str | None) -> Problem:
    known = {} if execution is None else {"executionId": execution}
    detail = "A request with this idempotency key is under way."
    return Problem(409, detail, headers={"retry-after": RETRY_AFTER}, **known)
