from __future__ import annotations

import asyncio
from time import time
from typing import Any

import pytest
from nodegx.runtime.durable.state import Wait
from nodegx.runtime.durable.suspension import Parking, Suspended
from nodegx.runtime.flow import join_all, join_any

NEVER = 1e6
"""Seconds that no test waits."""


def wait(key: str, seconds: float | None = NEVER) -> Wait:
    return Wait(key, "time", None if seconds is None else time() + seconds)


async def test_a_wait_that_is_over_does_not_park() -> None:
    parking = Parking(0.0)
    assert await parking.park(wait("a", -1)) is None
    assert not parking.suspended


async def test_a_short_wait_stays_in_memory() -> None:
    parking = Parking(10.0)
    assert await parking.park(wait("a", 0.01)) is None
    assert not parking.suspended
    assert parking.waits == {}


async def test_a_long_wait_suspends() -> None:
    parking = Parking(10.0)
    with pytest.raises(Suspended):
        await parking.park(wait("a"))
    assert parking.suspended
    assert list(parking.waits) == ["a"]
    with pytest.raises(Suspended):
        await parking.park(wait("b", 0.001))
    with pytest.raises(Suspended):
        await parking.gate("c")


async def test_a_wait_without_an_end_suspends() -> None:
    with pytest.raises(Suspended):
        await Parking(NEVER).park(wait("a", None))


async def test_as_long_as_one_branch_works_nothing_suspends() -> None:
    parking = Parking(0.0)
    worked = asyncio.Event()

    async def waits() -> None:
        await parking.park(wait("a"))

    async def works() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
            assert not parking.suspended
        worked.set()

    with parking.fork(2) as fork, pytest.raises(Suspended):
        await join_all(fork.all([waits(), works()]))
    assert worked.is_set()
    assert parking.suspended


async def test_an_answer_ends_a_wait_in_memory() -> None:
    parking = Parking(0.0)

    async def waits() -> Any:
        return await parking.park(wait("a", None))

    async def answers() -> None:
        await asyncio.sleep(0)
        assert parking.deliver("a", "yes")
        assert not parking.deliver("a", "again")
        assert not parking.deliver("b", "nobody")

    with parking.fork(2) as fork:
        first, second = fork.all([waits(), answers()])
        found, _ = await asyncio.gather(first, second)
    assert found == "yes"
    assert not parking.suspended


async def test_the_winner_of_a_race_goes_on_though_the_other_waits() -> None:
    parking = Parking(0.0)
    went_on = False

    async def waits() -> None:
        await parking.park(wait("a"))

    async def wins() -> None:
        await asyncio.sleep(0)

    with parking.fork(2, first_wins=True) as fork:
        assert await join_any(fork.all([waits(), wins()]))
        went_on = True
    assert went_on
    assert not parking.suspended
    with pytest.raises(Suspended):
        await parking.park(wait("b"))  # and the accounts are straight: nobody else is active


async def test_a_failure_ends_a_fork_though_another_branch_waits() -> None:
    parking = Parking(0.0)

    async def waits() -> None:
        await parking.park(wait("a"))

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with parking.fork(2) as fork, pytest.raises(ValueError, match="no"):
        await join_all(fork.all([waits(), fails()]))
    assert not parking.suspended
    with pytest.raises(Suspended):
        await parking.park(wait("b"))


async def test_forks_in_forks() -> None:
    parking = Parking(0.0)
    steps: list[str] = []

    async def waits(key: str) -> None:
        await parking.park(wait(key))

    async def inner() -> None:
        async def quick() -> None:
            await asyncio.sleep(0)

        with parking.fork(2) as fork:
            await join_all(fork.all([quick(), quick()]))
        steps.append("inner is over")
        await parking.park(wait("c"))

    with parking.fork(2) as fork, pytest.raises(Suspended):
        await join_all(fork.all([waits("a"), inner()]))
    assert steps == ["inner is over"]
    assert sorted(parking.waits) == ["a", "c"]


async def test_branches_that_never_began_do_not_count() -> None:
    parking = Parking(0.0)
    branches = [asyncio.sleep(0) for _ in range(3)]
    with parking.fork(3) as fork:
        for branch in (*fork.all(branches), *branches):
            branch.close()
    with pytest.raises(Suspended):
        await parking.park(wait("a"))


async def test_a_branch_that_is_ahead_lets_the_others_repeat_first() -> None:
    parking = Parking(0.0, repeats=True)
    order: list[str] = []

    async def ahead() -> None:
        await parking.catch_up()
        order.append("new")

    async def repeats() -> None:
        for number in range(3):
            await asyncio.sleep(0)
            order.append(f"repeated {number}")
        await parking.catch_up()
        order.append("new too")

    with parking.fork(2) as fork:
        await join_all(fork.all([ahead(), repeats()]))
    assert order == ["repeated 0", "repeated 1", "repeated 2", "new", "new too"]
    await parking.catch_up()  # from now on everything is new


async def test_yielding_waits_for_the_steps_under_way() -> None:
    parking = Parking(NEVER)
    ended: list[str] = []

    async def works() -> None:
        await parking.gate("first")
        parking.yield_soon()
        await asyncio.sleep(0.01)
        ended.append("first")
        await parking.gate("second")
        ended.append("second")

    with pytest.raises(Suspended):
        await works()
    assert ended == ["first"]


async def test_whoever_asks_is_told_when_all_wait_and_when_one_goes_on() -> None:
    moves: list[bool] = []
    parking = Parking(10.0, moved=moves.append)
    await parking.park(wait("a", 0.01))
    assert moves == [True, False]
