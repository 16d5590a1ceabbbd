"""What code.python nodes run through.

An `async def` runs on the event loop as it is. `in_thread` takes a plain function to a thread, and
`routed` turns the `(output, value)` of code with several outputs into a `CodeResult`:

    await run.step(SCORE, python.routed(python.in_thread(score_code), "high", "low"), items=...)
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

from nodegx.runtime.errors import FatalError
from nodegx.runtime.threads import Threads

P = ParamSpec("P")
R = TypeVar("R")

_threads = Threads("nodegx-code", limit=64)


class CodeResult(NamedTuple):
    """What code with several outputs returned: the output it chose, and the value."""

    port: str
    value: Any


def in_thread(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """The function as an asynchronous one that runs in a thread, so that it does not hold up other
    runs. A time limit or cancellation ends the wait for it, not the thread."""

    @wraps(function)
    def start(*args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        return _threads.run(function, *args, **kwargs)

    return start


def routed(function: Callable[P, Any], *outputs: str) -> Callable[P, Awaitable[CodeResult]]:
    """The function with its result checked: a pair of one of `outputs` and a value.

    Raises (the returned function):
        FatalError: code `code.output`, it returned something else.
    """

    @wraps(function)
    async def route(*args: P.args, **kwargs: P.kwargs) -> CodeResult:
        result = function(*args, **kwargs)
        if inspect.isawaitable(result):
            result = await result
        return _routed(result, outputs)

    return route


def _routed(result: Any, outputs: tuple[str, ...]) -> CodeResult:
    if isinstance(result, tuple | list) and len(cast("tuple[Any, ...]", result)) == 2:
        port, value = cast("tuple[Any, Any]", result)
        if isinstance(port, str) and port in outputs:
            return CodeResult(port, value)
    names = ", ".join(f'"{name}"' for name in outputs)
    raise FatalError(
        f"the code must return (output, value) with one of the outputs {names}", code="code.output"
    )
