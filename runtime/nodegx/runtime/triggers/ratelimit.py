"""Limits how often a webhook may be called, by token buckets."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from .duration import seconds
from .problem import ConfigError, Problem
from .request import Incoming

MAX_CALLERS = 10_000


class RateLimit:
    """A bucket for each caller, filled at `requests` per `per` seconds, never above `requests`.

    The limit holds for one process. At most `MAX_CALLERS` buckets are kept; the one used longest
    ago goes first.

    Args:
        requests: calls a caller may make at once.
        per: seconds in which that many are granted again.
        by: `client` (address), `all` callers together, or `header:<name>`; callers without that
            header count by their address.
    """

    def __init__(
        self,
        requests: int,
        per: float,
        by: str = "client",
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.requests = requests
        self.rate = requests / per
        self.by = by
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def caller(self, request: Incoming) -> str:
        """Whose bucket the request takes from."""
        if self.by == "all":
            return ""
        if self.by != "client":
            value = request.headers.get(self.by.removeprefix("header:"))
            if value:
                return "=" + value
        return request.client

    def take(self, request: Incoming) -> dict[str, str]:
        """Takes one token and returns the headers that tell the caller what is left.

        Raises:
            Problem: 429 with Retry-After, when the bucket is empty.
        """
        caller = self.caller(request)[:512]
        now = self._clock()
        tokens, updated = self._buckets.pop(caller, (float(self.requests), now))
        tokens = min(self.requests, tokens + (now - updated) * self.rate)
        granted = tokens >= 1.0
        if granted:
            tokens -= 1.0
        self._buckets[caller] = (tokens, now)
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        headers = {
            "ratelimit-limit": str(self.requests),
            "ratelimit-remaining": str(int(tokens)),
            "ratelimit-reset": str(math.ceil((self.requests - tokens) / self.rate)),
        }
        if granted:
            return headers
        wait = max(1, math.ceil((1.0 - tokens) / self.rate))
        headers["retry-after"] = str(wait)
        raise Problem(429, f"Too many requests. Try again in {wait} s.", headers=headers)


def build(config: Mapping[str, Any] | None) -> RateLimit | None:
    """The limit of a trigger's `rateLimit` setting; None where there is none.

    Raises:
        ConfigError: the setting cannot work.
    """
    if not config:
        return None
    requests = config.get("requests")
    if not isinstance(requests, int) or isinstance(requests, bool) or requests < 1:
        raise ConfigError("rateLimit.requests must be a whole number of at least 1")
    per = seconds(config.get("per", 60), name="rateLimit.per")
    if per <= 0:
        raise ConfigError("rateLimit.per must be longer than nothing")
    by = config.get("by", "client")
    if not isinstance(by, str) or not (by in ("client", "all") or by.startswith("header:")):
        raise ConfigError("rateLimit.by must be 'client', 'all' or 'header:<name>'")
    return RateLimit(requests, per, by.lower())
