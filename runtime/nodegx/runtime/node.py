"""What a handler declares about its nodes: names, retry policies, time limits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often a failed step is tried again.

    Attempt n+1 starts `delay * backoff ** (n - 1)` seconds after attempt n failed, at most
    `max_delay`, less up to the share `jitter` of it, chosen at random.

    Args:
        attempts: tries in all, the first included (at least 1).
        delay: seconds before the second attempt.
        backoff: factor from one delay to the next.
        max_delay: seconds, the longest delay.
        jitter: 0 (none) to 1 (anything from no delay to the full one).
        on: categories or codes of errors that are tried again; empty means every retriable error.
    """

    attempts: int = 3
    delay: float = 1.0
    backoff: float = 2.0
    max_delay: float = 60.0
    jitter: float = 0.1
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the workflow, as its handler and the execution history know it.

    Args:
        id: the node's id in the workflow JSON.
        type: its type, such as `http.request`.
        retry: policy for failed attempts; None tries once.
        timeout: seconds one attempt may take; None leaves it to the run's own limit.
    """

    id: str
    type: str
    retry: Retry | None = None
    timeout: float | None = None
