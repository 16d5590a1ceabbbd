"""Endpoints that look at executions: the history, and what has not ended or has failed."""

from __future__ import annotations

import asyncio
from typing import Any

from nodegx.runtime.durable.operations import Filter, find
from nodegx.runtime.durable.operations.shown import run_data, run_detail
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.history.record import Status
from nodegx.runtime.history.store import HistoryStore, Query
from nodegx.runtime.triggers.problem import Problem

from .durable import DurableRuns
from .endpoints import Answer, Call, Endpoints
from .host import ServerHost
from .present import detail, summary


class ExecutionEndpoints:
    """Shows executions.

    Args:
        host: what runs them.
        history: where they are recorded; None where none is kept.
    """

    def __init__(self, host: ServerHost, history: HistoryStore | None) -> None:
        self._host = host
        self._history = history

    @property
    def endpoints(self) -> Endpoints:
        """What it answers."""
        return (
            ("GET", "/executions", self._executions),
            ("GET", "/executions/{id}", self._execution),
            ("GET", "/runs", self._runs),
            ("GET", "/runs/{id}", self._run),
            ("GET", "/dead-letters", self._dead_letters),
        )

    async def _executions(self, call: Call) -> Answer:
        history = self._require_history()
        query = call.query
        try:
            wanted = Query(
                workflow=query.get("workflow"),
                statuses=tuple(Status(name) for name in _several(query, "status")),
                since=_number(query, "since"),
                until=_number(query, "until"),
                parent=query.get("parent"),
                text=query.get("text"),
            )
            page = await asyncio.to_thread(
                history.list, wanted, limit=call.limit(), cursor=query.get("cursor")
            )
        except (ValueError, TypeError) as exc:
            raise Problem(400, f"The query cannot be used: {exc}.") from None
        return Answer(
            {"executions": [summary(record) for record in page.records], "cursor": page.cursor}
        )

    async def _execution(self, call: Call) -> Answer:
        history = self._require_history()
        record = await asyncio.to_thread(history.get, call.params["id"])
        if record is None:
            raise Problem(404, "There is no execution of that id.")
        return Answer(detail(record))

    async def _runs(self, call: Call) -> Answer:
        try:
            statuses = tuple(RunStatus(name) for name in _several(call.query, "status"))
        except ValueError as exc:
            raise Problem(400, f"The query cannot be used: {exc}.") from None
        return await self._list(call, statuses)

    async def _dead_letters(self, call: Call) -> Answer:
        return await self._list(call, (RunStatus.FAILED,))

    async def _list(self, call: Call, statuses: tuple[RunStatus, ...]) -> Answer:
        durable = require_runs(self._host)
        query = call.query
        try:
            wanted = Filter(
                workflow=query.get("workflow"),
                statuses=statuses,
                since=_number(query, "since"),
                until=_number(query, "until"),
                error_code=query.get("errorCode"),
                parent=query.get("parent"),
            )
            limit = call.limit()
        except (ValueError, TypeError) as exc:
            raise Problem(400, f"The query cannot be used: {exc}.") from None
        found, cursor = await durable.writer.do(
            find, durable.store, wanted, limit=limit, after=query.get("cursor")
        )
        counts = await durable.writer.do(durable.store.counts)
        return Answer(
            {
                "runs": [run_data(state) for state in found],
                "cursor": cursor,
                "counts": {status.value: counts.get(status, 0) for status in RunStatus},
            }
        )

    async def _run(self, call: Call) -> Answer:
        durable = require_runs(self._host)
        kept = await durable.writer.do(durable.store.load, call.params["id"])
        if kept is None:
            raise Problem(404, "No execution of that id waits, runs or has failed.")
        return Answer(run_detail(kept))

    def _require_history(self) -> HistoryStore:
        if self._history is None:
            raise Problem(404, "This server keeps no history.")
        return self._history


def require_runs(host: ServerHost) -> DurableRuns:
    """What keeps the executions of a server that have not ended.

    Raises:
        Problem: 404; nothing does.
    """
    if host.durable is None:
        raise Problem(404, "This server keeps no executions.")
    return host.durable


def _several(query: Any, name: str) -> list[str]:
    """The values of a parameter that may be given several times."""
    given = query.get(name, [])
    return [given] if isinstance(given, str) else given


def _number(query: Any, name: str) -> float | None:
    return float(query[name]) if name in query else None
