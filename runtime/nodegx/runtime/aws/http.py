"""Triggers behind an HTTP API (payload format 2.0), through Mangum over the ASGI application that
serves webhooks everywhere."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from nodegx.runtime.execution import Execution
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.triggers.reply import Response, deliver, problem_response
from nodegx.runtime.triggers.request import Incoming
from nodegx.runtime.triggers.route import Route, build
from nodegx.runtime.triggers.webhook import Answered, WebhookApp
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .adapter import Adapter, Handler, Payload
from .client import AwsError

if TYPE_CHECKING:
    from .context import Context

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

TEXT = ["text/", "json", "javascript", "xml", "x-www-form-urlencoded"]
"""Content types whose bodies are sent as text; all others as base64."""
UNRECORDED = Problem(503, "The execution history cannot be written.")
MAX_RESPONSE = 6_000_000
"""Bytes that a function may answer with; Lambda refuses more than 6 MB, its JSON included."""


class Http(Adapter):
    """Answers requests. Lambda freezes the process once the function returns, so what a workflow
    does after its answer is done before: the caller waits for it, unless the workflow's executions
    can go on in another invocation; see `durable`.

    Args:
        workflow: the compiled workflow.
        node: id of the trigger node.
        type: its type, `trigger.webhook` or `cloud.request`.
        config: its parameters, as the manifest has them.
        responds: whether the workflow has a response node.
    """

    def __init__(
        self, workflow: Workflow, node: str, type: str, config: Payload | None, responds: bool
    ) -> None:
        from mangum import Mangum

        super().__init__(workflow, node, type, config)
        self.route = build(
            workflow.name, node, type, self.config, self.host.secrets, responds=responds
        )
        self._webhook = WebhookApp([self.route], self._start, once=self._once)
        self._running: list[Execution] = []
        # Mangum reads nothing of the types it asks for but what ASGI says.
        app: Any = self._app
        self._mangum: Handler = Mangum(app, lifespan="off", text_mime_types=TEXT)

    def join(self, other: Http) -> None:
        """Answers another trigger's requests too: a preflight may be for either of them."""
        for method in other.route.methods:
            self._webhook.router.add(method, other.route.path, other.route)

    def accepts(self, event: Payload) -> bool:
        """Whether this is a request to an HTTP API."""
        return "routeKey" in event and "rawPath" in event

    def serve(self, event: Any, context: Context | None) -> Any:
        """Answers one request."""
        response = self._mangum(with_length(event), context)
        if len(response.get("body", "")) <= MAX_RESPONSE:
            return response
        message = "the answer is too large for a function"
        self.host.log.write("error", message, workflow=self.workflow.name)
        problem = '{"type":"about:blank","title":"The answer is too large","status":500}'
        headers = {"content-type": "application/problem+json"}
        return {"statusCode": 500, "headers": headers, "body": problem, "isBase64Encoded": False}

    async def _start(self, route: Route, request: Any, id: str | None = None) -> Execution:
        trigger = Trigger(route.node, route.type, request)
        execution = await self.begin(trigger, make=self.make_answering, id=id)
        self._running.append(execution)
        return execution

    async def _once(
        self,
        route: Route,
        incoming: Incoming,
        request: Any,
        begin: Callable[[str], Awaitable[Response]],
    ) -> Answered:
        keys = self.host.idempotency
        if keys is None:
            raise Problem(501, "This function cannot tell repeated requests from others.")
        return await keys.requests.answer(self.workflow, route, incoming, request, begin)

    async def _app(self, scope: Message, receive: Any, send: Send) -> None:
        scope["raw_path"] = scope["aws.event"].get("rawPath", "").encode("utf-8", "replace")
        answer: list[Message] = []  # given once what it answers is on record

        async def hold(message: Message) -> None:
            answer.append(message)

        try:
            await self._webhook(scope, receive, hold)
        finally:
            while self._running:
                execution = self._running.pop()
                try:
                    await execution.finish()
                except AwsError as error:  # it is not on record, so it has not been
                    execution.log("error", f"the execution was not written: {error}")
                    answer.clear()
                    await deliver(problem_response(UNRECORDED), scope["method"], hold)
            if self.host.idempotency is not None:
                await self.host.idempotency.drain()
        recoded = in_utf8(send)
        for message in answer:
            await recoded(message)


def with_length(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the length of its body in the headers: some clients send none."""
    body: str | None = event.get("body")
    headers: dict[str, str] = event.get("headers") or {}
    if not body or "content-length" in headers:
        return event
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    return {**event, "headers": {**headers, "content-length": str(len(raw))}}


def in_utf8(send: Send) -> Send:
    """Mangum takes headers for UTF-8, while ASGI has them in Latin-1."""

    async def recoded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = cast("list[tuple[bytes, bytes]]", message["headers"])
            if any(not value.isascii() for _, value in headers):
                decoded = [(name, value.decode("latin-1").encode()) for name, value in headers]
                message = {**message, "headers": decoded}
        await send(message)

    return recoded
