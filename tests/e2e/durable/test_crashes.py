"""Executions outlive `kill -9` of their server at any write to the store, and do nothing twice that
was recorded.

For each workflow and each write that an undisturbed execution makes, a real server process is
killed right before and right after that write; another one goes on. Then the history, the answers
and what the outside world has seen must be the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from itertools import product
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from nodegx.runtime.durable.poison import KEY as PASS

from tests.support import crashes
from tests.support.crash_site import Site, site
from tests.support.crash_store import AFTER, BEFORE, Death
from tests.support.crash_workflows import CASES, Case
from tests.support.crash_zygote import Zygote, zygote
from tests.support.crashes import Lane, Outcome
from tests.support.postgres import postgres

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(400),
]

LANES = 4
"""Stores with servers of their own, side by side: leases and waits take time, but no work."""

TRIES = 3
"""How often a point is tried that is not come to, because waits were over early."""


@pytest.fixture(scope="module")
def outside() -> Iterator[Site]:
    with site(CASES) as server:
        yield server


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, outside: Site) -> Path:
    return crashes.build(tmp_path_factory.mktemp("project"), outside.url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def zygotes() -> AsyncIterator[list[Zygote]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(zygote()) for _ in range(LANES)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def lanes(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    built: Path,
    outside: Site,
    zygotes: list[Zygote],
    client: httpx.AsyncClient,
) -> Iterator[list[Lane]]:
    made: list[Lane] = []
    with ExitStack() as stack:
        for number, server in enumerate(zygotes):
            folder = tmp_path / str(number)
            folder.mkdir()
            target = str(folder / "history.sqlite3")
            if request.param == "postgres":
                target = stack.enter_context(postgres().schema())
            lane = Lane(folder, built, target, outside, server, client)
            stack.callback(lane.close)
            made.append(lane)
        yield made


async def undisturbed(lane: Lane, case: Case) -> Outcome:
    """An undisturbed execution whose waits were not over early."""
    for _ in range(TRIES):
        outcome = await crashes.undisturbed(lane, case)
        if len(outcome.writes) == case.writes:
            break
    return outcome


@pytest.mark.parametrize("name", CASES)
async def test_a_server_may_be_killed_at_any_write(
    lanes: list[Lane], name: str, record_property: Callable[[str, object], None]
) -> None:
    case = CASES[name]
    expected = await undisturbed(lanes[0], case)
    assert len(expected.writes) == case.writes, expected.writes
    assert f'"status": "{case.ends}"' in expected.text

    claims = Counter(write.what == "claim" for write in expected.writes)[True]
    points = [Death(*each) for each in product(range(1, case.writes + 1), (BEFORE, AFTER))]
    found: dict[Death, Outcome] = {}

    async def take(lane: Lane, waiting: Iterator[Death]) -> None:
        deaths = crashes.killed(lane, case, waiting)
        found.update({death: outcome async for death, outcome in deaths if outcome is not None})

    for _ in range(TRIES):
        waiting = iter([point for point in points if point not in found])
        await asyncio.gather(*[take(lane, waiting) for lane in lanes])
        if len(found) >= len(points) - claims:
            break
    missed = [point for point in points if point not in found]
    assert len(missed) <= claims, missed
    assert all(point.when == BEFORE for point in missed), missed
    if not case.concurrent:
        # Of claims nobody knows before, so that another write may come in the place of one.
        lasts = {written(outcome)[-1] for outcome in found.values()}
        assert not {write for write in {*written(expected)} ^ lasts if write[0] != "claim"}
    wrong = {
        f"killed {death.when} write {death.number} of {case.writes}, {outcome.writes[-1]}": each
        for death, outcome in found.items()
        if (each := crashes.differences(case, expected, outcome))
    }
    assert not wrong, report(wrong)
    record_property("kill points", len(found))
    print(f"{name}: killed at {len(found)} points, {case.writes} writes")


@pytest.mark.parametrize("name", CASES)
async def test_servers_may_be_killed_at_every_step(lanes: list[Lane], name: str) -> None:
    case = CASES[name]
    expected = await undisturbed(lanes[0], case)
    outcome, deaths = await crashes.killed_at_each_step(lanes[1], case)
    assert not (wrong := crashes.text_differences(expected, outcome)), report({name: wrong})
    steps = [write for write in expected.writes if any(key != PASS for key in write.keys)]
    assert deaths > len(steps) // 2  # some writes are one where a wait was over early
    print(f"{name}: killed {deaths} times over one execution")


def written(outcome: Outcome) -> list[tuple[str, int, tuple[str, ...]]]:
    """Writes as they are the same for each execution of a workflow."""
    members = {id: number for number, id in enumerate(outcome.family)}
    return [
        (write.what, members[write.execution], tuple(write.keys))
        for write in outcome.writes
        if write.execution in members
    ]


def report(wrong: dict[str, list[str]]) -> str:
    return "\n".join(line for name, lines in wrong.items() for line in (name, *lines))
