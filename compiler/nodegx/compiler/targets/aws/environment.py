"""Environment variables of functions: all that the runtime knows of its deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .names import Place
from .plan import Function, QueueTrigger, RecordTrigger, Trigger

MAX_BYTES = 4096
"""Bytes that Lambda allows for all names and values together."""


def environment(
    function: Function,
    place: Place,
    *,
    vars: Mapping[str, Any],
    env: Mapping[str, str] | None = None,
    revision: str = "",
    retention_days: int = 30,
) -> dict[str, str]:
    """A function's variables, but for `NODEGX_SECRETS` and `NODEGX_URL`: secrets have ARNs, and the
    HTTP API has an address, only once they exist.

    Args:
        function: whose.
        place: where.
        vars: values of the project's variables; those the function reads are taken.
        env: values of environment variables that workflows may read; likewise.
        revision: hash of the workflow, for its history.
        retention_days: days for which executions are kept, unless the function has its own.
    """
    found = {"NODEGX_PROJECT": place.names.project, "NODEGX_STACK": place.names.stack}
    if revision:
        found["NODEGX_REVISION"] = revision
    if function.history:
        found["NODEGX_HISTORY_TABLE"] = place.names.history
        found["NODEGX_DATA_BUCKET"] = place.data_bucket_name
        found["NODEGX_RETENTION_DAYS"] = str(function.retention_days or retention_days)
    if function.keys:
        found["NODEGX_KEYS_TABLE"] = place.names.history
    if function.is_woken:
        found |= _woken(function, place)
        found.setdefault("NODEGX_RETENTION_DAYS", str(function.retention_days or retention_days))
    if function.emits:
        found["NODEGX_EVENT_BUS"] = place.names.shared
    if function.vars:
        found["NODEGX_VARS"] = _json({name: vars[name] for name in function.vars if name in vars})
    if function.calls:
        aliases = {name: place.alias(slug) for name, slug in function.calls.items()}
        found["NODEGX_FUNCTIONS"] = _json(aliases)
    watched = {
        trigger.node: arn for trigger in function.triggers if (arn := _watched(trigger, place))
    }
    if len(watched) > 1:  # where there is one, it is the one
        found["NODEGX_SOURCES"] = _json(watched)
    given = {name: value for name, value in (env or {}).items() if name in function.env}
    if given:
        found["NODEGX_ENV"] = _json(sorted(given))
    return {**given, **found}


def _woken(function: Function, place: Place) -> dict[str, str]:
    """What a function needs to be told whose executions may go on in another invocation."""
    names = place.names
    wakes = {
        "group": names.shared,
        "role": place.role(names.scheduler),
        "prefix": names.wake(function.slug),
        "dead_letters": place.dead_letters(function.slug),
    }
    found = {
        "NODEGX_RUNS_TABLE": names.history,
        "NODEGX_DATA_BUCKET": place.data_bucket_name,
        "NODEGX_WAKES": _json(wakes),
    }
    if function.calls_durable:
        found["NODEGX_DURABLE"] = _json(sorted(function.calls_durable))
    return found


def size(variables: Mapping[str, str]) -> int:
    """Bytes that Lambda counts."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())


def _watched(trigger: Trigger, place: Place) -> str | None:
    """What a trigger takes records from, as batches of it name their source."""
    if isinstance(trigger, QueueTrigger):
        return place.queue(trigger.queue)
    return place.table(trigger.table) if isinstance(trigger, RecordTrigger) else None


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
