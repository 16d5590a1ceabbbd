"""The schema of the history, as numbered steps that are never changed, only added to."""

from __future__ import annotations

from nodegx.runtime.database.base import Schema

HISTORY = Schema(
    "migrations",
    (
        (
            """
            CREATE TABLE executions (
                id {text} NOT NULL PRIMARY KEY,
                workflow {text} NOT NULL,
                trigger_node {text} NOT NULL,
                status {text} NOT NULL,
                started DOUBLE PRECISION NOT NULL, -- seconds since the epoch
                finished DOUBLE PRECISION,
                parent {text},
                revision {text} NOT NULL,
                host {text} NOT NULL,
                input {text}, -- JSON
                output {text}, -- JSON
                error {text}, -- JSON
                steps {blob} -- JSON lines, compressed with zlib
            )
            """,
            "CREATE INDEX executions_by_start ON executions (started, id)",
            "CREATE INDEX executions_by_workflow ON executions (workflow, started, id)",
            """
            CREATE INDEX executions_by_status ON executions (status, started, id)
            WHERE status <> 'success'
            """,
            """
            CREATE INDEX executions_by_parent ON executions (parent, started, id)
            WHERE parent IS NOT NULL
            """,
            """
            CREATE TABLE metrics (
                workflow {text} NOT NULL,
                hour BIGINT NOT NULL, -- its start in seconds since the epoch
                count BIGINT NOT NULL,
                success BIGINT NOT NULL,
                error BIGINT NOT NULL,
                total DOUBLE PRECISION NOT NULL, -- seconds
                sketch {blob} NOT NULL,
                PRIMARY KEY (hour, workflow)
            )
            """,
        ),
        (
            "ALTER TABLE executions ADD COLUMN durable INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE executions ADD COLUMN audit {text}",
        ),
        ("ALTER TABLE executions ADD COLUMN fence BIGINT NOT NULL DEFAULT 0",),
    ),
)
