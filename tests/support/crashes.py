"""Takes an execution through the death of its server's process at any write, and compares what
comes of it with what comes of it undisturbed."""

from __future__ import annotations

import asyncio
import difflib
import itertools
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from nodegx.compiler.build.project import build_project
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import RunQuery, RunStore
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.history.store import HistoryStore, Query
from nodegx.runtime.history.stores import open_history

from tests.support.crash_site import Site
from tests.support.crash_store import AFTER, BEFORE, Death, Write, read_writes
from tests.support.crash_workflows import CASES, Case
from tests.support.crash_zygote import SIGKILL, WITHIN, Zygote, kill
from tests.support.projects import write_project

PACE = {"lease": 1.0, "poll": 0.05, "hold": 0.05}
"""Of the servers. Nobody shares their stores, so that a lease can be short."""

LOOK = 0.01  # seconds from one look to the next
ATTEMPTS = ("result", "failure", "attempt")
"""Kinds of entries that tell that a step has been tried."""


def build(folder: Path, site: str) -> Path:
    """All workflows compiled; returns where to."""
    documents = {
        document["name"]: document
        for case in CASES.values()
        for document in (case.document, *case.others)
    }
    write_project(folder, *documents.values(), vars={"site": site})
    report = build_project(folder, jobs=1)
    assert report.ok, report.diagnostics
    return folder / "build"


@dataclass
class Outcome:
    """What came of an execution.

    Args:
        text: all that must be the same whatever happens: the executions, what they sent, and what
            is left of them.
        counts: how often each step has sent something, by the number of the execution among those
            of its family and the step.
        family: ids of the executions; the first one has called the others.
        writes: what was written to the store, as far as it was noted down.
    """

    text: str
    counts: dict[tuple[int, str], int]
    family: list[str]
    writes: list[Write] = field(default_factory=list[Write])


