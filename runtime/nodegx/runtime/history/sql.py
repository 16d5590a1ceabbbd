"""Executions in a SQL database."""

# ruff: noqa: S608 - statements hold words of this module and the dialect; values are bound

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nodegx.runtime.database.base import BATCH, Database, Session, batches, marks

from .metrics import HOUR, HourlyMetrics, roll_up
from .packing import pack, unpack
from .record import GOING_ON, ExecutionRecord, Status
from .sketch import Sketch
from .store import INTERRUPTED_ERROR, Page, Query, ascii_text, decode_cursor, encode_cursor

_COLUMNS = (
    "id, workflow, trigger_node, status, started, finished, parent, revision, host,"
    " input, output, error, steps, durable, audit, fence"
)
_LISTED = (
    "id, workflow, trigger_node, status, started, finished, parent, revision, host,"
    " NULL, NULL, error, NULL, durable, audit, fence"
)
_INSERT = f"INSERT INTO executions ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_START = (
    f"{_INSERT} ON CONFLICT (id) DO UPDATE SET status = excluded.status, started = excluded.started,"
    " revision = excluded.revision, host = excluded.host, input = excluded.input,"
    " durable = excluded.durable, fence = excluded.fence WHERE executions.status = 'queued'"
)
_FINISH = (
    f"{_INSERT} ON CONFLICT (id) DO UPDATE SET status = excluded.status, finished = excluded.finished,"
    " revision = excluded.revision, host = excluded.host, input = excluded.input,"
    " output = excluded.output, error = excluded.error, steps = excluded.steps,"
    " durable = excluded.durable, audit = excluded.audit, fence = excluded.fence"
)
_METRICS = "workflow, hour, count, success, error, total, sketch"
_COUNT = f"INSERT INTO metrics ({_METRICS}) VALUES (?,?,?,?,?,?,?) ON CONFLICT (hour, workflow) DO"
_COUNT_FIRST = f"{_COUNT} NOTHING"
_COUNT_MORE = (
    f"{_COUNT} UPDATE SET count = excluded.count, success = excluded.success,"
    " error = excluded.error, total = excluded.total, sketch = excluded.sketch"
)
_GOING_ON = ", ".join(f"'{status.value}'" for status in GOING_ON)
_INTERRUPTIBLE = "status = 'running' AND status <> 'success' AND durable = 0"
"""What a dead process leaves behind; `<>` names the partial index, here and below."""


