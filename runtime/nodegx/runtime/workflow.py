"""The decorator that makes a handler function a workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from .limits import Gate
from .node import Node, Retry, Settings

if TYPE_CHECKING:
    from .run import Run
    from .sourcemap import SourceMap

Handler = Callable[["Run"], Awaitable[None]]
Key = Callable[[Any], Any]
"""Finds in a trigger's value what tells one request from another."""

NO_KEYS: Mapping[str, Key] = MappingProxyType({})


class Workflow:
    """A compiled workflow: its handler and how it is to be run.

    Attributes:
        name: full name, such as `/#__cloud__/ProcessOrder`.
        handler: the compiled coroutine function.
        settings: limits and history settings.
        revision: hash of the workflow this was compiled from; empty if unknown.
        keys: idempotency keys by the id of the trigger node: functions of the trigger's value.
        gate: admits as many executions at a time as `settings.concurrency` allows.
    """

    __slots__ = ("_source", "gate", "handler", "keys", "name", "revision", "settings")

    def __init__(
        self,
        name: str,
        handler: Handler,
        settings: Settings,
        *,
        revision: str = "",
        keys: Mapping[str, Key] = NO_KEYS,
    ) -> None:
        self.name = name
        self.handler = handler
        self.settings = settings
        self.revision = revision
        self.keys = keys
        self.gate = Gate(settings.concurrency)
        self._source: SourceMap | None = None

    @property
    def source(self) -> SourceMap:
        """The handler's text and the nodes its lines belong to. Only failures need it."""
        if self._source is None:
            from .sourcemap import SourceMap

            code: Any = getattr(self.handler, "__code__", None)
            file: str = code.co_filename if code else ""
            self._source = SourceMap(file, getattr(code, "co_qualname", ""))
        return self._source

    @source.setter
    def source(self, source: SourceMap) -> None:
        self._source = source

    def node_type(self, node: str) -> str:
        """The type of the node of that id, as the handler's module declares it; empty if it does
        not."""
        names: dict[str, Any] = getattr(self.handler, "__globals__", {})
        found = (value for value in names.values() if isinstance(value, Node) and value.id == node)
        return next((value.type for value in found), "")

    def __repr__(self) -> str:
        return f"<Workflow {self.name}>"


def workflow(
    name: str,
    *,
    timeout: float | None = 300.0,
    memory: int | None = None,
    concurrency: int | None = None,
    capture: Literal["full", "errors", "minimal", "off"] = "full",
    redact: tuple[str, ...] = (),
    max_bytes: int = 65_536,
    on_error: str | None = None,
    retry: Retry | None = None,
    timezone: str = "UTC",
    durable: bool = False,
    keys: Mapping[str, Key] = NO_KEYS,
) -> Callable[[Handler], Workflow]:
    """Makes a handler a `Workflow`. The arguments are those of `Settings`, and two more.

    Args:
        name: the workflow's full name.
        keys: see `Workflow`.
    """
    settings = Settings(
        timeout=timeout,
        memory=memory,
        concurrency=concurrency,
        capture=capture,
        redact=redact,
        max_bytes=max_bytes,
        on_error=on_error,
        retry=retry,
        timezone=timezone,
        durable=durable,
    )

    def decorate(handler: Handler) -> Workflow:
        return Workflow(name, handler, settings, keys=keys)

    return decorate
