"""The server's own endpoints, below `/_nodegx/`: health, workflows, executions, manual starts."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote

from nodegx.runtime.errors import NodegxError
from nodegx.runtime.history.store import HistoryStore
from nodegx.runtime.triggers import timetable
from nodegx.runtime.triggers.inputs import InputError
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.triggers.reply import JSON, Response, deliver, problem_response, to_json
from nodegx.runtime.triggers.request import fields, read_headers
from nodegx.runtime.triggers.routing import Router
from nodegx.runtime.triggers.webhook import Receive, Scope, Send
from nodegx.runtime.values import Reply

from .endpoints import Answer, Call, Endpoint, Endpoints
from .execution_endpoints import ExecutionEndpoints
from .host import ServerHost
from .operation_endpoints import OperationEndpoints
from .registry import RESERVED
from .scheduler import Scheduler
from .workflows import LoadedWorkflow

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Management:
    """Answers management requests.

    With a token, callers present it as bearer token. Without one, only callers on this machine
    are answered, and no web pages of other origins: a page in the user's browser comes from this
    machine as well.

    Args:
        host: what runs the workflows.
        scheduler: what fires them.
        store: the execution history; None where none is kept.
        token: the token, or None.
    """

    def __init__(
        self,
        host: ServerHost,
        scheduler: Scheduler,
        store: HistoryStore | None,
        token: str | None = None,
    ) -> None:
        self._host = host
        self._scheduler = scheduler
        self._token = hashlib.sha256(token.encode()).digest() if token else None
        self._router = Router[Endpoint]()
        endpoints: Endpoints = (
            ("GET", "/health", self._health),
            ("GET", "/ready", self._ready),
            ("GET", "/workflows", self._workflows),
            ("GET", "/schedules", self._schedules),
            ("POST", "/workflows/{workflow}/run", self._run),
            ("POST", "/events/{event}", self._emit),
            *ExecutionEndpoints(host, store).endpoints,
            *OperationEndpoints(host, store).endpoints,
        )
        for method, path, endpoint in endpoints:
            self._router.add(method, RESERVED + path, endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        try:
            response = await self._answer(scope, receive)
        except Problem as problem:
            response = problem_response(problem)
        await deliver(response, scope["method"], send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        match = self._router.match(scope["method"], raw_path.decode("latin-1"))
        headers = read_headers(scope["headers"])
        if match.route not in (self._health, self._ready):
            self._admit(scope, headers)
        if match.route is None:
            if match.allowed:
                allow = ", ".join(match.allowed)
                raise Problem(405, f"This path has {allow}.", headers={"allow": allow})
            raise Problem(404, "Nothing is served at this path.")
        query = fields(scope["query_string"].decode("latin-1"))
        client = str((scope.get("client") or ("",))[0])
        answer = await match.route(Call(match.params, query, headers, receive, client))
        body = to_json(answer.body)
        fixed = [(b"content-type", JSON), (b"content-length", b"%d" % len(body))]
        return Response(answer.status, [*fixed, (b"cache-control", b"no-store")], body)

    def _admit(self, scope: Scope, headers: Mapping[str, str]) -> None:
        if self._token is not None:
            scheme, _, token = headers.get("authorization", "").partition(" ")
            given = hashlib.sha256(token.strip().encode("utf-8", "replace")).digest()
            if scheme.lower() != "bearer" or not hmac.compare_digest(given, self._token):
                raise Problem(401, "A token is required.", headers={"www-authenticate": "Bearer"})
            return
        peer = scope.get("client")
        # A proxy on this machine would make everyone a local caller, so that forwarded requests
        # need a token.
        forwarded = "x-forwarded-for" in headers or "forwarded" in headers
        if not peer or not _loopback(peer[0]) or forwarded:
            raise Problem(403, "Set a token to reach this from other machines.")
        # Names that resolve to this machine must not open it to the pages of those names.
        if _host_name(headers.get("host", "")) not in LOOPBACK_NAMES:
            raise Problem(403, "Set a token to reach this under another name.")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            raise Problem(403, "Web pages of other origins may not use this.")

    # --- endpoints -----------------------------------------------------------------------------

    async def _health(self, call: Call) -> Answer:
        return Answer({"status": "ok"})

    async def _ready(self, call: Call) -> Answer:
        if self._host.stopping:
            return Answer({"status": "stopping"}, 503)
        return Answer({"status": "ready", "workflows": len(self._host.registry.workflows)})

    async def _workflows(self, call: Call) -> Answer:
        registry = self._host.registry
        return Answer(
            {
                "workflows": [_describe(entry) for entry in registry.workflows.values()],
                "problems": registry.problems,
            }
        )

    async def _schedules(self, call: Call) -> Answer:
        registry = self._host.registry
        entries: list[dict[str, Any]] = []
        for schedule, due in self._scheduler.upcoming:
            loaded = registry.workflows.get(schedule.workflow)
            configs = {entry.node: entry.config for entry in loaded.triggers} if loaded else {}
            following = timetable.upcoming(schedule.table, 4, due)
            entries.append(
                {
                    "workflow": schedule.workflow,
                    "node": schedule.node,
                    "description": timetable.describe(configs.get(schedule.node, {"every": 1})),
                    "next": [moment.isoformat() for moment in (due, *following)],
                }
            )
        return Answer({"schedules": entries})

    async def _run(self, call: Call) -> Answer:
        loaded = self._host.registry.find(unquote(call.params["workflow"]))
        if loaded is None:
            raise Problem(404, "There is no workflow of that name.")
        if self._host.stopping:
            raise Problem(503, "The server is stopping.")
        call.require_json()
        payload = await call.json()
        try:
            execution = await self._host.start_manual(loaded, payload)
            if call.query.get("wait") in ("false", "0"):
                return Answer({"executionId": execution.id}, 202)
            record = await execution.finish()
        except InputError as exc:
            raise Problem(400, exc.message, problems=exc.details) from None
        except NodegxError as exc:
            raise Problem(503 if exc.retriable else 409, exc.message, code=exc.code) from None
        answer: Reply | None = execution.answer
        return Answer(
            {
                "executionId": execution.id,
                "status": record.status,
                "response": None
                if answer is None
                else {
                    "status": answer.status,
                    "headers": dict(answer.headers or {}),
                    "body": answer.body,
                },
                "error": execution.failure._asdict() if execution.failure else None,
            }
        )

    async def _emit(self, call: Call) -> Answer:
        if self._host.stopping:
            raise Problem(503, "The server is stopping.")
        call.require_json()
        payload = await call.json()
        try:
            identifier = await self._host.emit(call.params["event"], payload, source="", depth=0)
        except NodegxError as exc:
            raise Problem(503 if exc.retriable else 409, exc.message, code=exc.code) from None
        return Answer({"eventId": identifier}, 202)


def _loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def _host_name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _describe(loaded: LoadedWorkflow) -> dict[str, Any]:
    gate = loaded.workflow.gate
    return {
        "name": loaded.name,
        "slug": loaded.slug,
        "revision": loaded.workflow.revision,
        "description": loaded.manifest.get("description") or "",
        "triggers": [_trigger(entry.node, entry.type, entry.config) for entry in loaded.triggers],
        "running": gate.active,
        "waiting": gate.waiting,
    }


def _trigger(node: str, type: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """A trigger without its credentials."""
    shown = ("method", "path", "event", "cron", "every", "timezone", "inputs", "parameters")
    described: dict[str, Any] = {"node": node, "type": type}
    described.update({key: config[key] for key in shown if config.get(key) is not None})
    auth: Mapping[str, Any] = config.get("auth") or {}
    if auth.get("type", "none") != "none":
        described["auth"] = auth["type"]
    return described
