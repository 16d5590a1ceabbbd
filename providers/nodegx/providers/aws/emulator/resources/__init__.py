"""The types of resources that the emulated cloud has, by their tokens."""

from __future__ import annotations

from collections.abc import Mapping

from nodegx.providers.aws.emulator.resource import Resource

from . import (
    alarms,
    buckets,
    budgets,
    domains,
    events,
    function_aliases,
    function_events,
    functions,
    http_apis,
    logs,
    queues,
    roles,
    scaling,
    schedules,
    secrets,
    tables,
    topics,
)

_MODULES = (
    *(alarms, buckets, budgets, domains, events, function_aliases, function_events, functions),
    *(http_apis, logs),
    *(queues, roles, scaling, schedules, secrets, tables, topics),
)

RESOURCES: Mapping[str, type[Resource]] = {
    kind.type: kind for module in _MODULES for kind in module.TYPES
}
"""Every type, by its token such as `aws:sqs/queue:Queue`."""
