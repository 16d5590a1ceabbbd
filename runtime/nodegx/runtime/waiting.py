"""Waiting for a condition: what is asked, how often, and when it is over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .durations import seconds
from .errors import NodegxError, RetriableError

if TYPE_CHECKING:
    from .execution import Execution

INTERVAL = 10.0
BACKOFF = 2.0
MAX_INTERVAL = 300.0

_OWN = frozenset({"url", "method", "workflow", "input", "interval", "backoff", "maxInterval"})
_HUMP = re.compile("(?<!^)([A-Z])")


class Poll:
    """Asks again and again, at growing intervals.

    Args:
        config: `url` and the other options of `http.request`, or `workflow` and its `input`;
            `interval` before the second question (seconds or text with a unit), `backoff` from
            one interval to the next, `maxInterval`.
    """

    __slots__ = ("_backoff", "_config", "_interval", "_max_interval")

    def __init__(self, config: Mapping[str, Any] | None) -> None:
        self._config: Mapping[str, Any] = config or {}
        self._interval = seconds(self._config.get("interval", INTERVAL))
        self._backoff = float(self._config.get("backoff", BACKOFF))
        self._max_interval = seconds(self._config.get("maxInterval", MAX_INTERVAL))

    def interval(self, attempt: int) -> float:
        """Seconds between question number `attempt` (from 1) and the next."""
        try:
            interval = self._interval * self._backoff ** (attempt - 1)
        except OverflowError:
            return self._max_interval
        return min(interval, self._max_interval)

    async def ask(self, execution: Execution) -> tuple[bool, Any]:
        """Asks once. Returns whether there is an answer, and the answer; a failure that may pass
        is none.

        Raises:
            NodegxError: asking again cannot help.
        """
        try:
            return True, await self._ask(execution)
        except NodegxError as error:
            if not error.retriable:
                raise
            execution.log("info", f"no answer yet: {error.message}")
            return False, None

    async def _ask(self, execution: Execution) -> Any:
        config = self._config
        if "workflow" in config:
            return await execution.host.call(
                config["workflow"],
                config.get("input"),
                parent=execution.id,
                depth=execution.depth + 1,
            )
        if "url" not in config:
            return None
        # Not an import statement: handlers that ask over HTTP bring the module, others do without.
        http = import_module("nodegx.runtime.nodes.http")
        options = {
            _HUMP.sub(r"_\1", name).lower(): value
            for name, value in config.items()
            if name not in _OWN
        }
        return await http.request(config.get("method", "GET"), config["url"], **options)


def timed_out(what: str, limit: float | None) -> RetriableError:
    """The error of a wait that nobody handles the end of."""
    after = "" if limit is None else f" within {limit:g} s"
    return RetriableError(f"{what} did not come{after}", code="wait.timeout")
