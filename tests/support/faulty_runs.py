"""A store of unfinished executions that is away now and then."""

from __future__ import annotations

from typing import Any

from nodegx.runtime.durable.store import RunStore
from nodegx.runtime.errors import StoreUnavailable


class FaultyRuns:
    """Another `RunStore`.

    Args:
        inner: what is asked while it is there.

    Attributes:
        away: whether every method fails.
        failing: how often each of these methods fails before it works again; after it has done
            something, if its name ends with `!`.
    """

    def __init__(self, inner: RunStore) -> None:
        self.inner = inner
        self.away = False
        self.failing: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            if self.away or self._fails(name):
                raise StoreUnavailable("it is away")
            result = found(*args, **options)
            if result and self._fails(f"{name}!"):
                raise StoreUnavailable("nobody knows whether it has done that")
            return result

        return call

    def _fails(self, name: str) -> bool:
        left = self.failing.get(name, 0)
        self.failing[name] = max(0, left - 1)
        return left > 0