class Lane:
    """Stores, and servers over them one after the other.

    Args:
        folder: for the files of the servers.
        build: the compiled workflows.
        target: the history: a path, or the URL of a database.
        site: where the workflows' requests go.
        server: forks the servers.
        client: sends the driver's requests.
    """

    def __init__(
        self,
        folder: Path,
        build: Path,
        target: str,
        site: Site,
        server: Zygote,
        client: httpx.AsyncClient,
    ) -> None:
        self._folder = folder
        self._build = build
        self._target = target
        self.site = site
        self.server = server
        self._client = client
        self._logs = itertools.count()
        self._log = folder
        self._history: HistoryStore | None = None
        self._runs: RunStore | None = None

    # --- servers -------------------------------------------------------------------------------

    async def serve(self, death: Death | None = None, *, any_step: bool = False) -> None:
        """Starts a server, which may die at a write."""
        assert not self.server.pid or self.server.dead
        self._log = self._folder / f"{next(self._logs)}.log"
        await self.server.start(
            {
                "options": {
                    "build": str(self._build),
                    "root": str(self._folder),
                    "history": self._target,
                    "vars": {"site": self.site.url},
                    "port": 0,
                    "request_log": False,
                    "log_level": "error",
                    "pace": PACE,
                },
                "log": str(self._log),
                "death": death,
                "any_step": any_step,
            }
        )

    @property
    def writes(self) -> list[Write]:
        """What the latest server has noted down."""
        return read_writes(self._log)

    @property
    def history(self) -> HistoryStore:
        """The history that servers write."""
        if self._history is None:
            self._history = open_history(self._target)
        return self._history

    @property
    def runs(self) -> RunStore:
        """The unfinished executions of the servers."""
        if self._runs is None:
            path = Path(self._target).with_name("runs.sqlite3")
            self._runs = open_runs(self._target if "://" in self._target else path)
        return self._runs

    def close(self) -> None:
        """Lets go of the stores."""
        for store in (self._history, self._runs):
            if store is not None:
                store.close()

    # --- executions ----------------------------------------------------------------------------

    async def begin(self, case: Case) -> None:
        """Starts an execution; its server may die over that."""
        url = f"{self.server.url}/_nodegx/workflows/{case.name}/run?wait=false"
        try:
            answer = await self._client.post(url, json=case.input)
        except httpx.TransportError:
            assert await self.server.wait() == SIGKILL
            return
        assert answer.status_code == 202, answer.text

    async def drive(self, case: Case, id: str | None) -> bool:
        """Does what people do, until the execution is over with all that it has called, or the
        server dead. None is whatever execution there is. Returns whether the server is alive."""
        async with asyncio.timeout(WITHIN):
            while not self.server.dead:
                left = await asyncio.to_thread(self.runs.list, RunQuery())
                left = [state for state in left if state.status != RunStatus.FAILED]
                if not left and (id is None or self.history.get(id) is not None):
                    return True
                for state in left:
                    await self._answer(case, state)
                await asyncio.sleep(LOOK)
        return False

    async def _answer(self, case: Case, state: RunState) -> None:
        """Answers an execution that waits for a person."""
        asked = [wait for wait in state.waits if wait.kind == "webhook"]
        mails = self.site.bodies(state.id).get("mail", [])
        if not case.answer or not asked or not mails or state.status != RunStatus.WAITING:
            return
        path = "/_nodegx/" + mails[-1]["link"].partition("/_nodegx/")[2]
        try:
            answer = await self._client.post(self.server.url + path, data=dict(case.answer))
        except httpx.TransportError:
            return  # the server is dead, and whoever answers tries it again
        assert answer.status_code in (200, 404, 410), answer.text

    # --- what has come of it -------------------------------------------------------------------

    def outcome(self, id: str, writes: Sequence[Write] = ()) -> Outcome:
        """What came of an execution that is over."""
        family = [id]
        for parent in family:
            called = self.history.list(Query(parent=parent)).records
            family += sorted(record.id for record in called)
        executions = [self._execution(each) for each in family]
        sent = [self.site.bodies(each) for each in family]
        asks = {step for case in CASES.values() for step in case.asks}
        effects = {
            f"{number} {step}": list({json.dumps(body, sort_keys=True): 0 for body in bodies})
            for number, steps in enumerate(sent)
            for step, bodies in sorted(steps.items())
            if step not in asks
        }
        left = [self._left(each) for each in family]
        whole = {"executions": executions, "effects": effects, "left": left}
        text = _alike(json.dumps(whole, indent=1, sort_keys=True), family)
        counts = {
            (number, step): len(bodies)
            for number, steps in enumerate(sent)
            for step, bodies in steps.items()
            if step not in asks
        }
        return Outcome(text, counts, family, list(writes))

    def _execution(self, id: str) -> dict[str, Any]:
        record = self.history.get(id)
        assert record is not None, f"{id} is not in the history"
        found = asdict(record)
        for name in ("started", "finished", "host", "fence", "revision"):
            del found[name]
        for step in found["steps"]:
            del step["started"], step["duration"]
        found["steps"].sort(key=lambda step: step["id"])
        return found

    def _left(self, id: str) -> Any:
        kept = self.runs.load(id)
        if kept is None:
            return None
        keys = sorted(entry.key for entry in kept.entries)
        return [kept.state.status, kept.state.failures, kept.state.error, keys]


_VOLATILE = re.compile(
    r"(?P<uuid>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
    r"|(?P<random>0\.\d{6,}(?:e-\d+)?|\d\.\d+e-\d+)"
    r"|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00))"
    r"|(?P<date>[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT)"
    r"|(?P<length>(?<=content-length\\\":\\\")\d+)"
    r"|(?P<link>http://127\.0\.0\.1:\d+/_nodegx/resume/[^\"\\ ]+)"
    r"|(?P<server>127\.0\.0\.1:\d+)"
)


def _alike(text: str, family: Sequence[str]) -> str:
    """The text with numbers in place of what is another value each time. The same value has the
    same number; times have none, as several may be the same by chance."""
    known: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind in ("time", "date", "length", "server"):
            return f"<{kind}>"
        return known.setdefault(match[0], f"<{kind} {len(known)}>")

    text = _VOLATILE.sub(name, text)
    for number, id in enumerate(family):
        text = text.replace(id, f"<execution {number}>")
    return text


# --- one execution after the other ---------------------------------------------------------------


