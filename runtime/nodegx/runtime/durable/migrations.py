"""The schema of the store of executions, as numbered steps that are never changed, only added to."""

from __future__ import annotations

from nodegx.runtime.database.base import Schema

RUNS = Schema(
    "run_migrations",
    (
        (
            """
            CREATE TABLE runs (
                id {text} NOT NULL PRIMARY KEY,
                workflow {text} NOT NULL,
                revision {text} NOT NULL,
                trigger_node {text} NOT NULL,
                trigger_type {text} NOT NULL,
                started DOUBLE PRECISION NOT NULL, -- seconds since the epoch, as all times here
                status {text} NOT NULL,
                durable INTEGER NOT NULL,
                secret {text} NOT NULL,
                parent {text},
                parent_step {text},
                depth INTEGER NOT NULL,
                owner {text},
                fence BIGINT NOT NULL,
                due DOUBLE PRECISION,
                replied INTEGER NOT NULL,
                failures INTEGER NOT NULL,
                updated DOUBLE PRECISION NOT NULL,
                cancel {text},
                waits {text} NOT NULL, -- JSON
                audit {text} NOT NULL, -- JSON
                error {text}, -- JSON
                vars {text},
                input {text} NOT NULL
            )
            """,
            "CREATE INDEX runs_queued ON runs (started, id) WHERE status = 'queued'",
            """
            CREATE INDEX runs_due ON runs (due, id)
            WHERE status = 'waiting' AND due IS NOT NULL
            """,
            "CREATE INDEX runs_owned ON runs (owner, id) WHERE status = 'running'",
            "CREATE INDEX runs_cancelled ON runs (owner, id) WHERE cancel IS NOT NULL",
            "CREATE INDEX runs_by_workflow ON runs (workflow, id)",
            # Not (status, id), which would look better to SQLite than those above.
            "CREATE INDEX runs_statuses ON runs (id, status)",
            "CREATE INDEX runs_by_parent ON runs (parent, id) WHERE parent IS NOT NULL",
            """
            CREATE TABLE entries (
                run {text} NOT NULL,
                key {text} NOT NULL,
                kind {text} NOT NULL,
                number INTEGER NOT NULL,
                digest {text} NOT NULL,
                place {text} NOT NULL,
                started DOUBLE PRECISION NOT NULL,
                duration DOUBLE PRECISION NOT NULL, -- seconds
                attempts INTEGER NOT NULL,
                value {text} NOT NULL,
                PRIMARY KEY (run, key)
            )
            """,
            "CREATE INDEX entries_answers ON entries (run, key) WHERE kind = 'answer'",
            """
            CREATE TABLE moments (
                schedule {text} NOT NULL,
                moment DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (schedule, moment)
            )
            """,
        ),
    ),
)
