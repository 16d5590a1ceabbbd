"""Endpoints that do something to executions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from time import time
from typing import Any, TypeVar

from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.operations import (
    ACTIONS,
    Edited,
    Filter,
    Given,
    Operator,
    Outcome,
    Target,
    apply,
    fork,
    rehearsal,
    select,
)
from nodegx.runtime.durable.operations.cancel import REASON
from nodegx.runtime.durable.operations.operator import UNKNOWN, audit_entry
from nodegx.runtime.durable.operations.shown import outcome_data, result_data
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.store import HistoryStore
from nodegx.runtime.triggers.inputs import InputError
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.workflow import Workflow

from .endpoints import Answer, Call, Endpoints, checked_object, typed
from .execution_endpoints import require_runs
from .host import ServerHost

T = TypeVar("T")

MOST = 1000
"""Executions of one bulk request."""
LONGEST_NAME = 200
RETRY_AFTER = "1"


class OperationEndpoints:
    """Operates on executions, for callers of the API.

    Args:
        host: what runs the executions.
        history: where they are recorded; None where none is kept.
    """

    def __init__(self, host: ServerHost, history: HistoryStore | None) -> None:
        self._host = host
        self._history = history

    @property
    def endpoints(self) -> Endpoints:
        """What it answers."""
        return (
            ("POST", "/executions/{id}/retry", self._retry),
            ("POST", "/executions/{id}/resume", self._resume),
            ("POST", "/executions/{id}/redrive", self._redrive),
            ("POST", "/executions/{id}/cancel", self._cancel),
            ("POST", "/executions/{id}/fork", self._fork),
            ("POST", "/executions/{id}/migrate", self._migrate),
            ("POST", "/executions/{id}/discard", self._discard),
            ("POST", "/executions/bulk", self._bulk),
        )

    # --- one -----------------------------------------------------------------------------------

    async def _retry(self, call: Call) -> Answer:
        body = await call.object("by", "input", "again")
        options = {"edited": _edited(body), "again": typed(body, "again", bool, False)}
        return await self._do(call, body, "retry", **options)

    async def _resume(self, call: Call) -> Answer:
        body = await call.object("by", "now", "step", "answer")
        now, step = typed(body, "now", bool, False), typed(body, "step", str)
        if "answer" in body:
            if now:
                raise Problem(400, "`now` and `answer` exclude each other.")
            return await self._do(call, body, "go-on", step=step, answer=Given(body["answer"]))
        if now:
            return await self._do(call, body, "go-on", step=step)
        if step is not None:
            raise Problem(400, "`step` goes with `now` or `answer`.")
        return await self._do(call, body, "resume")

    async def _redrive(self, call: Call) -> Answer:
        return await self._do(call, await call.object("by"), "redrive")

    async def _migrate(self, call: Call) -> Answer:
        body = await call.object("by", "to")
        return await self._do(call, body, "migrate", to=typed(body, "to", str))

    async def _discard(self, call: Call) -> Answer:
        body = await call.object("by", "reason")
        return await self._do(call, body, "discard", reason=typed(body, "reason", str))

    async def _fork(self, call: Call) -> Answer:
        body = await call.object("by", "from", "input")
        step = typed(body, "from", str)
        if step is None:
            raise Problem(400, "`from` must name the step to begin at.")
        operator, edited = self._operator(call, body), _edited(body)
        outcome = await _told(fork, operator, call.params["id"], step, edited=edited)
        return Answer(outcome_data(outcome))

    async def _cancel(self, call: Call) -> Answer:
        body = await call.object("by", "reason")
        reason = typed(body, "reason", str)
        execution = self._host.active.get(call.params["id"])
        if execution is None:
            return await self._do(call, body, "cancel", reason=reason)
        _note(execution, audit_entry(_who(call, body), time(), "cancel", reason=reason))
        execution.cancel(reason or REASON)
        record = await execution.finish()
        if not record.status.ended:  # it was about to wait outside of this process
            return await self._do(call, body, "cancel", reason=reason)
        return Answer(outcome_data(Outcome(record.id, "cancel", record.id, record.status.value)))

    async def _do(self, call: Call, body: Mapping[str, Any], action: str, **options: Any) -> Answer:
        operator = self._operator(call, body)
        operation = ACTIONS[action].operation
        outcome = await _told(operation, operator, call.params["id"], **options)
        return Answer(outcome_data(outcome))

    # --- many ----------------------------------------------------------------------------------

    async def _bulk(self, call: Call) -> Answer:
        body = await call.object(
            "action", "filter", "ids", "all", "limit", "dryRun", "by", "reason", "to"
        )
        action: Any = body.get("action")
        if action not in ACTIONS:
            raise Problem(400, f"`action` must be one of {', '.join(ACTIONS)}.")
        options = {name: typed(body, name, str) for name in _OPTIONS.get(action, ())}
        limit = min(max(typed(body, "limit", int, 100), 1), MOST)
        wanted = _filter(action, body)
        operator = self._operator(call, body)
        chosen = await _told(select, operator.runs, wanted, limit=limit + 1)
        ids, more = [each.id for each in chosen[:limit]], len(chosen) > limit
        if typed(body, "dryRun", bool, False):
            return Answer({"action": action, "dryRun": True, "executions": ids, "more": more})
        results = await _told(lambda: list(apply(operator, action, ids, **options)))
        failed = sum(result.outcome is None for result in results)
        return Answer(
            {
                "action": action,
                "done": len(results) - failed,
                "failed": failed,
                "results": [result_data(result) for result in results],
                "more": more,
            }
        )

    # --- as whom -------------------------------------------------------------------------------

    def _operator(self, call: Call, body: Mapping[str, Any]) -> Operator:
        durable = require_runs(self._host)
        if self._history is None:
            raise Problem(404, "This server keeps no history.")
        loop = asyncio.get_running_loop()

        def wake(_: RunState) -> None:
            loop.call_soon_threadsafe(durable.wake)

        return Operator(
            self._history,
            durable.store,
            _who(call, body),
            self._target,
            rehearsal(self._workflow, self._host.secrets),
            wake,
        )

    def _target(self, workflow: str, revision: str | None) -> Target | None:
        loaded = self._host.registry.workflows.get(workflow)
        if loaded is not None:
            target = Target.of(loaded.manifest)._replace(revision=loaded.workflow.revision)
            if target.revision.startswith(revision or ""):
                return target
        durable = self._host.durable
        if revision is None or durable is None:
            return None
        found = durable.versions.find(workflow, revision)
        if found is None:
            return None
        return Target(workflow, found.revision, found.settings.durable, {})

    def _workflow(self, target: Target) -> Workflow | None:
        loaded = self._host.registry.workflows.get(target.workflow)
        if loaded is not None and loaded.workflow.revision == target.revision:
            return loaded.workflow
        durable = self._host.durable
        return None if durable is None else durable.versions.find(target.workflow, target.revision)


_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "cancel": ("reason",),
    "discard": ("reason",),
    "migrate": ("to",),
}
"""Members of a bulk request that are arguments of the operation."""


def _who(call: Call, body: Mapping[str, Any]) -> str:
    """The name under which a caller's operations are noted down: what it calls itself, and where
    it comes from."""
    name = typed(body, "by", str, "")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Problem(400, f"`by` must be at most {LONGEST_NAME} readable characters.")
    return f"{name} (API, {call.client})" if name else f"API, {call.client}"


def _edited(body: Mapping[str, Any]) -> Edited | None:
    return Edited(body["input"]) if "input" in body else None


def _note(execution: Execution, entry: dict[str, object]) -> None:
    """Notes down what is done to an execution that this server runs."""
    if isinstance(execution, DurableExecution):
        execution.state.audit = (*execution.state.audit, entry)
    else:
        known: list[Any] = json.loads(execution.record.audit or "[]")
        execution.record.audit = json.dumps([*known, entry])


def _filter(action: str, body: Mapping[str, Any]) -> Filter:
    names = ("workflow", "status", "since", "until", "errorCode", "parent")
    given = checked_object(body.get("filter") or {}, names, "`filter`")
    ids: Any = body.get("ids")
    if ids is not None and not _is_texts(ids):
        raise Problem(400, "`ids` must be a list of ids.")
    if ids is None and not given and body.get("all") is not True:
        raise Problem(400, "Give `ids`, a `filter`, or `all`: true.")
    allowed = ACTIONS[action].statuses
    statuses: Any = given.get("status") or []
    statuses = [statuses] if isinstance(statuses, str) else statuses
    if not _is_texts(statuses) or not set(statuses) <= {each.value for each in allowed}:
        raise Problem(400, f"`status` may be {', '.join(allowed)}.")
    return Filter(
        workflow=typed(given, "workflow", str),
        statuses=tuple(RunStatus(each) for each in statuses) or allowed,
        since=typed(given, "since", float),
        until=typed(given, "until", float),
        error_code=typed(given, "errorCode", str),
        ids=None if ids is None else tuple(ids),
        parent=typed(given, "parent", str),
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)  # pyright: ignore


async def _told(operation: Callable[..., T], *args: Any, **options: Any) -> T:
    """What an operation gives, done in a thread.

    Raises:
        Problem: why it was refused.
    """
    try:
        return await asyncio.to_thread(operation, *args, **options)
    except InputError as error:
        raise Problem(400, error.message, problems=error.details) from None
    except NodegxError as error:
        if error.retriable:
            raise Problem(503, error.message, headers={"retry-after": RETRY_AFTER}) from None
        status = 404 if error.code == UNKNOWN else 409
        raise Problem(status, error.message, code=error.code) from None
