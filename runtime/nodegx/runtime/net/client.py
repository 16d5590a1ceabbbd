"""Requests from the event loop."""

from __future__ import annotations

import asyncio

from nodegx.runtime.errors import RetriableError
from nodegx.runtime.threads import Threads

from .deadline import Deadline
from .exchange import Exchange
from .message import DEFAULT_LIMITS, Limits, RawResponse, Request
from .pool import Pool

# The thread keeps to the time limit itself; only a name server can hold it up beyond.
_GRACE = 0.25

_threads = Threads("nodegx-http", limit=512)
pool = Pool()
"""Connections kept for the next request, shared by all workflows of the process."""


async def send(request: Request, limits: Limits = DEFAULT_LIMITS) -> RawResponse:
    """Sends a request, follows redirects, and reads the response.

    Any status is a response. Cancelling the call breaks the connection.

    Raises:
        RetriableError: codes `http.timeout`, `http.connection`, `http.dns`, `http.proxy`.
        FatalError: codes `http.url`, `http.address` (the policy forbids it), `http.dns`,
            `http.tls`, `http.protocol`, `http.redirects`, `http.tooLarge`, `http.encoding`,
            `http.proxy`.
    """
    exchange = Exchange(request, limits, pool, Deadline(limits.timeout))
    try:
        async with asyncio.timeout(limits.timeout + _GRACE):
            return await _threads.run(exchange.run)
    except TimeoutError:
        exchange.abort()
        raise RetriableError(
            f"{request.method} {request.url.display} took longer than {limits.timeout:g} s",
            code="http.timeout",
        ) from None
    except asyncio.CancelledError:
        exchange.abort()
        raise
