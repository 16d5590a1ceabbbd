"""A load generator in a process of its own: keep-alive connections that send one request after
another.

    python -m tests.benchmarks.http_load http://127.0.0.1:8080/orders --body order.json -c 50 -n 20000

prints one line of JSON. It parses no more of an answer than status and length, so that it takes
little of the time it measures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit


@dataclass
class Result:
    """What was measured: counts, seconds, and percentiles of the response time in ms."""

    requests: int
    errors: int
    seconds: float
    rps: float
    p50: float
    p95: float
    p99: float
    statuses: dict[int, int] = field(default_factory=dict[int, int])


class Load:
    """The state that all connections share."""

    def __init__(self, total: int, message: bytes, expected: frozenset[int]) -> None:
        self.left = total
        self.open = 0
        self.message = message
        self.expected = expected
        self.times: list[float] = []
        self.statuses: dict[int, int] = {}
        self.errors = 0
        self.done = asyncio.Event()

    def ended(self) -> None:
        """A connection has nothing more to do."""
        self.open -= 1
        if self.open == 0:
            self.done.set()


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._sent = 0.0
        self._waiting = False
        self._finished = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._load.open += 1

    def send(self) -> None:
        """Sends the next request, or ends."""
        load = self._load
        if load.left <= 0:
            self._end()
            return
        load.left -= 1
        self._waiting = True
        self._sent = perf_counter()
        self._transport.write(load.message)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        head = buffer.find(b"\r\n\r\n")
        if head < 0:
            self._buffer = buffer
            return
        length = content_length(buffer, head)
        if len(buffer) < head + 4 + length:
            self._buffer = buffer
            return
        self._buffer = b""
        self._waiting = False
        load = self._load
        load.times.append(perf_counter() - self._sent)
        status = int(buffer[9:12])
        load.statuses[status] = load.statuses.get(status, 0) + 1
        if status not in load.expected:
            load.errors += 1
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._load.errors += 1
            self._waiting = False
        self._end()

    def _end(self) -> None:
        if not self._finished:
            self._finished = True
            self._transport.close()
            self._load.ended()


def content_length(buffer: bytes, head: int) -> int:
    """The length of a body; the servers we measure always tell it."""
    start = buffer.find(b"content-length: ", 0, head)
    if start < 0:
        return 0
    return int(buffer[start + 16 : buffer.find(b"\r\n", start)])


async def run(
    url: str,
    *,
    connections: int,
    requests: int,
    method: str = "POST",
    body: bytes = b"",
    headers: Sequence[str] = (),
    expected: Sequence[int] = (200, 201, 202, 204),
) -> Result:
    """Sends `requests` requests over `connections` connections.

    Args:
        url: where to.
        connections: how many requests are under way at a time.
        requests: how many in all.
        method: HTTP method.
        body: sent with every request, as JSON.
        headers: further header lines, `Name: value`.
        expected: statuses that are no errors.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target or '/'} HTTP/1.1", f"Host: {parts.netloc}", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    message = "\r\n".join((*lines, "", "")).encode() + body
    load = Load(requests, message, frozenset(expected))
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(lambda: Connection(load), host, port)
        for _ in range(connections)
    ]
    begin = perf_counter()
    for _, connection in pairs:
        connection.send()
    await load.done.wait()
    seconds = perf_counter() - begin
    times = sorted(load.times) or [0.0]

    def percentile(share: float) -> float:
        return round(times[min(int(len(times) * share), len(times) - 1)] * 1000, 3)

    return Result(
        requests=len(load.times),
        errors=load.errors,
        seconds=round(seconds, 4),
        rps=round(len(load.times) / seconds, 1),
        p50=percentile(0.50),
        p95=percentile(0.95),
        p99=percentile(0.99),
        statuses=load.statuses,
    )


def main(arguments: Sequence[str]) -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description="Loads an HTTP server and prints JSON.")
    parser.add_argument("url")
    parser.add_argument("-c", "--connections", type=int, default=50)
    parser.add_argument("-n", "--requests", type=int, default=10_000)
    parser.add_argument("-X", "--method", default="POST")
    parser.add_argument("--body", help="JSON text, or @FILE")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("--expect", type=int, action="append", help="statuses that are no errors")
    options = parser.parse_args(arguments)
    text: str = options.body or ""
    body = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        result = runner.run(
            run(
                options.url,
                connections=options.connections,
                requests=options.requests,
                method=options.method,
                body=body,
                headers=options.header,
                expected=options.expect or (200, 201, 202, 204),
            )
        )
    print(json.dumps(vars(result)))


if __name__ == "__main__":
    main(sys.argv[1:])