async def undisturbed(lane: Lane, case: Case) -> Outcome:
    """What comes of an execution that nothing happens to."""
    await lane.serve()
    await lane.begin(case)
    assert await lane.drive(case, None)
    writes = [write for write in lane.writes if write.when == AFTER]
    await kill(lane.server)
    return lane.outcome(writes[0].execution, writes)


async def killed(
    lane: Lane, case: Case, deaths: Iterable[Death]
) -> AsyncIterator[tuple[Death, Outcome | None]]:
    """What comes of an execution whose server is killed at a write, for each of several writes.
    The server of the next one goes on with it. None if it was not killed: because it has ended
    without so many writes, or the write was a claim, of which nobody knows before."""
    victim: tuple[Death, list[Write]] | None = None
    for death in (*deaths, None):
        await lane.serve(death)
        if victim is not None:
            yield victim[0], await _recovered(lane, case, victim[1])
            victim = None
        if death is None:
            await kill(lane.server)
            return
        await lane.begin(case)
        alive = await lane.drive(case, None)
        writes = lane.writes
        if alive and writes[-1][:2] != death:
            await kill(lane.server)
            yield death, None
            continue
        assert await lane.server.wait() == SIGKILL
        assert writes[-1][:2] == death, (writes[-1], death)
        victim = death, writes


async def _recovered(lane: Lane, case: Case, writes: list[Write]) -> Outcome:
    """What comes of an execution whose server was killed, once the present one is done with it."""
    id, last = writes[0].execution, writes[-1]
    begun = last[:3] != (1, BEFORE, "create")
    assert await lane.drive(case, id if begun else None)
    if begun:
        return lane.outcome(id, writes)
    assert lane.history.get(id) is None
    assert lane.site.bodies(id) == {}
    return Outcome("", {}, [id], writes)


async def killed_at_each_step(lane: Lane, case: Case) -> tuple[Outcome, int]:
    """What comes of an execution whose servers are killed after each write to a journal that gets
    it further, and how many these were."""
    id = None
    writes: list[Write] = []
    for deaths in itertools.count():
        await lane.serve(any_step=True)
        if id is None:
            await lane.begin(case)
        alive = await lane.drive(case, id)
        writes += [write for write in lane.writes if write.when == AFTER]
        id = writes[0].execution
        if alive:
            await kill(lane.server)
            return lane.outcome(id, writes), deaths
        assert await lane.server.wait() == SIGKILL
    raise AssertionError


# --- the comparison ------------------------------------------------------------------------------


def differences(case: Case, expected: Outcome, found: Outcome) -> list[str]:
    """What is not as it should be, of an execution whose server was killed once."""
    last = found.writes[-1]
    if not found.text:
        return []  # killed before it was on record: nothing has happened
    wrong = text_differences(expected, found)
    committed = [write for write in found.writes if write.when == AFTER]
    members = {id: number for number, id in enumerate(found.family)}
    recorded = Counter(
        (members[write.execution], _node(key))
        for write in committed
        for key, kind in zip(write.keys, write.kinds, strict=True)
        if kind in ATTEMPTS
    )
    doomed = Counter(
        (members[last.execution], _node(key))
        for key, kind in zip(last.keys, last.kinds, strict=True)
        if kind in ATTEMPTS and last.when == BEFORE
    )
    for place, count in expected.counts.items():
        more = found.counts.get(place, 0) - count
        # What was recorded is not repeated; the rest was under way once at most for each record
        # that it lacks.
        most = min(1, count - recorded[place]) if case.concurrent else doomed[place]
        least = 0 if case.concurrent else most
        if not least <= more <= most:
            wrong.append(
                f"{place} was done {count + more} times, not {count + least} to {count + most}"
            )
    wrong += [
        f"{place} was never to be done" for place in found.counts.keys() - expected.counts.keys()
    ]
    return wrong


def text_differences(expected: Outcome, found: Outcome) -> list[str]:
    """How the ends differ."""
    lines = difflib.unified_diff(
        expected.text.splitlines(), found.text.splitlines(), "undisturbed", "killed", "", "", 2
    )
    return list(lines)


def _node(key: str) -> str:
    """The step that an entry of a journal belongs to, whichever attempt at it."""
    return re.sub(r"#\d+|!\d+$", "", key)
