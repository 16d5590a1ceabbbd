"""The outside world of workflows that crash: a server that remembers what each step did to it."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support.crash_workflows import Case
from tests.support.loopback import Answer, Loopback, Seen, loopback

LEAD = 0.4
"""Seconds that the slow branch of a race is ahead."""

PATIENCE = 0.8
"""Seconds until an answer fits that is asked for again and again."""

ROUNDS = 3
"""Rounds of a block that is tried again, until it succeeds."""


class Site:
    """Remembers requests by the execution that has sent them, and its steps."""

    def __init__(
        self, server: Loopback, cases: Mapping[str, Case], hold: threading.Event | None = None
    ) -> None:
        self.url = server.url
        self._hold = hold or threading.Event()
        self._lock = threading.Lock()
        self._bodies: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        self._times: dict[tuple[str, str], list[float]] = defaultdict(list)
        answers = {
            "refused": self._refuse,
            "flaky": self._fail,
            "session": self._count,
            "send": self._receive,
            "fast": self._come_second,
            "ready": self._become_ready,
            "hold": self._wait,
        }
        for case in cases.values():
            for document in (case.document, *case.others):
                for node in document["nodes"]:
                    name = node["id"]
                    server.at(
                        f"/{name}", lambda seen, name=name: self._see(seen, answers.get(name))
                    )
        server.at("/ready", lambda seen: self._see(seen, self._become_ready))

    def bodies(self, execution: str) -> dict[str, list[Any]]:
        """What an execution has sent, by step, in order of arrival."""
        with self._lock:
            return {step: list(bodies) for step, bodies in self._bodies[execution].items()}

    def times(self) -> dict[tuple[str, str], list[float]]:
        """When each step of each execution has sent something, in seconds since the epoch."""
        with self._lock:
            return {place: list(times) for place, times in self._times.items()}

    def _see(self, seen: Seen, answer: Any) -> Answer:
        execution, step = seen.headers["x-execution"], seen.headers["x-step"]
        body = json.loads(seen.body) if seen.body else None
        with self._lock:
            self._bodies[execution][step].append(body)
            self._times[execution, step].append(time.time())
        return (answer or _echo)(execution, body)

    def _refuse(self, execution: str, body: Any) -> Answer:
        return Answer(422, {"no": "never"})

    def _fail(self, execution: str, body: Any) -> Answer:
        return Answer(503, {"no": "not now"})

    def _count(self, execution: str, body: Any) -> Answer:
        """Tells one request from its repetition by the key that it carries."""
        keys = {each["key"] for each in self.bodies(execution)["session"]}
        return Answer(200, {"tries": len(keys)})

    def _receive(self, execution: str, body: Any) -> Answer:
        return _echo(execution, body) if body["round"] >= ROUNDS else self._fail(execution, body)

    def _wait(self, execution: str, body: Any) -> Answer:
        self._hold.wait(60)
        return _echo(execution, body)

    def _come_second(self, execution: str, body: Any) -> Answer:
        while True:
            with self._lock:
                earlier = self._times[execution, "slow"]
                if earlier and time.time() - earlier[-1] > LEAD:
                    return _echo(execution, body)
            time.sleep(0.02)

    def _become_ready(self, execution: str, body: Any) -> Answer:
        with self._lock:
            first = self._times[execution, "paid"][0]
        return Answer(200, {"ready": time.time() - first > PATIENCE})


def _echo(execution: str, body: Any) -> Answer:
    return Answer(200, {"echo": body})


@contextmanager
def site(cases: Mapping[str, Case], hold: threading.Event | None = None) -> Iterator[Site]:
    """A running site for the workflows of these cases. It answers steps called `hold` once that is
    set."""
    with loopback() as server:
        yield Site(server, cases, hold)
