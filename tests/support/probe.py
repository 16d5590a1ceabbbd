"""Steps that fail a given number of times: the only state that code in generated workflows has.

Whoever runs a workflow, the compiled one or the interpreter's, brings the counters.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar

_counters: ContextVar[MutableMapping[str, int]] = ContextVar("counters")


@contextmanager
def counting(counters: MutableMapping[str, int]) -> Iterator[None]:
    """Counts in `counters` inside the block."""
    token = _counters.set(counters)
    try:
        yield
    finally:
        _counters.reset(token)


def attempt(key: str) -> int:
    """How often this has been called with `key`, this call included."""
    counters = _counters.get()
    counters[key] = counters.get(key, 0) + 1
    return counters[key]
