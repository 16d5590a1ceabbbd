"""The HTTP side of workflows: a bare ASGI application over a table of routes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from time import perf_counter
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from . import body as bodies
from .address import Networks, caller, networks, trusts
from .problem import Problem
from .reply import ReplyError, ReplyLike, Response, deliver, encode, merged, pairs, problem_response
from .request import CloudRequest, Incoming, WebhookRequest, read_headers
from .route import Route
from .routing import Router

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger("nodegx.webhook")


class Started(Protocol):
    """An execution that is under way and already in the history.

    `response` resolves with the workflow's answer, or with None if it ended without one; it
    raises if the workflow failed before answering.
    """

    @property
    def id(self) -> str: ...
    @property
    def response(self) -> Awaitable[ReplyLike | None]: ...


class Start(Protocol):
    """Starts a workflow, as the execution `id` if one is given."""

    def __call__(
        self, route: Route, request: WebhookRequest | CloudRequest, id: str | None = None, /
    ) -> Awaitable[Started]: ...


class Answered(NamedTuple):
    """The answer to a request, and the execution that gave it."""

    response: Response
    execution: str


class Once(Protocol):
    """Answers a request to a route with `idempotency`: by `begin`, which runs the workflow as the
    execution of that id, or with what the same request was answered before."""

    def __call__(
        self,
        route: Route,
        incoming: Incoming,
        request: WebhookRequest | CloudRequest,
        begin: Callable[[str], Awaitable[Response]],
        /,
    ) -> Awaitable[Answered]: ...


class Access(NamedTuple):
    """A request that was answered, for the request log. `seconds` until the answer."""

    method: str
    path: str
    status: int
    seconds: float
    workflow: str
    execution: str


class Outcome:
    """What is known of a request so far."""

    __slots__ = ("execution", "headers", "route")

    def __init__(self) -> None:
        self.route: Route | None = None
        self.execution = ""
        self.headers: dict[str, str] = {}


class WebhookApp:
    """Answers requests by starting workflows.

    Args:
        routes: the table, or a router that has them already.
        start: starts a workflow. It may raise a `Problem`, such as 503 when it is overloaded.
        trusted_proxies: addresses and networks whose X-Forwarded-… headers are believed.
        observe: told of every request once it is answered.
        once: answers requests to routes that tell repeats from others; without it, such routes
            answer 501.
    """

    def __init__(
        self,
        routes: Iterable[Route] | Router[Route],
        start: Start,
        *,
        trusted_proxies: Iterable[str] = (),
        observe: Callable[[Access], None] | None = None,
        once: Once | None = None,
    ) -> None:
        if isinstance(routes, Router):
            self.router = routes
        else:
            self.router = Router[Route]()
            for route in routes:
                for method in route.methods:
                    self.router.add(method, route.path, route)
        self._start = start
        self._trusted: Networks = networks(trusted_proxies)
        self._observe = observe
        self._once = once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await _lifespan(receive, send)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        begin = perf_counter()
        outcome = Outcome()
        try:
            response = await self._answer(scope, receive, outcome)
        except Problem as problem:
            response = problem_response(problem, outcome.headers)
        except bodies.Disconnected:
            return
        except Exception:
            log.exception("request failed")
            response = problem_response(Problem(500, "The server failed."), outcome.headers)
        await deliver(response, scope["method"], send)
        if self._observe is not None:
            self._observe(
                Access(
                    scope["method"],
                    scope["path"],
                    response.status,
                    perf_counter() - begin,
                    outcome.route.workflow if outcome.route else "",
                    outcome.execution,
                )
            )

    async def _answer(self, scope: Scope, receive: Receive, outcome: Outcome) -> Response:
        method: str = scope["method"]
        raw_path = _raw_path(scope)
        route, params, allowed = self.router.match(method, raw_path)
        if route is None:
            return self._unmatched(scope, raw_path, allowed)
        outcome.route = route
        headers = read_headers(scope["headers"])
        if route.cors is not None:
            outcome.headers.update(route.cors.response_headers(headers.get("origin")))
        incoming = Incoming(method, raw_path, headers, scope["query_string"].decode("latin-1"))
        peer = scope.get("client")
        incoming.client = caller(peer[0] if peer else "", headers, self._trusted)
        if route.limit is not None:
            outcome.headers.update(route.limit.take(incoming))
        auth = route.auth
        if auth is not None and not auth.needs_body:
            await auth.check(incoming)
        incoming.raw = await bodies.read(receive, headers, route.max_body)
        if auth is not None and auth.needs_body:
            await auth.check(incoming)
        request = self._request(scope, incoming, route, params)
        if route.idempotency is not None:
            return await self._answer_once(route, incoming, request, outcome)
        execution = await self._start(route, request)
        outcome.execution = execution.id
        return await _respond(route, execution, outcome.headers)

    async def _answer_once(
        self,
        route: Route,
        incoming: Incoming,
        request: WebhookRequest | CloudRequest,
        outcome: Outcome,
    ) -> Response:
        if self._once is None:
            raise Problem(501, "This server cannot tell repeated requests from others.")

        async def begin(id: str) -> Response:
            execution = await self._start(route, request, id)
            outcome.execution = execution.id
            return await _respond(route, execution, {})

        answered = await self._once(route, incoming, request, begin)
        outcome.execution = answered.execution
        status, headers, body = answered.response
        return Response(status, merged(headers, outcome.headers), body)

    def _unmatched(self, scope: Scope, raw_path: str, allowed: tuple[str, ...]) -> Response:
        """The answer where no workflow has this method and path: a preflight's, what OPTIONS asks
        for, 405 or 404."""
        if not allowed:
            raise Problem(404, "Nothing is served at this path.")
        allow = ", ".join((*allowed, "OPTIONS"))
        if scope["method"] != "OPTIONS":
            raise Problem(405, f"This path has {allow}.", headers={"allow": allow})
        headers = read_headers(scope["headers"])
        origin = headers.get("origin")
        wanted = headers.get("access-control-request-method", "")
        if origin is None or not wanted:
            return Response(204, pairs({"allow": allow}), b"")
        route = self.router.match(wanted, raw_path).route
        if route is None or route.cors is None:
            raise Problem(403, f"Pages of other origins may not use {wanted} here.")
        asked = headers.get("access-control-request-headers", "")
        methods = route.methods
        return Response(204, pairs(route.cors.preflight(origin, wanted, asked, methods)), b"")

    def _request(
        self, scope: Scope, incoming: Incoming, route: Route, params: dict[str, str]
    ) -> WebhookRequest | CloudRequest:
        headers, raw = incoming.headers, incoming.raw
        value: Any = None
        if raw or (route.body_type == "json" and incoming.method not in ("GET", "HEAD", "DELETE")):
            value = bodies.parse(raw, headers.get("content-type", ""), route.body_type)
        url = self._url(scope, incoming)
        path = unquote(incoming.path) if "%" in incoming.path else incoming.path
        parts = (incoming.method, path, params, incoming.query, headers, value, url)
        if route.parameters is None:
            return WebhookRequest(*parts, incoming.client)
        from .inputs import InputError, coerce

        try:
            declared: dict[str, Any] = coerce(route.parameters, value) if route.parameters else {}
        except InputError as exc:
            raise Problem(400, exc.message, problems=exc.details) from None
        return CloudRequest(*parts, incoming.client, declared)

    def _url(self, scope: Scope, incoming: Incoming) -> str:
        scheme: str = scope.get("scheme", "http")
        headers = incoming.headers
        host = headers.get("host", "localhost")
        peer = scope.get("client")
        if self._trusted and peer and trusts(self._trusted, peer[0]):
            forwarded = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            scheme = forwarded if forwarded in ("http", "https") else scheme
            host = headers.get("x-forwarded-host", "").rpartition(",")[2].strip() or host
        query = incoming.query_string
        return f"{scheme}://{host}{incoming.path}{'?' + query if query else ''}"


def _raw_path(scope: Scope) -> str:
    """The path still percent-encoded, so that an encoded slash stays inside a parameter. Adapters
    without `raw_path` give the decoded path; it counts as sent."""
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1") if raw else scope["path"]


async def _respond(route: Route, execution: Started, extra: Mapping[str, str]) -> Response:
    """Waits for the workflow's answer, or does not where it never answers."""
    if not route.responds:
        return encode(Accepted(body={"executionId": execution.id}), extra)
    try:
        # A caller that hangs up must not cancel the execution's own future.
        reply = await asyncio.shield(asyncio.ensure_future(execution.response))
        return encode(reply, extra) if reply is not None else Response(204, pairs(extra), b"")
    except ReplyError as exc:
        log.error("the answer of %s cannot be sent: %s", route.workflow, exc)
        detail = "The workflow's answer cannot be sent."
        raise Problem(500, detail, executionId=execution.id) from None
    except Problem as problem:
        problem.extra["executionId"] = execution.id
        raise
    except Exception:  # recorded in the history, where its author finds it
        raise Problem(500, "The workflow failed.", executionId=execution.id) from None
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        raise Problem(
            503,
            "The workflow was cancelled before it answered.",
            headers={"retry-after": "1"},
            executionId=execution.id,
        ) from None


class Accepted(NamedTuple):
    """The answer of workflows that never answer themselves."""

    status: int = 202
    headers: Mapping[str, Any] | None = None
    body: Any = None


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
