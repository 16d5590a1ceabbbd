"""How a server is set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodegx.runtime.logs import Level

LOOPBACK = "127.0.0.1"
RUNS = "runs.sqlite3"
KEYS = "keys.sqlite3"


@dataclass(frozen=True, slots=True)
class Pace:
    """How a server goes on with executions; all times in seconds.

    Args:
        lease: after its last sign of life, how long what a host has is its own.
        poll: how often it looks for what others have left to do.
        hold: how long a wait may last and still stay in memory.
        most: executions that it goes on with at the same time.
    """

    lease: float = 10.0
    poll: float = 0.25
    hold: float = 5.0
    most: int = 500


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Settings of a server.

    Args:
        build: directory of compiled workflows, a folder with handler and manifest each.
        root: the project's directory, for `.env` and what the server remembers; None has neither.
        host: address to listen on; only this machine by default.
        port: TCP port; 0 takes a free one.
        vars: the project's variables.
        env: names of environment variables that workflows may read.
        history: SQLite file of the execution history, or the `postgresql://…` URL of a database
            that several servers share; None keeps none.
        runs: SQLite file of unfinished executions; None puts it beside that of the history, or into
            the same database.
        url: how the world reaches this server, for links to it; None takes where it listens.
        retention_days: days after which executions are removed from the history; None keeps them.
        token: what callers of the management endpoints present as bearer token; without one,
            they answer this machine only.
        trusted_proxies: addresses and networks whose X-Forwarded-… headers are believed.
        queue: executions of one workflow that may wait for its concurrency limit before further
            requests are refused with 503.
        pace: how unfinished executions are gone on with.
        drain: seconds that executions have to end when the server stops; then they are cancelled.
        request_log: whether to write a line for each request.
        log_level: the least level of log lines that executions write, JSON on standard error.
    """

    build: Path
    root: Path | None = None
    host: str = LOOPBACK
    port: int = 8080
    vars: Mapping[str, Any] = field(default_factory=dict[str, Any])
    env: tuple[str, ...] = ()
    history: Path | str | None = None
    runs: Path | None = None
    url: str | None = None
    retention_days: int | None = None
    token: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    queue: int = 1000
    drain: float = 20.0
    pace: Pace = Pace()
    request_log: bool = True
    log_level: Level = "warning"

    @property
    def runs_target(self) -> Path | str | None:
        """Where unfinished executions are kept; None for nowhere."""
        if self.runs is not None or self.history is None:
            return self.runs
        return self.history if isinstance(self.history, str) else self.history.with_name(RUNS)

    @property
    def keys_target(self) -> Path | str:
        """Where idempotency keys are remembered, if any trigger has some."""
        if isinstance(self.history, str):
            return self.history
        beside = self.history or self.runs
        return beside.with_name(KEYS) if beside else (self.root or self.build) / ".nodegx" / KEYS
