"""What a handler declares about its nodes: names, retry policies, time limits."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Retry(NamedTuple):
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


class Node(NamedTuple):
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


class Settings(NamedTuple):
    """How a workflow's executions are run and recorded. The defaults hold wherever `@workflow`
    says nothing.

    Args:
        timeout: seconds an execution may take in all, or a durable one from one wait to the next;
            None sets no limit.
        memory: MiB a cloud function is given; None leaves it to the target. Not enforced here.
        concurrency: executions of this workflow that one process runs at the same time; further
            ones wait their turn. None sets no limit.
        capture: what the history keeps: `full`, `errors` (data only where the execution failed),
            `minimal` (no data at all) or `off` (no record).
        redact: JSONPaths of values that the history never keeps, such as `$..card`.
        max_bytes: longest JSON text the history keeps of one value; longer ones are truncated.
        on_error: workflow that is called when an execution fails.
        retry: policy for executions that fail as a whole; None runs them once.
        timezone: IANA name of the zone in which times without one are read.
        durable: whether executions keep a journal, from which they go on after long waits and
            crashes.
    """

    timeout: float | None = 300.0
    memory: int | None = None
    concurrency: int | None = None
    capture: Literal["full", "errors", "minimal", "off"] = "full"
    redact: tuple[str, ...] = ()
    max_bytes: int = 65_536
    on_error: str | None = None
    retry: Retry | None = None
    timezone: str = "UTC"
    durable: bool = False
