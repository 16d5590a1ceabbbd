"""Log lines that say which invocation they belong to."""

from __future__ import annotations

from typing import Any

from nodegx.runtime.logs import Level, Log

LEVELS: dict[str, Level] = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
}


class InvocationLog(Log):
    """Writes JSON lines with the `requestId` by which AWS knows the current invocation.

    Args:
        level: the least level that is written; `info` if there is none of that name.
    """

    __slots__ = ("request",)

    def __init__(self, level: str = "info") -> None:
        super().__init__(LEVELS.get(level, "info"))
        self.request: str | None = None

    def write(
        self,
        level: Level,
        message: str,
        *,
        execution: str | None = None,
        workflow: str | None = None,
        node: str | None = None,
        **fields: Any,
    ) -> None:
        """Writes one line; see `Log.write`."""
        super().write(
            level,
            message,
            execution=execution,
            workflow=workflow,
            node=node,
            requestId=self.request,
            **fields,
        )
