"""What a function's environment variables say, read once per process."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple


class Environment(NamedTuple):
    """The deployment as a function sees it; the infrastructure sets each variable.

    Args:
        project: name of the project (`NODEGX_PROJECT`).
        stack: name of the stack (`NODEGX_STACK`).
        history_table: DynamoDB table of the history (`NODEGX_HISTORY_TABLE`), None for no history.
        keys_table: DynamoDB table of idempotency keys (`NODEGX_KEYS_TABLE`), None where no trigger
            has some.
        bucket: S3 bucket for what fits no item (`NODEGX_DATA_BUCKET`).
        event_bus: EventBridge bus for internal events (`NODEGX_EVENT_BUS`).
        vars: the project's variables (`NODEGX_VARS`, JSON).
        env: environment variables that workflows may read (named by `NODEGX_ENV`, a JSON list).
        secrets: secret name -> ARN in Secrets Manager (`NODEGX_SECRETS`, JSON).
        functions: workflow name -> ARN of its alias (`NODEGX_FUNCTIONS`, JSON).
        sources: trigger id -> ARN of the queue, stream or table that it watches
            (`NODEGX_SOURCES`, JSON); only needed where a workflow has several such triggers.
        retention_days: how long executions are kept (`NODEGX_RETENTION_DAYS`).
        revision: what was deployed (`NODEGX_REVISION`).
        log_level: the least level that is logged (`NODEGX_LOG_LEVEL`).
        notes: folder for notes from one process to the next; on a machine that stands in for
            Lambda, other functions and deployments have theirs elsewhere.
    """

    project: str
    stack: str
    history_table: str | None
    keys_table: str | None
    bucket: str | None
    event_bus: str | None
    vars: Mapping[str, Any]
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    functions: Mapping[str, str]
    sources: Mapping[str, str]
    retention_days: int
    revision: str
    log_level: str
    notes: str

    @classmethod
    def read(cls, env: Mapping[str, str] | None = None) -> Environment:
        """Reads the variables of this process, or of `env`. Empty ones count as missing."""
        given = {name: value for name, value in (env or os.environ).items() if value}
        names: list[str] = json.loads(given.get("NODEGX_ENV", "[]"))
        return cls(
            project=given.get("NODEGX_PROJECT", ""),
            stack=given.get("NODEGX_STACK", ""),
            history_table=given.get("NODEGX_HISTORY_TABLE"),
            keys_table=given.get("NODEGX_KEYS_TABLE"),
            bucket=given.get("NODEGX_DATA_BUCKET"),
            event_bus=given.get("NODEGX_EVENT_BUS"),
            vars=json.loads(given.get("NODEGX_VARS", "{}")),
            env={name: given[name] for name in names if name in given},
            secrets=json.loads(given.get("NODEGX_SECRETS", "{}")),
            functions=json.loads(given.get("NODEGX_FUNCTIONS", "{}")),
            sources=json.loads(given.get("NODEGX_SOURCES", "{}")),
            retention_days=int(given.get("NODEGX_RETENTION_DAYS", "30")),
            revision=given.get("NODEGX_REVISION", ""),
            log_level=given.get("NODEGX_LOG_LEVEL", "info").lower(),
            notes=_notes(given),
        )


def _notes(env: Mapping[str, str]) -> str:
    names = ("AWS_LAMBDA_FUNCTION_NAME", "NODEGX_HISTORY_TABLE", "AWS_ENDPOINT_URL")
    place = "\n".join(env.get(name, "") for name in names)
    return f"{env.get('TMPDIR', '/tmp')}/nodegx-{zlib.crc32(place.encode()):08x}"  # noqa: S108
