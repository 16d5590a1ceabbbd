"""What is known of unfinished executions in a SQL database."""

# ruff: noqa: S608 - statements hold words of this module and the dialect; values are bound

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Any

from nodegx.runtime.database.base import Database, batches, marks

from .rows import ENTRY, RUN, entry_of, run_state
from .state import RunState, RunStatus
from .store import Kept, RunQuery


class SqlRunsReader:
    """The half of a `RunStore` that only reads.

    Args:
        database: where its tables are.
        host: name under which this process claims executions.
        shared_clock: whether the database has a clock of its own that says when executions are
            due; otherwise whoever claims says so.
    """

    def __init__(self, database: Database, host: str, *, shared_clock: bool) -> None:
        self.host = host
        self._database = database
        self._shared_clock = shared_clock
        self._now = database.dialect.now

    def next_due(self) -> float | None:
        """See `RunStore`; on this machine's clock. Does not tell when other hosts' leases end."""
        rows = [
            *self._database.read(
                f"SELECT due, {self._now} FROM runs"
                " WHERE status = 'waiting' AND due IS NOT NULL ORDER BY due LIMIT 1"
            ),
            *self._database.read(
                f"SELECT started, {self._now} FROM runs"
                " WHERE status = 'queued' ORDER BY started LIMIT 1"
            ),
        ]
        ahead = time() - rows[0][1] if rows and self._shared_clock else 0.0
        return min((row[0] + ahead for row in rows), default=None)

    def cancels(self) -> list[RunState]:
        """See `RunStore`."""
        return self._select("owner = ? AND cancel IS NOT NULL ORDER BY id", [self.host])

    def load(self, id: str) -> Kept | None:
        """See `RunStore`."""
        states = self._select("id = ?", [id])
        if not states:
            return None
        rows = self._database.read(
            f"SELECT {ENTRY} FROM entries WHERE run = ? ORDER BY number, started, key",
            [id],
        )
        return Kept(states[0], [entry_of(row) for row in rows])

    def list(
        self, query: RunQuery, *, limit: int = 100, after: str | None = None
    ) -> list[RunState]:
        """See `RunStore`."""
        conditions, values = ["1 = 1"], list[Any]()
        for condition, value in (
            ("workflow = ?", query.workflow),
            ("started >= ?", query.since),
            ("started < ?", query.until),
            ("parent = ?", query.parent),
            ("id > ?", after),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if query.statuses:
            conditions.append(f"status IN ({marks(query.statuses)})")
            values.extend(status.value for status in query.statuses)
        where = " AND ".join(conditions)
        if not query.ids:
            return self._select(f"{where} ORDER BY id LIMIT ?", [*values, limit])
        found: list[RunState] = []
        for part in batches(sorted(set(query.ids))):
            if len(found) < limit:
                found += self._select(
                    f"{where} AND id IN ({marks(part)}) ORDER BY id LIMIT ?",
                    [*values, *part, limit - len(found)],
                )
        return found

    def counts(self) -> dict[RunStatus, int]:
        """See `RunStore`."""
        rows = self._database.read("SELECT status, count(*) FROM runs GROUP BY status")
        return {**dict.fromkeys(RunStatus, 0), **{RunStatus(name): count for name, count in rows}}

    def revisions(self) -> set[tuple[str, str]]:
        """See `RunStore`."""
        rows = self._database.read("SELECT DISTINCT workflow, revision FROM runs")
        return {(workflow, revision) for workflow, revision in rows}

    def _select(self, condition: str, values: Sequence[Any]) -> list[RunState]:
        rows = self._database.read(f"SELECT {RUN} FROM runs WHERE {condition}", values)
        return [run_state(row) for row in rows]
