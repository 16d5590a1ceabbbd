"""Resume URLs: whoever has one ends the wait of an execution, by a request or by a form.

`/_nodegx/resume/{execution}/{step}/{token}`, the step percent-encoded. It is nobody's business but
its owner's whether an execution exists: all that is wrong with such a path has the same answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from nodegx.runtime.durable import tokens
from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.errors import FatalError, StoreUnavailable

from . import body as bodies
from . import resume_form as forms
from . import resume_reply as reply
from .problem import Problem
from .reply import Response, deliver, pairs
from .request import Incoming
from .resume_visit import Visit
from .route import MAX_BODY
from .webhook import Access

if TYPE_CHECKING:
    from .auth import Authenticator
    from .webhook import Receive, Scope, Send

PATIENCE = 2.0  # seconds for which a link that is used early waits for its wait to begin
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.4  # seconds between looks at it
MAX_AUTHENTICATORS = 100

CREDENTIALS = ("authorization", "cookie", "proxy-authorization")
"""Headers that do not reach the answer, whether the wait asks for them or not: the browser may have
them for other pages of this host."""

log = logging.getLogger("nodegx.resume")


class WaitState(StrEnum):
    """Where a wait stands."""

    EARLY = "early"  # the execution has not come to it yet
    WAITING = "waiting"
    ANSWERED = "answered"
    OVER = "over"  # timed out, or the execution has gone on or ended without an answer


class Pending(NamedTuple):
    """What a host knows of a wait.

    Args:
        secret: the execution's, of which tokens are made.
        state: where the wait stands.
        workflow: full name of the workflow.
        spec: `Wait.spec` of a wait for a request; None unless `state` is `WAITING`.
        secrets: resolves the credentials that `spec` names, when a request comes. The same object
            each time where possible: what is made of it is kept.
        label: heading of a form that has none, such as the node's label; its step by default.
    """

    secret: str
    state: WaitState
    workflow: str = ""
    spec: Mapping[str, Any] | None = None
    secrets: Mapping[str, str] = {}
    label: str = ""


class Waits(Protocol):
    """The waits of a host's executions, wherever these are kept.

    Both may raise `StoreUnavailable`: the request is answered with 503.
    """

    async def find(self, execution: str, step: str) -> Pending | None:
        """The wait of a step. None if there is no such execution; of one that there is, any step
        that has not been reached is `EARLY`. Both are asked for by strangers: the names may be any
        printable text."""
        ...

    async def answer(self, execution: str, step: str, value: str) -> bool:
        """Keeps the answer, as text of `codec`, and lets the execution go on. False if there is
        an answer already, or the execution is gone."""
        ...


class ResumeApp:
    """Answers requests to resume URLs; a bare ASGI application for HTTP alone.

    Args:
        waits: finds and ends waits.
        patience: seconds for which a request waits for its wait to begin.
        max_body: bytes of a body.
        observe: told of every request once it is answered; the path it gets lacks the token.
    """

    def __init__(
        self,
        waits: Waits,
        *,
        patience: float = PATIENCE,
        max_body: int = MAX_BODY,
        observe: Callable[[Access], None] | None = None,
    ) -> None:
        self._waits = waits
        self._patience = patience
        self._max_body = max_body
        self._observe = observe
        self._nobody = tokens.new_secret()
        self._authenticators: dict[str, tuple[Mapping[str, str], Authenticator | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] != "http":
            raise ValueError("resume URLs are for HTTP requests")
        begin = perf_counter()
        visit = Visit(scope)
        try:
            response = await self._answer(visit, scope["query_string"], receive)
        except Problem as problem:
            response = reply.refusal(visit, problem)
        except bodies.Disconnected:
            return
        except StoreUnavailable:
            problem = Problem(503, "Please try again in a moment.", headers={"retry-after": "1"})
            response = reply.refusal(visit, problem)
        except Exception:
            log.exception("request failed")
            response = reply.refusal(visit, Problem(500, "The server failed."))
        await deliver(response, visit.method, send)
        if self._observe is not None:
            seconds = perf_counter() - begin
            known = visit.execution if visit.workflow else ""
            self._observe(
                Access(visit.method, visit.logged, response.status, seconds, visit.workflow, known)
            )

    async def _answer(self, visit: Visit, query: bytes, receive: Receive) -> Response:
        pending = await self._open(visit)
        webhook: Mapping[str, Any] = (pending.spec or {})["webhook"]
        config = webhook.get("form")
        if config is not None:
            visit.form = forms.build(config, pending.label or visit.step)
        allowed = _methods(webhook)
        if visit.method not in allowed:
            allow = ", ".join((*allowed, "OPTIONS"))
            if visit.method == "OPTIONS":
                return Response(204, pairs({**reply.PRIVATE, "allow": allow}), b"")
            raise Problem(405, f"This address has {allow}.", headers={"allow": allow})
        incoming = Incoming(visit.method, visit.path, visit.headers, query.decode("latin-1"))
        auth = self._authenticator(pending, webhook.get("auth"))
        if auth is not None and not auth.needs_body:
            await auth.check(incoming)
        incoming.raw = await bodies.read(receive, visit.headers, self._max_body)
        if auth is not None and auth.needs_body:
            await auth.check(incoming)
        if visit.form is None:
            return await self._request(visit, incoming)
        if visit.method in ("GET", "HEAD"):
            return reply.as_form(200, visit.form, forms.shown(visit.form))
        return await self._submission(visit, visit.form, incoming)

    # --- who asks for what ---------------------------------------------------------------------

    async def _open(self, visit: Visit) -> Pending:
        """The wait, if it can be answered now.

        Raises:
            Problem: 404 for what is wrong with the path, whatever it is; 410 once the wait is
                over; 409 if it has not begun.
        """
        pending = await self._find(visit)
        if pending.state is WaitState.EARLY:
            pending = await self._begun(visit, pending)
        if pending.state is WaitState.EARLY:
            raise Problem(
                409,
                "The workflow has not come to this yet. Please try again in a moment.",
                headers={"retry-after": "2"},
            )
        if pending.state is not WaitState.WAITING:
            raise _closed(pending.state)
        if "webhook" not in (pending.spec or {}):
            raise _unknown()
        return pending

    async def _find(self, visit: Visit) -> Pending:
        """The wait of whoever knows its token. The same is done for everybody else, so that the
        time tells nothing."""
        pending = await self._waits.find(visit.execution, visit.step) if visit.plausible else None
        secret = self._nobody if pending is None else pending.secret or self._nobody
        genuine = tokens.is_token(secret, visit.step, visit.token)
        if pending is None or not genuine:
            raise _unknown()
        visit.workflow = pending.workflow
        return pending

    async def _begun(self, visit: Visit, pending: Pending) -> Pending:
        """The wait, once it has begun or patience is at its end."""
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + self._patience, FIRST_PAUSE
        while pending.state is WaitState.EARLY and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)
            found = await self._waits.find(visit.execution, visit.step)
            if found is None:
                raise _closed(WaitState.OVER)
            pending = found
        return pending

    def _authenticator(self, pending: Pending, config: Any) -> Authenticator | None:
        """Who may answer. Kept, because a JWT's key set is fetched by what is kept."""
        if not config:
            return None
        key = json.dumps([pending.workflow, config], sort_keys=True)
        known = self._authenticators.get(key)
        if known is None or known[0] is not pending.secrets:
            from .auth import build

            if len(self._authenticators) >= MAX_AUTHENTICATORS:
                self._authenticators.clear()
            known = (pending.secrets, build(config, pending.secrets))
            self._authenticators[key] = known
        return known[1]

    # --- answers -------------------------------------------------------------------------------

    async def _request(self, visit: Visit, incoming: Incoming) -> Response:
        """The request itself is the answer."""
        if visit.method == "HEAD":  # asks what GET would say; previews do that
            return reply.as_json(200, {"status": "waiting", "executionId": visit.execution})
        content_type = visit.headers.get("content-type", "")
        body = bodies.parse(incoming.raw, content_type, "auto") if incoming.raw else None
        await self._resume(visit, incoming, body, None)
        return reply.thanks(visit, "Your answer has been received. You can close this page.")

    async def _submission(self, visit: Visit, form: forms.Form, incoming: Incoming) -> Response:
        """What was entered into the form is the answer."""
        content_type = visit.headers.get("content-type", "")
        parsed: Any = bodies.parse(incoming.raw, content_type, "auto") if incoming.raw else {}
        if not isinstance(parsed, dict):
            raise Problem(400, "The body must be a form, or a JSON object.")
        given = cast("dict[str, Any]", parsed)
        entry = forms.enter(form, given, typed=visit.sends_json)
        if entry.faults:
            if visit.wants_page:
                return reply.as_form(422, form, forms.shown(form, given), entry.faults)
            detail = "; ".join(f"{name} {message}" for name, message in entry.faults)
            problems = [{"input": name, "message": message} for name, message in entry.faults]
            raise Problem(422, f"{detail}.", problems=problems)
        action = entry.action
        await self._resume(visit, incoming, entry.values, action and action.value)
        chosen = f": {action.label}" if action else ""
        return reply.thanks(
            visit, f"Your answer has been received{chosen}. You can close this page."
        )

    async def _resume(
        self, visit: Visit, incoming: Incoming, body: Any, action: str | None
    ) -> None:
        headers = {name: text for name, text in visit.headers.items() if name not in CREDENTIALS}
        value = {"body": body, "query": incoming.query, "headers": headers, "action": action}
        try:
            text = Codec({}, {}).encode(value)
        except FatalError as error:
            raise Problem(400, f"The body cannot be kept: {error.message}.") from None
        if not await self._waits.answer(visit.execution, visit.step, text):
            raise _closed(WaitState.ANSWERED)


def _methods(webhook: Mapping[str, Any]) -> tuple[str, ...]:
    """The methods that a wait takes, upper-case. HEAD goes with GET, and never ends a wait."""
    if webhook.get("form") is not None:
        return ("GET", "HEAD", "POST")
    given: Any = webhook.get("method") or "POST"
    methods: set[str] = {given} if isinstance(given, str) else set(given)
    return tuple(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _unknown() -> Problem:
    return Problem(404, "Nothing waits at this address: it is incomplete, or of no use any more.")


def _closed(state: WaitState) -> Problem:
    if state is WaitState.ANSWERED:
        return Problem(410, "This has been answered already.")
    return Problem(410, "No answer is needed any more.")
