"""Unfinished executions in a SQL database."""

# ruff: noqa: S608 - statements hold words of this module and the dialect; values are bound

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nodegx.runtime.database.base import BATCH, Database, Session, batches, marks
from nodegx.runtime.database.hosts import Leases, host_id

from .rows import ENTRY, GIVEN, RUN, dump, entry_row, run_row, run_state
from .sql_reads import SqlRunsReader
from .state import RunState, RunStatus, Wait
from .store import Append, Change, Fail, Finish, Fire, Suspend

AT_ONCE = 0.0
"""The `due` of an execution that need not wait any longer."""

_SOME = 25  # rows of one INSERT: statements of that length are prepared once
_COLUMNS = GIVEN.split(", ")
_KEEP = f"INSERT INTO entries ({ENTRY}) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (run, key) DO"
_KEEP_NEW = f"{_KEEP} NOTHING"
_KEEP_ANY = (
    f"{_KEEP} UPDATE SET kind = excluded.kind, number = excluded.number, digest = excluded.digest,"
    " place = excluded.place, started = excluded.started, duration = excluded.duration,"
    " attempts = excluded.attempts, value = excluded.value WHERE entries.kind <> 'answer'"
)
_MOMENT = "INSERT INTO moments (schedule, moment) VALUES (?, ?) ON CONFLICT DO NOTHING"