class SqlHistory:
    """A `HistoryStore` in a SQL database.

    Args:
        database: where; its tables are made or brought up to date by whoever gives it.
        host: name under which this process's executions are recorded.
    """

    def __init__(self, database: Database, host: str) -> None:
        self.host = host
        self._database = database

    # --- writing -------------------------------------------------------------------------------

    def write(
        self,
        started: Sequence[ExecutionRecord],
        finished: Sequence[ExecutionRecord],
        *,
        synced: bool = False,
    ) -> None:
        """See `HistoryStore`."""
        starts = [_row(record) for record in started]
        with self._database.transaction(synced=synced) as session:
            if starts:
                session.executemany(_START, starts)
            if finished:
                ended, fences = self._known(session, finished)
                valid = [each for each in finished if each.fence >= fences.get(each.id, 0)]
                session.executemany(_FINISH, [_row(record) for record in valid])
                self._count(session, roll_up(_newly_ended(valid, ended)))

    def delete(self, ids: Sequence[str]) -> int:
        """See `HistoryStore`."""
        removed = 0
        with self._database.transaction() as session:
            for part in batches(ids):
                removed += session.execute(
                    f"DELETE FROM executions WHERE id IN ({marks(part)})",
                    part,
                ).rowcount
        return removed

    def prune(self, before: float, *, workflow: str | None = None) -> int:
        """See `HistoryStore`."""
        condition = (
            f"started < ? AND coalesce(finished, started) < ? AND status NOT IN ({_GOING_ON})"
        )
        values: list[Any] = [before, before]
        if workflow is not None:
            condition += " AND workflow = ?"
            values.append(workflow)
        removed = 0
        while True:
            with self._database.transaction() as session:
                count = session.execute(
                    f"DELETE FROM executions WHERE id IN"
                    f" (SELECT id FROM executions WHERE {condition} LIMIT {BATCH})",
                    values,
                ).rowcount
            removed += count
            if count < BATCH:
                return removed

    def mark_interrupted(self, host: str) -> int:
        """See `HistoryStore`."""
        with self._database.transaction() as session:
            rows = session.execute(
                f"SELECT {_LISTED} FROM executions"
                f" WHERE {_INTERRUPTIBLE} AND host = ? ORDER BY id{self._database.dialect.lock}",
                (host,),
            ).fetchall()
            records = [_record(row) for row in rows]
            for record in records:
                record.status = Status.INTERRUPTED
            if records:
                session.executemany(
                    "UPDATE executions SET status = 'interrupted', error = ? WHERE id = ?",
                    [(INTERRUPTED_ERROR, record.id) for record in records],
                )
            self._count(session, roll_up(records))
        return len(records)

    def _known(
        self, session: Session, records: Sequence[ExecutionRecord]
    ) -> tuple[set[str], dict[str, int]]:
        """Which of these executions are recorded as ended already, and the fences of those that
        have one. Keeps others from writing them meanwhile."""
        ended: set[str] = set()
        fences: dict[str, int] = {}
        for part in batches([record.id for record in records]):
            rows = session.execute(
                f"SELECT id, status, fence FROM executions WHERE id IN ({marks(part)})"
                f" ORDER BY id{self._database.dialect.lock}",
                part,
            ).fetchall()
            ended.update([id for id, status, _ in rows if status not in GOING_ON])
            fences.update([(id, fence) for id, _, fence in rows if fence])
        return ended, fences

    def _count(self, session: Session, counts: Sequence[HourlyMetrics]) -> None:
        select = (
            f"SELECT {_METRICS} FROM metrics WHERE hour = ? AND workflow = ?"
            f"{self._database.dialect.lock}"
        )
        for hourly in counts:
            place = (hourly.hour, hourly.workflow)
            row = session.execute(select, place).fetchone()
            if row is None:
                if session.execute(_COUNT_FIRST, _metrics_row(hourly)).rowcount:
                    continue
                row = session.execute(select, place).fetchone()  # another host was quicker
            hourly.merge(_metrics(row))
            session.execute(_COUNT_MORE, _metrics_row(hourly))

    # --- reading -------------------------------------------------------------------------------

    def get(self, id: str) -> ExecutionRecord | None:
        """See `HistoryStore`."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM executions WHERE id = ?",
            [id],
        )
        return _record(rows[0]) if rows else None

    def list(self, query: Query, *, limit: int = 50, cursor: str | None = None) -> Page:
        """See `HistoryStore`."""
        after = decode_cursor(cursor) if cursor is not None else None
        records = self._select(_LISTED, query, limit + 1, after)
        more = len(records) > limit
        records = records[:limit]
        last = records[-1] if more and records else None
        return Page(records, encode_cursor(last.started, last.id) if last else None)

    def export(self, query: Query) -> Iterator[ExecutionRecord]:
        """See `HistoryStore`."""
        after: tuple[float, str] | None = None
        while records := self._select(_COLUMNS, query, 100, after):
            yield from records
            after = (records[-1].started, records[-1].id)

    def running_hosts(self) -> list[str]:
        """See `HistoryStore`."""
        rows = self._database.read(
            f"SELECT DISTINCT host FROM executions WHERE {_INTERRUPTIBLE} ORDER BY host"
        )
        return [row[0] for row in rows]

    def metrics(
        self, *, workflow: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[HourlyMetrics]:
        """See `HistoryStore`."""
        conditions, values = ["1 = 1"], list[Any]()
        for condition, value in (
            ("workflow = ?", workflow),
            ("hour >= ?", since),
            ("hour < ?", until),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        rows = self._database.read(
            f"SELECT {_METRICS} FROM metrics"
            f" WHERE {' AND '.join(conditions)} ORDER BY hour, workflow",
            values,
        )
        return [_metrics(row) for row in rows]

    def close(self) -> None:
        """See `HistoryStore`."""
        self._database.close()

    def _select(
        self, columns: str, query: Query, limit: int, after: tuple[float, str] | None
    ) -> list[ExecutionRecord]:
        condition, values = self._where(query)
        if after is not None:
            condition += " AND (started, id) < (?, ?)"
            values.extend(after)
        rows = self._database.read(
            f"SELECT {columns} FROM executions WHERE {condition}"
            " ORDER BY started DESC, id DESC LIMIT ?",
            [*values, limit],
        )
        return [_record(row) for row in rows]

    def _where(self, query: Query) -> tuple[str, list[Any]]:
        conditions, values = ["1 = 1"], list[Any]()
        for condition, value in (
            ("workflow = ?", query.workflow),
            ("started >= ?", query.since),
            ("started < ?", query.until),
            ("parent = ?", query.parent),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if query.statuses:
            conditions.append(f"status IN ({marks(query.statuses)})")
            values.extend(status.value for status in query.statuses)
            if Status.SUCCESS not in query.statuses:
                conditions.append("status <> 'success'")
        if query.text:
            raw, quoted = _like(query.text), _like(ascii_text(query.text))
            like = self._database.dialect.like
            columns = {
                "id": raw,
                "workflow": raw,
                "input": quoted,
                "output": quoted,
                "error": quoted,
            }
            conditions.append(f"({' OR '.join(like.format(column) for column in columns)})")
            values.extend(columns.values())
        return " AND ".join(conditions), values


def _newly_ended(records: Sequence[ExecutionRecord], ended: set[str]) -> Iterator[ExecutionRecord]:
    """Those of the records that end what had not ended; one may go on and end again."""
    for record in records:
        if not record.status.ended:
            ended.discard(record.id)
        elif record.id not in ended:
            ended.add(record.id)
            yield record


def _like(text: str) -> str:
    lower = "".join([c.lower() if c.isascii() else c for c in text])
    return "%" + lower.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"


def _row(record: ExecutionRecord) -> tuple[Any, ...]:
    return (
        record.id,
        record.workflow,
        record.trigger,
        record.status.value,
        record.started,
        record.finished,
        record.parent,
        record.revision,
        record.host,
        record.input,
        record.output,
        record.error,
        pack(record.steps),
        int(record.durable),
        record.audit,
        record.fence,
    )


def _record(row: Sequence[Any]) -> ExecutionRecord:
    return ExecutionRecord(
        id=row[0],
        workflow=row[1],
        trigger=row[2],
        status=Status(row[3]),
        started=row[4],
        finished=row[5],
        parent=row[6],
        revision=row[7],
        host=row[8],
        input=row[9],
        output=row[10],
        error=row[11],
        steps=unpack(row[12]),
        durable=bool(row[13]),
        audit=row[14],
        fence=row[15],
    )


def _metrics_row(hourly: HourlyMetrics) -> tuple[Any, ...]:
    return (
        hourly.workflow,
        hourly.hour,
        hourly.count,
        hourly.success,
        hourly.error,
        hourly.total,
        hourly.sketch.dump(),
    )


def _metrics(row: Sequence[Any]) -> HourlyMetrics:
    workflow, hour, count, success, error, total, sketch = row
    assert hour % HOUR == 0
    return HourlyMetrics(workflow, hour, count, success, error, total, Sketch.load(sketch))
