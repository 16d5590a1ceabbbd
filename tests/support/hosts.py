"""Several hosts on one PostgreSQL that are killed and restarted at random, and what they did."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
from nodegx.compiler.build.project import build_project
from nodegx.runtime.database.postgres_pool import split_url

from tests.support.crash_workflows import Case, durable_chain, effect
from tests.support.crash_zygote import Zygote, kill, zygote
from tests.support.projects import node, write_project
from tests.support.until import until

NAPPER = durable_chain(
    "Napper",
    node("start", "trigger.manual"),
    effect("first", {"n": "{{ start.n }}", "key": "{{ uuid() }}"}),
    node("nap", "logic.wait", duration="{{ start.seconds }}"),
    effect("second", {"n": "{{ start.n }}"}),
    node("reply", "cloud.response", body="{{ start.n }}"),
)
"""Does something, waits as long as it is told, does something else."""

TICKER = durable_chain(
    "Ticker",
    node("tick", "trigger.schedule", cron="* * * * * *"),
    effect("ticked", {"scheduled": "{{ tick.scheduled }}"}),
)
"""Runs every second."""


def cases(*workflows: Mapping[str, Any]) -> dict[str, Case]:
    """Workflows for a site."""
    return {each["name"]: Case(each["name"], each, 0) for each in workflows}


RECORD = """
CREATE TABLE recorded (run text NOT NULL, key text NOT NULL, at double precision NOT NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.recorded
    VALUES (NEW.run, NEW.key, extract(epoch FROM clock_timestamp()));
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON entries
FOR EACH ROW WHEN (NEW.kind = 'result') EXECUTE FUNCTION note();
"""
"""Has the database note when the outcome of a step is recorded, each time."""


class Recorded(NamedTuple):
    """An outcome that was recorded, and when, in seconds since the epoch."""

    run: str
    key: str
    at: float


@dataclass
class Host:
    """A server that may be killed and started again.

    Args:
        server: forks it.
        up: from when to when it was up, in seconds since the epoch; it still is, if there is no
            end.
    """

    server: Zygote
    up: list[list[float]] = field(default_factory=list[list[float]])

    @property
    def alive(self) -> bool:
        """Whether it can be asked for something."""
        return bool(self.up) and len(self.up[-1]) == 1

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    def covers(self, begin: float, end: float) -> bool:
        """Whether it was up all the time between two moments."""
        return any(since <= begin and (not until or until[0] >= end) for since, *until in self.up)


class Hosts:
    """Hosts of one project over one database.

    Args:
        servers: fork them.
        options: of each server.
    """

    def __init__(self, servers: Sequence[Zygote], options: dict[str, Any]) -> None:
        self.all = [Host(server) for server in servers]
        self._options = options
        self.kills: list[float] = []

    @property
    def alive(self) -> list[Host]:
        """Those that can be asked for something."""
        return [host for host in self.all if host.alive]

    async def start(self, host: Host) -> None:
        """Starts one."""
        await host.server.start({"options": self._options})
        assert not host.server.dead, "a host did not start"
        host.up.append([time.time()])

    async def kill(self, host: Host) -> None:
        """Kills one with SIGKILL."""
        host.up[-1].append(time.time())
        self.kills.append(time.time())
        await kill(host.server)

    async def stop(self, host: Host, number: int) -> None:
        """Asks one to stop."""
        host.up[-1].append(time.time())
        await kill(host.server, number)

    async def torment(self, seconds: float, draw: random.Random) -> None:
        """Kills a host every few seconds, and starts it again some seconds later. All of them are up
        at the end."""
        end = time.monotonic() + seconds
        restarts: set[asyncio.Task[None]] = set()
        while time.monotonic() < end:
            await asyncio.sleep(draw.uniform(1.0, 5.0))
            if not self.alive:
                continue
            host = draw.choice(self.alive)
            await self.kill(host)
            restarts.add(asyncio.create_task(self._restart(host, draw.uniform(0.2, 6.0))))
        await asyncio.gather(*restarts)

    async def _restart(self, host: Host, pause: float) -> None:
        await asyncio.sleep(pause)
        await self.start(host)


@asynccontextmanager
async def hosts(
    count: int,
    folder: Path,
    database: str,
    site: str,
    workflows: Sequence[Mapping[str, Any]],
    **options: Any,
) -> AsyncIterator[Hosts]:
    """Hosts of a project that are up; killed at the end.

    Args:
        count: how many.
        folder: for the project.
        database: URL of a schema.
        site: where requests of the workflows go.
        workflows: what the project has.
        options: of each server.
    """
    write_project(folder, *workflows, vars={"site": site})
    report = build_project(folder, jobs=1)
    assert report.ok, report.diagnostics
    given = {
        "build": str(folder / "build"),
        "root": str(folder),
        "history": database,
        "vars": {"site": site},
        "port": 0,
        "request_log": False,
        "log_level": "error",
        **options,
    }
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(zygote()) for _ in range(count)]
        made = Hosts(servers, given)
        await made.start(made.all[0])  # makes the tables
        with database_of(database) as connection:
            schema = connection.execute("SELECT current_schema()").fetchone()
            assert schema is not None
            connection.execute(RECORD.format(schema=schema[0]).encode())
        await asyncio.gather(*[made.start(host) for host in made.all[1:]])
        yield made


@contextlib.contextmanager
def database_of(url: str) -> Any:
    """A connection to the schema that a URL of ours names."""
    url, schema = split_url(url, "schema")
    with psycopg.connect(url, autocommit=True, options=f"-c search_path={schema}") as connection:
        yield connection


def recorded(url: str) -> list[Recorded]:
    """All outcomes that were ever recorded, the first one first."""
    with database_of(url) as connection:
        rows = connection.execute("SELECT run, key, at FROM recorded ORDER BY at").fetchall()
    return [Recorded(*row) for row in rows]


def left(url: str) -> dict[str, int]:
    """How many rows there are of executions that are not over, and of their journals."""
    with database_of(url) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("runs", "entries")
        }


async def over(url: str, workflow: str, within: float = 240.0) -> None:
    """Waits until no execution of a workflow is left."""
    async with asyncio.timeout(within):
        with database_of(url) as connection:
            query = "SELECT count(*) FROM runs WHERE workflow = %s"
            while connection.execute(query, (workflow,)).fetchone()[0]:  # noqa: ASYNC110
                await asyncio.sleep(0.2)


def recorded_twice(outcomes: Sequence[Recorded]) -> list[tuple[str, str]]:
    """Steps whose outcome was recorded more than once."""
    counts = Counter((each.run, each.key) for each in outcomes)
    return [place for place, count in counts.items() if count > 1]


def late(
    times: Mapping[tuple[str, str], list[float]], outcomes: Sequence[Recorded]
) -> list[tuple[str, float]]:
    """Executions that did a step when it had been recorded, and when.

    Args:
        times: when each step of each execution was seen by the site.
        outcomes: what was recorded.
    """
    ends = {(run, key): at for run, key, at in outcomes}
    return [
        (place[0], at)
        for place, seen in times.items()
        for at in seen
        if at > ends.get(place, float("inf"))
    ]


class Nappers:
    """Starts executions of `NAPPER` at whichever host is up.

    Args:
        up: the hosts.
        client: sends the requests.
        draw: decides how long they wait, and where they start.
    """

    def __init__(self, up: Hosts, client: httpx.AsyncClient, draw: random.Random) -> None:
        self._up = up
        self._client = client
        self._draw = draw
        self._numbers = 0
        self.accepted: dict[str, int] = {}
        """Executions that a host has accepted, with the numbers that they were started with."""

    async def start(self, count: int, seconds: float) -> None:
        """Has so many accepted within so many seconds. A number whose host was killed before it
        could answer is not used again: nobody knows what has become of it."""
        begin = time.monotonic()
        under_way: set[asyncio.Task[None]] = set()
        while len(self.accepted) + len(under_way) < count:
            ahead = begin + (len(self.accepted) + len(under_way)) * seconds / count
            await asyncio.sleep(max(0.0, ahead - time.monotonic()))
            self._numbers += 1
            task = asyncio.create_task(self._start(self._numbers))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            if len(under_way) >= 50:
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            if len(self.accepted) + len(under_way) >= count:
                await asyncio.wait(under_way)

    async def _start(self, number: int) -> None:
        await until(lambda: self._up.alive)
        host = self._draw.choice(self._up.alive)
        body = {"n": number, "seconds": round(self._draw.uniform(0.5, 20.0), 2)}
        url = f"{host.url}/_nodegx/workflows/Napper/run?wait=false"
        with contextlib.suppress(httpx.TransportError):
            answer = await self._client.post(url, json=body)
            if answer.status_code == 202:
                self.accepted[answer.json()["executionId"]] = number