class SqlRuns(SqlRunsReader):
    """A `RunStore` in a SQL database.

    A host that claims before it has ever beaten has a first lease of a minute. Left executions are
    claimed before those that are due, and these before queued ones.

    Args:
        database: where; its tables are made or brought up to date by whoever gives it.
        host: name under which this process claims executions.
        shared_clock: whether the database has a clock of its own that says when executions are
            due; otherwise whoever claims says so.
    """

    def __init__(self, database: Database, host: str, *, shared_clock: bool) -> None:
        super().__init__(database, host, shared_clock=shared_clock)
        self._leases = Leases(database)
        self._lock = database.dialect.lock
        self._entered = False
        self._due = f"due <= {self._now if shared_clock else '?'}"
        self._suspend = (
            "UPDATE runs SET status = 'waiting', owner = NULL, due = ?, waits = ?,"
            f" replied = CASE WHEN ? = 1 THEN 1 ELSE replied END, updated = {self._now}"
            " WHERE id = ?"
        )
        self._fail = (
            "UPDATE runs SET status = 'failed', owner = NULL, due = NULL, waits = '[]', error = ?,"
            " failures = failures + CASE status WHEN 'failed' THEN 0 ELSE 1 END,"
            f" updated = {self._now} WHERE id = ?"
        )

    # --- this host -----------------------------------------------------------------------------

    def beat(self, seconds: float) -> None:
        """See `RunStore`."""
        self._enter()
        with self._database.transaction() as session:
            self._leases.extend(session, self.host, seconds)

    def leave(self) -> None:
        """See `RunStore`."""
        with self._database.transaction() as session:
            self._leases.end(session, self.host)
        self._entered = False
        self.host = host_id()

    def close(self) -> None:
        """See `RunStore`."""
        self._database.close()

    def _enter(self) -> None:
        """This host has a lease from here on."""
        if not self._entered:
            with self._database.transaction() as session:
                self._leases.begin(session, self.host)
            self._entered = True

    def _living(self, session: Session) -> list[str]:
        """The hosts that live, with this one."""
        return [self.host, *self._leases.living(session)]

    # --- new executions ------------------------------------------------------------------------

    def create(self, runs: Sequence[RunState]) -> list[bool]:
        """See `RunStore`."""
        if any(run.owner is not None for run in runs):
            self._enter()
        with self._database.transaction() as session:
            return self._insert(session, runs)

    def fire(self, moments: Sequence[Fire]) -> list[bool]:
        """See `RunStore`."""
        if any(each.run.owner is not None for each in moments):
            self._enter()
        new = [False] * len(moments)
        # In one order, so that hosts that fire the same moments do not wait for one another.
        order = sorted(range(len(moments)), key=lambda index: moments[index][:2])
        with self._database.transaction() as session:
            for index in order:
                new[index] = session.execute(_MOMENT, moments[index][:2]).rowcount > 0
            fired = [each.run for each, is_new in zip(moments, new, strict=True) if is_new]
            self._insert(session, fired)
        return new

    def _insert(self, session: Session, runs: Sequence[RunState]) -> list[bool]:
        made: set[str] = set()
        row = f"({marks(_COLUMNS)}, {self._now})"
        for start in range(0, len(runs), _SOME):
            part = runs[start : start + _SOME]
            rows = session.execute(
                f"INSERT INTO runs ({GIVEN}, updated) VALUES {', '.join([row] * len(part))}"
                " ON CONFLICT DO NOTHING RETURNING id",
                [value for run in part for value in run_row(run)],
            ).fetchall()
            made.update([row[0] for row in rows])
        results: list[bool] = []
        for run in runs:
            results.append(run.id in made)
            made.discard(run.id)  # of two with the same id the first was made
        return results

    # --- what owners write ---------------------------------------------------------------------

    def change(self, changes: Sequence[Change]) -> list[bool]:
        """See `RunStore`."""
        results: list[bool] = []
        entries: list[tuple[Any, ...]] = []
        ends: dict[str, Suspend | Fail | Finish] = {}
        with self._database.transaction() as session:
            known = self._fences(session, {change.id for change in changes})
            for change in changes:
                results.append(known.get(change.id) == change.fence)
                if not results[-1]:
                    continue
                if isinstance(change, Finish):
                    del known[change.id]
                else:
                    entries.extend([entry_row(change.id, entry) for entry in change.entries])
                if not isinstance(change, Append):
                    ends[change.id] = change
            finished = {id for id, end in ends.items() if isinstance(end, Finish)}
            entries = [row for row in entries if row[0] not in finished]
            if entries:
                session.executemany(_KEEP_ANY, entries)
            self._remove(session, list(finished))
            self._apply(session, self._fail, [
                (end.error, end.id) for end in ends.values() if isinstance(end, Fail)
            ])  # fmt: skip
            self._apply_suspensions(
                session, [end for end in ends.values() if isinstance(end, Suspend)]
            )
        return results

    def _fences(self, session: Session, ids: Iterable[str]) -> dict[str, int]:
        """The fences of executions that no other host has. Nobody changes them meanwhile."""
        found: dict[str, int] = {}
        for part in batches(sorted(ids)):
            rows = session.execute(
                f"SELECT id, fence, owner FROM runs WHERE id IN ({marks(part)})"
                f" ORDER BY id{self._lock}",
                part,
            ).fetchall()
            found.update([(id, fence) for id, fence, owner in rows if owner in (None, self.host)])
        return found

    def _apply(self, session: Session, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            session.executemany(sql, rows)

    def _apply_suspensions(self, session: Session, suspensions: Sequence[Suspend]) -> None:
        ready = self._ready(session, {each.id: each.waits for each in suspensions})
        rows = [
            (
                AT_ONCE if each.id in ready else _due(each),
                dump(each.waits),
                int(each.replied),
                each.id,
            )
            for each in suspensions
        ]
        self._apply(session, self._suspend, rows)

    def _ready(self, session: Session, waits: Mapping[str, Sequence[Wait]]) -> set[str]:
        """Those of the executions that are about to wait for what has come already: an answer, or
        the wish to cancel them."""
        found: set[str] = set()
        for part in batches(list(waits)):
            ids = marks(part)
            answers = session.execute(
                f"SELECT run, key FROM entries WHERE kind = 'answer' AND run IN ({ids})",
                part,
            ).fetchall()
            found.update([id for id, key in answers if _waits_for(waits[id], key)])
            cancelled = session.execute(
                f"SELECT id FROM runs WHERE cancel IS NOT NULL AND id IN ({ids})",
                part,
            ).fetchall()
            found.update([row[0] for row in cancelled])
        return found

    # --- claims --------------------------------------------------------------------------------

    def claim(self, limit: int, *, now: float) -> list[RunState]:
        """See `RunStore`. A database with a clock of its own does not ask for `now`."""
        self._enter()
        states: list[RunState] = []
        with self._database.transaction() as session:
            living = self._living(session)
            for condition, values, order in (
                # `coalesce`: to run without an owner is to be left by one.
                (
                    f"status = 'running' AND coalesce(owner, '') NOT IN ({marks(living)})",
                    living,
                    "owner, id",
                ),
                (f"status = 'waiting' AND {self._due}", [now] * self._due.count("?"), "due, id"),
                ("status = 'queued'", [], "started, id"),
            ):
                if limit > len(states):
                    rows = session.execute(
                        f"SELECT {RUN}, {self._now} FROM runs WHERE {condition}"
                        f" ORDER BY {order} LIMIT ?{self._database.dialect.skip}",
                        [*values, limit - len(states)],
                    ).fetchall()
                    states.extend([self._taken(row) for row in rows])
            for part in batches([state.id for state in states]):
                session.execute(
                    "UPDATE runs SET status = 'running', owner = ?, fence = fence + 1,"
                    f" updated = {self._now} WHERE id IN ({marks(part)})",
                    [self.host, *part],
                )
        return states

    def claim_one(
        self, id: str, *, statuses: Sequence[RunStatus], audit: dict[str, object] | None = None
    ) -> RunState | None:
        """See `RunStore`."""
        self._enter()
        with self._database.transaction() as session:
            row = session.execute(
                f"SELECT {RUN}, {self._now} FROM runs WHERE id = ?{self._lock}",
                (id,),
            ).fetchone()
            if row is None:
                return None
            state = run_state(row)
            if state.status not in statuses:
                return None
            if state.status == RunStatus.RUNNING and state.owner in self._living(session):
                return None
            state = self._taken(row)
            if audit is not None:
                state.audit = (*state.audit, audit)
            session.execute(
                "UPDATE runs SET status = 'running', owner = ?, fence = fence + 1, audit = ?,"
                f" updated = {self._now} WHERE id = ?",
                (self.host, dump(state.audit), id),
            )
        return state

    def _taken(self, row: Sequence[Any]) -> RunState:
        """The execution of a row as it is once this host has it."""
        state = run_state(row)
        state.status, state.owner = RunStatus.RUNNING, self.host
        state.fence += 1
        state.updated = row[-1]
        return state

    # --- people --------------------------------------------------------------------------------

    def answer(self, id: str, key: str, value: str) -> bool:
        """See `RunStore`."""
        with self._database.transaction() as session:
            row = session.execute(
                f"SELECT status, waits, {self._now} FROM runs WHERE id = ?{self._lock}",
                (id,),
            ).fetchone()
            if row is None:
                return False
            status, waits, now = row
            new = (id, key, "answer", 0, "", "", now, 0.0, 1, value)
            if not session.execute(_KEEP_NEW, new).rowcount:
                return False
            if status == RunStatus.WAITING and any(wait[0] == key for wait in json.loads(waits)):
                self._wake(session, id)
        return True

    def update(self, state: RunState, *, drop: Sequence[str] = ()) -> bool:
        """See `RunStore`. What was added to the audit meanwhile stays."""
        with self._database.transaction() as session:
            row = session.execute(
                f"SELECT fence, owner, audit FROM runs WHERE id = ?{self._lock}",
                (state.id,),
            ).fetchone()
            if row is None or tuple(row[:2]) != (state.fence, self.host):
                return False
            for part in batches(drop):
                session.execute(
                    f"DELETE FROM entries WHERE run = ? AND key IN ({marks(part)})",
                    [state.id, *part],
                )
            values = dict(zip(_COLUMNS, run_row(state), strict=True))
            kept = json.loads(row[2])
            values["audit"] = dump([*kept, *[each for each in state.audit if each not in kept]])
            columns = ", ".join([f"{name} = ?" for name in _COLUMNS])
            session.execute(
                f"UPDATE runs SET {columns}, updated = {self._now} WHERE id = ?",
                [*values.values(), state.id],
            )
            if state.status == RunStatus.WAITING and self._ready(session, {state.id: state.waits}):
                self._wake(session, state.id)
        return True

    def request_cancel(self, id: str, reason: str, audit: dict[str, object]) -> bool:
        """See `RunStore`."""
        with self._database.transaction() as session:
            row = session.execute(
                f"SELECT audit FROM runs WHERE id = ? AND status = 'running'{self._lock}",
                (id,),
            ).fetchone()
            if row is None:
                return False
            session.execute(
                f"UPDATE runs SET cancel = ?, audit = ?, updated = {self._now} WHERE id = ?",
                (reason, dump([*json.loads(row[0]), audit]), id),
            )
        return True

    def _wake(self, session: Session, id: str) -> None:
        session.execute(
            f"UPDATE runs SET due = ?, updated = {self._now} WHERE id = ?",
            (AT_ONCE, id),
        )

    # --- removal -------------------------------------------------------------------------------

    def delete(self, ids: Sequence[str]) -> int:
        """See `RunStore`."""
        with self._database.transaction() as session:
            return self._remove(session, ids)

    def prune(self, before: float) -> int:
        """See `RunStore`."""
        removed = 0
        while True:
            with self._database.transaction() as session:
                rows = session.execute(
                    "SELECT id FROM runs WHERE status = 'failed' AND updated < ?"
                    f" ORDER BY id LIMIT {BATCH}{self._lock}",
                    (before,),
                ).fetchall()
                removed += self._remove(session, [row[0] for row in rows])
                if len(rows) < BATCH:
                    session.execute("DELETE FROM moments WHERE moment < ?", (before,))
                    return removed

    def _remove(self, session: Session, ids: Sequence[str]) -> int:
        removed = 0
        for part in batches(sorted(set(ids))):
            these = marks(part)
            session.execute(
                f"SELECT id FROM runs WHERE id IN ({these}) ORDER BY id{self._lock}",
                part,
            )
            session.execute(f"DELETE FROM entries WHERE run IN ({these})", part)
            removed += session.execute(
                f"DELETE FROM runs WHERE id IN ({these})",
                part,
            ).rowcount
        return removed


def _due(suspension: Suspend) -> float | None:
    if suspension.due is not None:
        return suspension.due
    return min((wait.due for wait in suspension.waits if wait.due is not None), default=None)


def _waits_for(waits: Sequence[Wait], key: str) -> bool:
    return any(wait.key == key for wait in waits)
