"""Removes executions when their time is over, and what only they needed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nodegx.runtime.durable.store import RunStore
from nodegx.runtime.history.store import HistoryStore, StoreUnavailable

from .versions import Versions
from .workflows import LoadedWorkflow

log = logging.getLogger("nodegx.server")

INTERVAL = 3600.0  # seconds
DAY = 86400.0  # seconds


def prune(
    store: HistoryStore, workflows: Iterable[LoadedWorkflow], default: int | None, now: float
) -> int:
    """Removes what is older than its workflow keeps it. Blocks.

    Args:
        store: the history.
        workflows: those that are served; their settings may name days of their own.
        default: days for all others, those that are gone included; None keeps them for ever.
        now: seconds since the epoch.

    Returns:
        How many executions were removed.
    """
    days: dict[str, int | None] = {}
    for entry in workflows:
        settings: Mapping[str, Any] = entry.manifest.get("settings") or {}
        days[entry.name] = settings.get("retentionDays") or default
    removed = 0
    kept = [default, *days.values()]
    longest = None if None in kept else max(value for value in kept if value is not None)
    if longest is not None:
        removed += store.prune(now - longest * DAY)
    for name, value in days.items():
        if value is not None and value != longest:
            removed += store.prune(now - value * DAY, workflow=name)
    return removed


async def keep_pruned(
    store: HistoryStore, workflows: Callable[[], Iterable[LoadedWorkflow]], default: int | None
) -> None:
    """Prunes now and every hour, until it is cancelled."""
    while True:
        try:
            await asyncio.to_thread(prune, store, list(workflows()), default, time.time())
        except Exception as exc:
            log.warning("the history could not be pruned: %s", exc)
        await asyncio.sleep(INTERVAL)


def prune_leftovers(
    runs: RunStore,
    versions: Versions,
    workflows: Iterable[LoadedWorkflow],
    days: int | None,
    now: float,
) -> None:
    """Removes dead letters that are too old, and code that no execution needs. Blocks.

    Args:
        runs: the unfinished executions.
        versions: the code they began on.
        workflows: those that are served.
        days: how long dead letters are kept; None keeps them for ever.
        now: seconds since the epoch.
    """
    if days is not None:
        runs.prune(now - days * DAY)
    used = runs.revisions()
    used.update((entry.name, entry.workflow.revision) for entry in workflows)
    versions.prune(used)


async def keep_leftovers_pruned(
    runs: RunStore,
    versions: Versions,
    workflows: Callable[[], Iterable[LoadedWorkflow]],
    days: int | None,
) -> None:
    """Prunes now and every hour, until it is cancelled."""
    while True:
        try:
            served = list(workflows())
            await asyncio.to_thread(prune_leftovers, runs, versions, served, days, time.time())
        except (StoreUnavailable, OSError) as exc:
            log.warning("old executions could not be removed: %s", exc)
        await asyncio.sleep(INTERVAL)
