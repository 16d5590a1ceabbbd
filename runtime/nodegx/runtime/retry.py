"""Repeating what failed: delays, and which errors deserve it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .errors import NodegxError, RetriableError
from .node import Retry

T = TypeVar("T")


def delay_after(
    policy: Retry, attempt: int, error: Exception, draw: Callable[[], float] = random.random
) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1): what the policy says, or
    longer if the other side asked for it (`details["retryAfter"]`), at most `max_delay`.

    Args:
        policy: the node's policy.
        attempt: the attempt that failed.
        error: why it failed.
        draw: gives numbers from 0 to 1 for the jitter.
    """
    try:
        delay = policy.delay * policy.backoff ** (attempt - 1)
    except OverflowError:
        delay = policy.max_delay
    delay = max(0.0, min(delay, policy.max_delay)) * (1.0 - policy.jitter * draw())
    return max(delay, min(_requested_delay(error), policy.max_delay))


def next_delay(policy: Retry, attempt: int, error: Exception) -> float | None:
    """Seconds to wait until the next attempt, or None if there will be none. Arguments are those
    of `delay_after`."""
    if attempt >= policy.attempts or not applies(policy, error):
        return None
    return delay_after(policy, attempt, error)


def applies(policy: Retry, error: Exception) -> bool:
    """Whether a policy wants another try after this error: one of its `on` names the error's
    category or code; without `on` every retriable error qualifies."""
    from .messages import code_of, is_retriable  # only failures need it

    if not policy.on:
        return is_retriable(error)
    category = "retriable" if is_retriable(error) else "fatal"
    return category in policy.on or code_of(error) in policy.on


def _requested_delay(error: Exception) -> float:
    details = error.details if isinstance(error, NodegxError) else None
    wait: Any = details.get("retryAfter") if isinstance(details, dict) else None  # pyright: ignore
    return float(wait) if isinstance(wait, (int, float)) and wait > 0 else 0.0


async def within(seconds: float | None, call: Callable[[], Awaitable[T]], what: str) -> T:
    """Awaits `call()` for at most `seconds`.

    Raises:
        RetriableError: code `timeout`; the message begins with `what`.
    """
    if seconds is None:
        return await call()
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await call()
    except TimeoutError as error:
        if limit.expired():
            message = f"{what} took longer than {seconds:g} s"
            raise RetriableError(message, code="timeout") from error
        raise
